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

func ciFact(c *ent.CI) (topology.CI, error) {
	environment, ok := topology.ParseEnvironment(string(c.Environment))
	if !ok {
		return topology.CI{}, fmt.Errorf("%v has the environment %q", c.ID, c.Environment)
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
	flow, flows := topology.ParseFlow(string(t.ImpactDirection))
	strength, ok := topology.ParseStrength(string(t.Strength))
	if !flows || !ok {
		return topology.Type{}, fmt.Errorf("%v has the impact direction %q and the strength %q", t.ID, t.ImpactDirection, t.Strength)
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
		return f, fmt.Errorf("%v has the strength %q", l.ID, *l.Strength)
	}
	return f, nil
}

func groupFact(g *ent.DependencyGroup) (topology.Group, error) {
	mode, ok := topology.ParseMode(string(g.Mode))
	if !ok {
		return topology.Group{}, fmt.Errorf("%v has the mode %q", g.ID, g.Mode)
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
