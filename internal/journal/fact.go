package journal

import (
	"encoding/json"
	"fmt"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Facts of the topology, from records. Their enumerations are spelt alike, so a value that does not parse is corrupt.

// notKnown returns the error of a record with a value that the graph does not know: another program wrote it.
func notKnown[V ~string](id ident.ID, field string, value V) error {
	return fmt.Errorf("%v has the %s %q, which is unknown to this program: start the newest linchpin that has written to the database", id, field, value)
}

func ciFact(c *ent.CI) (topology.CI, error) {
	environment, ok := topology.ParseEnvironment(string(c.Environment))
	if !ok {
		return topology.CI{}, notKnown(c.ID, "environment", c.Environment)
	}
	f := topology.CI{
		ID: c.ID, Class: c.ClassID, Environment: environment,
		IsService: c.ServiceKind != nil, IsPlanned: c.Lifecycle == domain.Planned || c.Lifecycle == domain.Build, IsRetired: c.Lifecycle == domain.Retired,
	}
	if c.TierID != nil {
		f.Tier = *c.TierID
	}
	return f, nil
}

func typeFact(t *ent.RelationshipType) (topology.Type, error) {
	flow, ok := topology.ParseFlow(string(t.ImpactDirection))
	if !ok {
		return topology.Type{}, notKnown(t.ID, "impact direction", t.ImpactDirection)
	}
	strength, ok := topology.ParseStrength(string(t.Strength))
	if !ok {
		return topology.Type{}, notKnown(t.ID, "strength", t.Strength)
	}
	return topology.Type{ID: t.ID, Flow: flow, Strength: strength}, nil
}

func relationshipFact(l *ent.Relationship) (topology.Relationship, error) {
	f := topology.Relationship{ID: l.ID, Type: l.TypeID, Source: l.SourceID, Target: l.TargetID}
	if l.Strength == nil {
		return f, nil
	}
	var ok bool
	if f.Strength, ok = topology.ParseStrength(string(*l.Strength)); !ok {
		return f, notKnown(l.ID, "strength", *l.Strength)
	}
	return f, nil
}

func groupFact(g *ent.DependencyGroup) (topology.Group, error) {
	mode, ok := topology.ParseMode(string(g.Mode))
	if !ok {
		return topology.Group{}, notKnown(g.ID, "mode", g.Mode)
	}
	f := topology.Group{ID: g.ID, Dependent: g.CiID, Mode: mode, Threshold: g.Threshold}
	for _, m := range g.Members {
		f.Members = append(f.Members, topology.Member{Relationship: m.Relationship, Weight: max(1, m.Weight)})
	}
	return f, nil
}

// add appends a record as a fact.
func add[R, F any](facts *[]F, record *R, fact func(*R) (F, error)) error {
	f, err := fact(record)
	if err == nil {
		*facts = append(*facts, f)
	}
	return err
}

// addFrom appends a fact from the record of a journal entry.
func addFrom[R, F any](facts *[]F, record map[string]any, fact func(*R) (F, error)) error {
	r := new(R)
	if err := decode(record, r); err != nil {
		return err
	}
	return add(facts, r, fact)
}

// addRecord adds the fact that a record of the graph is.
func addRecord(b *topology.Batch, id ident.ID, record map[string]any) error {
	switch id.Kind() { //nolint:exhaustive // the rest is no part of the graph
	case ident.CI:
		return addFrom(&b.CIs, record, ciFact)
	case ident.RelationshipType:
		return addFrom(&b.Types, record, typeFact)
	case ident.Relationship:
		return addFrom(&b.Relationships, record, relationshipFact)
	case ident.DependencyGroup:
		return addFrom(&b.Groups, record, groupFact)
	}
	return nil
}

func decode(record map[string]any, into any) error {
	text, err := json.Marshal(record)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// isFact reports whether the topology knows records of a kind.
func isFact(k ident.Kind) bool {
	switch k { //nolint:exhaustive // the rest is no part of the graph
	case ident.CI, ident.RelationshipType, ident.Relationship, ident.DependencyGroup:
		return true
	}
	return false
}
