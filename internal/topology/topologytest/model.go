// Package topologytest holds a model to compare the graph with in tests: facts in maps, arcs by the letter of the
// rules, and random estates with every hard case.
package topologytest

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Model is a graph as maps of facts.
type Model struct {
	Revision      int64
	CIs           map[ident.ID]topology.CI
	Types         map[ident.ID]topology.Type
	Relationships map[ident.ID]topology.Relationship
	Groups        map[ident.ID]topology.Group
	Incidents     map[ident.ID]topology.Incident
	Changes       map[ident.ID]topology.Change
}

// NewModel returns a model without facts.
func NewModel() *Model {
	return &Model{
		CIs: map[ident.ID]topology.CI{}, Types: map[ident.ID]topology.Type{}, Relationships: map[ident.ID]topology.Relationship{},
		Groups: map[ident.ID]topology.Group{}, Incidents: map[ident.ID]topology.Incident{}, Changes: map[ident.ID]topology.Change{},
	}
}

// Apply writes and removes the facts of a batch.
func (m *Model) Apply(b topology.Batch) {
	m.Revision = b.Revision
	for _, f := range b.CIs {
		m.CIs[f.ID] = f
	}
	for _, f := range b.Types {
		m.Types[f.ID] = f
	}
	for _, f := range b.Relationships {
		m.Relationships[f.ID] = f
	}
	for _, f := range b.Groups {
		m.Groups[f.ID] = f
	}
	for _, f := range b.Incidents {
		m.Incidents[f.ID] = f
	}
	for _, f := range b.Changes {
		m.Changes[f.ID] = f
	}
	for _, r := range b.Removed {
		delete(m.CIs, r)
		delete(m.Types, r)
		delete(m.Relationships, r)
		delete(m.Groups, r)
		delete(m.Incidents, r)
		delete(m.Changes, r)
	}
}

// Facts returns all facts as one batch, in an order that the seed decides.
func (m *Model) Facts(seed uint64) topology.Batch {
	r := rand.New(rand.NewPCG(seed, 1))
	incidents := shuffled(r, m.Incidents)
	for i, f := range incidents {
		incidents[i].Root, incidents[i].Excluded = mixed(r, f.Root), mixed(r, f.Excluded)
	}
	changes := shuffled(r, m.Changes)
	for i, f := range changes {
		changes[i].TakenDown, changes[i].Changed = mixed(r, f.TakenDown), mixed(r, f.Changed)
	}
	return topology.Batch{
		Revision: m.Revision, CIs: shuffled(r, m.CIs), Types: shuffled(r, m.Types),
		Relationships: shuffled(r, m.Relationships), Groups: shuffled(r, m.Groups), Incidents: incidents, Changes: changes,
	}
}

func shuffled[F any](r *rand.Rand, facts map[ident.ID]F) []F {
	var list []F
	for _, k := range slices.Sorted(maps.Keys(facts)) {
		list = append(list, facts[k])
	}
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

func mixed(r *rand.Rand, ids []ident.ID) []ident.ID {
	ids = slices.Clone(ids)
	r.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	return ids
}

// Arc is one way of impact, with the groups of To that count it.
type Arc struct {
	Relationship, Type, From, To ident.ID
	IsSoft                       bool
	Groups                       []ident.ID
}

// Arcs derives every arc from the facts: ways between CIs in service.
func (m *Model) Arcs() []Arc {
	return slices.DeleteFunc(m.Ways(), func(a Arc) bool { return !m.InService(a.From) || !m.InService(a.To) })
}

// Ways returns the arcs as they would be if all CIs were in service.
func (m *Model) Ways() []Arc {
	var arcs []Arc
	for _, r := range m.Relationships {
		t, ok := m.Types[r.Type]
		if !ok {
			continue
		}
		if t.Flow == topology.SourceToTarget || t.Flow == topology.Both {
			arcs = append(arcs, m.arc(r, t, r.Source, r.Target))
		}
		if t.Flow == topology.TargetToSource || t.Flow == topology.Both && r.Source != r.Target {
			arcs = append(arcs, m.arc(r, t, r.Target, r.Source))
		}
	}
	slices.SortFunc(arcs, func(a, b Arc) int {
		return cmp.Or(cmp.Compare(a.Relationship, b.Relationship), cmp.Compare(a.From, b.From))
	})
	return arcs
}

// InService reports whether a CI is known and neither planned nor retired.
func (m *Model) InService(ci ident.ID) bool {
	f, ok := m.CIs[ci]
	return ok && !f.IsRetired && !f.IsPlanned
}

func (m *Model) arc(r topology.Relationship, t topology.Type, from, to ident.ID) Arc {
	strength := r.Strength
	if strength == topology.Default {
		strength = t.Strength
	}
	a := Arc{Relationship: r.ID, Type: t.ID, From: from, To: to, IsSoft: strength == topology.Soft}
	for _, g := range m.Groups {
		if g.Dependent == to && slices.ContainsFunc(g.Members, func(member topology.Member) bool { return member.Relationship == r.ID }) {
			a.Groups = append(a.Groups, g.ID)
		}
	}
	slices.Sort(a.Groups)
	return a
}

// Weight returns the weight of a relationship in a group.
func Weight(g topology.Group, relationship ident.ID) int {
	weight := 0
	for _, m := range g.Members {
		if m.Relationship == relationship {
			weight = max(m.Weight, 1) // the last holds
		}
	}
	if weight > 0 && g.Mode != topology.Weighted {
		weight = 1
	}
	return weight
}

// Need returns how much of its members a group needs, by the letter of the rule, and what those in service and the
// RETIRED ones add up to.
func (m *Model) Need(g topology.Group) (need, total, retired int) {
	planned, members := 0, 0
	if !m.InService(g.Dependent) {
		return 0, 0, 0
	}
	for _, way := range m.Ways() {
		if !slices.Contains(way.Groups, g.ID) {
			continue
		}
		f, ok := m.CIs[way.From]
		weight := Weight(g, way.Relationship)
		switch {
		case !ok:
			continue
		case f.IsRetired:
			retired += weight
		case f.IsPlanned:
			planned += weight
		default:
			total += weight
		}
		members++
	}
	counted := total + retired
	switch g.Mode {
	case topology.All:
		need = counted
	case topology.Any:
		need = min(1, max(counted, 1-planned))
	case topology.AtLeast, topology.Weighted:
		need = min(g.Threshold, max(counted, g.Threshold-planned))
	case topology.Percent:
		for need*100 < g.Threshold*counted {
			need++
		}
	}
	if members == 0 {
		need = 0
	}
	return need, total, retired
}

// Misses reports whether a CI in service HARD needs a RETIRED one outside any group.
func (m *Model) Misses(ci ident.ID) bool {
	return m.InService(ci) && slices.ContainsFunc(m.Ways(), func(a Arc) bool {
		return a.To == ci && !a.IsSoft && len(a.Groups) == 0 && m.CIs[a.From].IsRetired
	})
}

// Clone returns a copy that shares nothing with m.
func (m *Model) Clone() *Model {
	return &Model{m.Revision, maps.Clone(m.CIs), maps.Clone(m.Types), maps.Clone(m.Relationships), maps.Clone(m.Groups), maps.Clone(m.Incidents), maps.Clone(m.Changes)}
}
