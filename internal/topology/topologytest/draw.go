package topologytest

import (
	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// The universe is small, so that random facts meet: parallel edges, self-loops, cycles, relationships in two groups,
// facts that name missing records.
const (
	cis           = 9
	types         = 5
	relationships = 22
	groups        = 5
	incidents     = 3
	changes       = 2
)

func number(t *rapid.T, k ident.Kind, limit int) ident.ID {
	return ident.New(k, int64(rapid.IntRange(1, limit).Draw(t, k.Prefix())))
}

// CI draws the id of a CI that may exist.
func CI(t *rapid.T) ident.ID { return number(t, ident.CI, cis) }

func drawCI(t *rapid.T, ci ident.ID) topology.CI {
	tier := ident.ID(0)
	if rapid.Bool().Draw(t, "tiered") {
		tier = number(t, ident.ServiceTier, 2)
	}
	stage := rapid.IntRange(0, 9).Draw(t, "stage")
	return topology.CI{
		ID: ci, Class: number(t, ident.CIClass, 3), Tier: tier,
		Environment: topology.Environment(rapid.IntRange(0, 5).Draw(t, "environment")),
		IsService:   rapid.IntRange(0, 3).Draw(t, "service") == 0, IsPlanned: stage == 1, IsRetired: stage == 2,
	}
}

func drawType(t *rapid.T, typ ident.ID) topology.Type {
	return topology.Type{
		ID: typ, Flow: topology.Flow(rapid.IntRange(0, 3).Draw(t, "flow")),
		Strength: topology.Strength(rapid.IntRange(1, 2).Draw(t, "strength")),
	}
}

func drawRelationship(t *rapid.T, r ident.ID) topology.Relationship {
	return topology.Relationship{
		ID: r, Type: number(t, ident.RelationshipType, types), Source: CI(t), Target: CI(t),
		Strength: topology.Strength(rapid.IntRange(0, 2).Draw(t, "override")),
	}
}

func drawGroup(t *rapid.T, g ident.ID, m *Model) topology.Group {
	f := topology.Group{
		ID: g, Dependent: number(t, ident.CI, rapid.SampledFrom([]int{2, cis}).Draw(t, "among")), Mode: topology.Mode(rapid.IntRange(0, 4).Draw(t, "mode")),
		Threshold: rapid.IntRange(0, 5).Draw(t, "threshold"),
	}
	if f.Mode == topology.Percent {
		f.Threshold *= 25
	}
	arriving := []ident.ID{}
	for _, a := range m.Arcs() {
		if a.To == f.Dependent {
			arriving = append(arriving, a.Relationship)
		}
	}
	for range rapid.IntRange(0, 4).Draw(t, "members") {
		r := number(t, ident.Relationship, relationships)
		if len(arriving) > 0 && rapid.IntRange(0, 3).Draw(t, "arrives") > 0 {
			r = rapid.SampledFrom(arriving).Draw(t, "arriving")
		}
		f.Members = append(f.Members, topology.Member{Relationship: r, Weight: rapid.IntRange(0, 4).Draw(t, "weight")})
	}
	return f
}

func drawIncident(t *rapid.T, i ident.ID) topology.Incident {
	f := topology.Incident{ID: i}
	for range rapid.IntRange(0, 3).Draw(t, "roots") {
		f.Root = append(f.Root, CI(t))
	}
	for range rapid.IntRange(0, 2).Draw(t, "excluded") {
		f.Excluded = append(f.Excluded, CI(t))
	}
	return f
}

func drawChange(t *rapid.T, i ident.ID) topology.Change {
	f := topology.Change{ID: i}
	for range rapid.IntRange(0, 2).Draw(t, "taken down") {
		f.TakenDown = append(f.TakenDown, CI(t))
	}
	for range rapid.IntRange(0, 2).Draw(t, "changed") {
		f.Changed = append(f.Changed, CI(t))
	}
	return f
}

// Estate draws a whole estate.
func Estate(t *rapid.T) *Model {
	m := NewModel()
	b := topology.Batch{Revision: int64(rapid.IntRange(0, 3).Draw(t, "revision"))}
	for n := range cis {
		if rapid.IntRange(0, 9).Draw(t, "exists") > 0 {
			b.CIs = append(b.CIs, drawCI(t, ident.New(ident.CI, int64(n+1))))
		}
	}
	for n := range types {
		b.Types = append(b.Types, drawType(t, ident.New(ident.RelationshipType, int64(n+1))))
	}
	for n := range rapid.IntRange(0, relationships).Draw(t, "relationships") {
		b.Relationships = append(b.Relationships, drawRelationship(t, ident.New(ident.Relationship, int64(n+1))))
	}
	m.Apply(b)
	for n := range rapid.IntRange(0, groups).Draw(t, "groups") {
		b.Groups = append(b.Groups, drawGroup(t, ident.New(ident.DependencyGroup, int64(n+1)), m))
	}
	for n := range rapid.IntRange(0, incidents).Draw(t, "incidents") {
		b.Incidents = append(b.Incidents, drawIncident(t, ident.New(ident.Incident, int64(n+1))))
	}
	for n := range rapid.IntRange(0, changes).Draw(t, "changes") {
		b.Changes = append(b.Changes, drawChange(t, ident.New(ident.Change, int64(n+1))))
	}
	m.Apply(b)
	return m
}

// Flip draws a batch in which few CIs come and go and relationships are written again as they are.
func Flip(t *rapid.T, m *Model) topology.Batch {
	b := topology.Batch{Revision: m.Revision + 1}
	ci := number(t, ident.CI, 2)
	switch rapid.IntRange(0, 3).Draw(t, "flip") {
	case 0:
		b.Removed = append(b.Removed, ci)
	case 1:
		f := drawCI(t, ci)
		f.IsPlanned = rapid.Bool().Draw(t, "planned")
		f.IsRetired = !f.IsPlanned
		b.CIs = append(b.CIs, f)
	default:
		f := drawCI(t, ci)
		f.IsPlanned, f.IsRetired = false, false
		b.CIs = append(b.CIs, f)
	}
	if r, ok := m.Relationships[number(t, ident.Relationship, relationships)]; ok {
		b.Relationships = append(b.Relationships, r)
	}
	return b
}

// Next draws the batch of the next revision.
func Next(t *rapid.T, m *Model) topology.Batch {
	b := topology.Batch{Revision: m.Revision + 1}
	for range rapid.IntRange(0, 4).Draw(t, "facts") {
		switch rapid.IntRange(0, 10).Draw(t, "fact") {
		case 0, 1, 2:
			b.CIs = append(b.CIs, drawCI(t, CI(t)))
		case 3, 4, 5, 6:
			b.Relationships = append(b.Relationships, drawRelationship(t, number(t, ident.Relationship, relationships)))
		case 7:
			b.Groups = append(b.Groups, drawGroup(t, number(t, ident.DependencyGroup, groups), m))
		case 8:
			b.Incidents = append(b.Incidents, drawIncident(t, number(t, ident.Incident, incidents)))
		case 9:
			b.Types = append(b.Types, drawType(t, number(t, ident.RelationshipType, types)))
		case 10:
			b.Changes = append(b.Changes, drawChange(t, number(t, ident.Change, changes)))
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "removals") {
		switch rapid.IntRange(0, 10).Draw(t, "removal") {
		case 0, 1, 2:
			b.Removed = append(b.Removed, CI(t))
		case 3, 4, 5, 6:
			b.Removed = append(b.Removed, number(t, ident.Relationship, relationships))
		case 7:
			b.Removed = append(b.Removed, number(t, ident.DependencyGroup, groups))
		case 8:
			b.Removed = append(b.Removed, number(t, ident.Incident, incidents))
		case 9:
			b.Removed = append(b.Removed, number(t, ident.RelationshipType, types))
		case 10:
			b.Removed = append(b.Removed, number(t, ident.Change, changes))
		}
	}
	return b
}
