package operation

import (
	"encoding/json"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Class holds the properties of a class that the graph needs.
type Class struct {
	ID        ident.ID
	IsService bool
}

// Words resolve the codes in operations.
type Words struct {
	Classes map[string]Class
	Types   map[string]ident.ID
}

// View is the graph as it would be with operations applied. It shares all that they do not touch.
type View struct {
	*topology.Snapshot
	// Planned are the ids that the view gives to the records that operations create, by the operation's place; 0 for
	// other operations.
	Planned []ident.ID
	// Touched are the CIs whose state or relationships the operations change. Some may be in one graph only.
	Touched []ident.ID
	// Groups are the dependency groups that the operations name.
	Groups []ident.ID
}

// On lays operations over a snapshot. It passes over operations on records that are gone meanwhile: see Conflicts. Its
// cost is that of topology.Snapshot.With.
func On(s *topology.Snapshot, all []Operation, words Words) (*View, error) {
	o := overlay{s: s, words: words, keys: map[string]ident.ID{}, cis: map[ident.ID]topology.CI{}, next: map[ident.Kind]ident.ID{}}
	v := &View{Planned: make([]ident.ID, len(all))}
	for i, op := range all {
		v.Planned[i] = o.add(op, v)
	}
	for _, fact := range o.cis {
		o.batch.CIs = append(o.batch.CIs, fact)
	}
	var err error
	v.Snapshot, err = s.With(o.batch)
	return v, err
}

type overlay struct {
	s     *topology.Snapshot
	words Words
	batch topology.Batch
	keys  map[string]ident.ID
	cis   map[ident.ID]topology.CI
	next  map[ident.Kind]ident.ID
}

// add turns one operation into facts, and returns the id of the record it creates.
func (o *overlay) add(op Operation, v *View) ident.ID {
	touch := func(ids ...ident.ID) { v.Touched = append(v.Touched, ids...) }
	switch op.Kind {
	case domain.CreateCI:
		class := o.words.Classes[text(op.Planned["class"])]
		fact := topology.CI{ID: o.fresh(op, ident.CI), Class: class.ID, IsService: class.IsService}
		o.stage(&fact, op.Planned)
		touch(fact.ID)
		return fact.ID
	case domain.UpdateCI, domain.RetireCI:
		if fact, ok := o.ci(op.Record); ok {
			wasPlanned := fact.IsPlanned
			o.stage(&fact, op.Planned)
			touch(fact.ID)
			if wasPlanned && fact.IsRetired {
				touch(o.giveUp(fact.ID)...)
			}
		}
	case domain.RelateCIs:
		fact := topology.Relationship{
			ID: o.fresh(op, ident.Relationship), Type: o.words.Types[text(op.Planned["type"])],
			Source: o.reference(op.Planned["source"]), Target: o.reference(op.Planned["target"]),
		}
		fact.Strength, _ = topology.ParseStrength(text(op.Planned["strength"]))
		o.batch.Relationships = append(o.batch.Relationships, fact)
		touch(fact.Source, fact.Target)
		return fact.ID
	case domain.UnrelateCIs:
		if fact, ok := o.s.Relationship(op.Record); ok {
			o.batch.Removed = append(o.batch.Removed, op.Record)
			touch(fact.Source, fact.Target)
		}
	case domain.CreateGroup:
		fact := topology.Group{ID: o.fresh(op, ident.DependencyGroup), Dependent: o.reference(op.Planned["ci"])}
		o.group(&fact, op.Planned)
		touch(fact.Dependent)
		v.Groups = append(v.Groups, fact.ID)
		return fact.ID
	case domain.UpdateGroup:
		if fact, ok := o.s.Group(op.Record); ok {
			o.group(&fact, op.Planned)
			touch(fact.Dependent)
			v.Groups = append(v.Groups, fact.ID)
		}
	case domain.DeleteGroup:
		if fact, ok := o.s.Group(op.Record); ok {
			o.batch.Removed = append(o.batch.Removed, op.Record)
			touch(fact.Dependent)
			v.Groups = append(v.Groups, fact.ID)
		}
	}
	return 0
}

// giveUp takes away the relationships of a CI whose plan is given up, those of the operations before too, as the verbs
// do. It returns the CIs at their other ends.
func (o *overlay) giveUp(ci ident.ID) (others []ident.ID) {
	meets := func(fact topology.Relationship) bool {
		if fact.Source != ci && fact.Target != ci {
			return false
		}
		others = append(others, fact.Source, fact.Target)
		return true
	}
	o.batch.Relationships = slices.DeleteFunc(o.batch.Relationships, meets)
	if v, ok := o.s.Index(ci); ok {
		for _, fact := range o.s.Idle(v) {
			if meets(fact) {
				o.batch.Removed = append(o.batch.Removed, fact.ID)
			}
		}
	}
	return others
}

// fresh returns the id in the view for the record that an operation creates: the id it had before, or a new one.
func (o *overlay) fresh(op Operation, kind ident.Kind) ident.ID {
	id := op.Record
	if id == 0 {
		id = o.next[kind]
		if id == 0 {
			id = o.s.Unused(kind)
		}
		o.next[kind] = ident.New(kind, id.Number()+1)
	}
	if op.Key != "" {
		o.keys[op.Key] = id
	}
	return id
}

func (o *overlay) ci(id ident.ID) (topology.CI, bool) {
	if fact, ok := o.cis[id]; ok {
		return fact, true
	}
	v, ok := o.s.Index(id)
	return o.s.CI(v), ok
}

func (o *overlay) stage(fact *topology.CI, planned Fields) {
	if environment := text(planned["environment"]); environment != "" {
		fact.Environment, _ = topology.ParseEnvironment(environment)
	}
	if stage := text(planned["lifecycle"]); stage != "" {
		fact.IsPlanned = stage == string(domain.Planned) || stage == string(domain.Build)
		fact.IsRetired = stage == string(domain.Retired)
	}
	o.cis[fact.ID] = *fact
}

func (o *overlay) group(fact *topology.Group, planned Fields) {
	if mode, ok := planned["mode"]; ok {
		fact.Mode, _ = topology.ParseMode(text(mode))
	}
	if threshold, ok := planned["threshold"]; ok {
		fact.Threshold = Number(threshold)
	}
	if members, ok := planned["members"]; ok {
		fact.Members = nil
		for _, m := range Members(members) {
			fact.Members = append(fact.Members, topology.Member{Relationship: o.reference(m.Relationship), Weight: max(1, m.Weight)})
		}
	}
	o.batch.Groups = append(o.batch.Groups, *fact)
}

func (o *overlay) reference(v any) ident.ID { return Reference(v, o.keys) }

// Reference returns the record that a field refers to. If its key is unknown, it returns 0.
func Reference(v any, keys map[string]ident.ID) ident.ID {
	name := text(v)
	if name != "" && name[:1] == KeyMark {
		return keys[name[1:]]
	}
	id, err := ident.Parse(name)
	if err != nil {
		return 0
	}
	return id
}

// Member is a relationship that counts in a dependency group, as in Fields.
type Member struct {
	Relationship string `json:"relationship"`
	Weight       int    `json:"weight,omitempty"`
}

// Members reads the members of a group.
func Members(v any) (all []Member) {
	raw, err := json.Marshal(v)
	if err != nil || json.Unmarshal(raw, &all) != nil {
		return nil
	}
	return all
}

// Number reads a whole number.
func Number(v any) int {
	switch n := v.(type) {
	case int:
		return n
	case float64:
		return int(n)
	}
	return 0
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
