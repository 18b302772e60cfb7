package impact

import (
	"cmp"
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Limits bound a walk; 0 means no limit.
type Limits struct {
	MaxDepth int // hops
	MaxCIs   int // CIs beside those asked for; of the last round the lowest ids are kept
}

// Needs is all that a set of CIs needs, directly or not: what can impact it.
type Needs struct {
	Revision     int64
	Completeness Completeness
	CIs          []Need // services first, then by distance, then by id; without the CIs asked for
}

// Need is one CI that is needed.
type Need struct {
	Vertex   topology.Vertex
	CI       ident.ID
	Distance int
	// Strength is Hard when a path of HARD dependencies and group members leads to it, within what was
	// found: its failure can contribute to DOWN, not only to DEGRADED.
	Strength topology.Strength
	// ViaGroup says that every path to it, within what was found, passes a group: something may stand in for it.
	ViaGroup bool
}

// Dependencies walks against the flow of impact, linear in the arcs it touches. It fails as Of does.
func Dependencies(ctx context.Context, s *topology.Snapshot, cis []ident.ID, limits Limits) (*Needs, error) {
	start, err := locateAll(s, cis)
	if err != nil {
		return nil, err
	}
	m := borrow(s)
	defer m.release()
	w := walk{s: s, m: m, patience: patience{ctx: ctx}, Limits: limits, against: true}
	w.from(start)
	if err := w.verdict(); err != nil {
		return nil, err
	}
	found := w.found[len(w.start):]
	n := &Needs{Revision: s.Revision(), Completeness: w.whole, CIs: make([]Need, len(found))}
	place := make(map[topology.Vertex]int, len(found))
	for i, v := range found {
		d, _ := m.marked(v)
		n.CIs[i] = Need{Vertex: v, CI: s.ID(v), Distance: int(d), Strength: topology.Soft, ViaGroup: true}
		place[v] = i
	}
	within := func(visit func(*Need)) func(topology.Vertex) bool {
		return func(v topology.Vertex) bool {
			i, ok := place[v]
			if ok {
				visit(&n.CIs[i])
			}
			return ok
		}
	}
	narrow(s, w.start, func(k topology.ArcKind) bool { return k != topology.SoftArc }, within(func(n *Need) { n.Strength = topology.Hard }))
	narrow(s, w.start, func(k topology.ArcKind) bool { return k <= topology.SoftArc }, within(func(n *Need) { n.ViaGroup = false }))
	slices.SortFunc(n.CIs, func(a, b Need) int {
		return cmp.Or(compareFlags(s.IsService(b.Vertex), s.IsService(a.Vertex)), cmp.Compare(a.Distance, b.Distance), cmp.Compare(a.CI, b.CI))
	})
	return n, nil
}

func compareFlags(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func locateAll(s *topology.Snapshot, cis []ident.ID) ([]topology.Vertex, error) {
	vertices := make([]topology.Vertex, len(cis))
	for i, ci := range cis {
		v, err := locate(s, "cis", ci)
		if err != nil {
			return nil, err
		}
		vertices[i] = v
	}
	return vertices, nil
}
