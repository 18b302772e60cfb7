package impact

import (
	"context"
	"math"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// ShortestPath returns a shortest way on which impact could pass from one CI to another, whatever strength and groups
// say. If there is none or both are one CI, it returns nil. It searches from both ends and always widens the smaller
// frontier (Pohl, "Bi-directional search", 1971), so that it rarely sees the fan-out of a hub. Among equals the choice
// does not depend on the order of arcs. If the context ends, it returns the context's error: half a search says
// nothing.
func ShortestPath(ctx context.Context, s *topology.Snapshot, from, to ident.ID) ([]Step, error) {
	source, err := locate(s, "from", from)
	if err != nil {
		return nil, err
	}
	target, err := locate(s, "to", to)
	if err != nil || source == target {
		return nil, err
	}
	forth, back := newFrontier(s, source, false), newFrontier(s, target, true)
	defer forth.m.release()
	defer back.m.release()
	p := patience{ctx: ctx}
	best, middle := uint32(math.MaxUint32), topology.Vertex(0)
	for len(forth.edge) > 0 && len(back.edge) > 0 && forth.depth+back.depth < best {
		near, far := forth, back
		if len(back.edge) < len(forth.edge) {
			near, far = back, forth
		}
		near.widen(&p, func(v topology.Vertex) {
			if d, ok := far.m.marked(v); ok && (d+near.depth < best || d+near.depth == best && s.ID(v) < s.ID(middle)) {
				best, middle = d+near.depth, v
			}
		})
		if p.err != nil {
			return nil, p.err
		}
	}
	if middle == 0 {
		return nil, nil
	}
	path := forth.stepsTo(middle)
	slices.Reverse(path)
	return append(path, back.stepsTo(middle)...), nil
}

// frontier is one side of the search.
type frontier struct {
	s       *topology.Snapshot
	m       *scratch
	against bool
	start   topology.Vertex
	edge    []topology.Vertex
	depth   uint32
}

func newFrontier(s *topology.Snapshot, start topology.Vertex, against bool) *frontier {
	f := &frontier{s: s, m: borrow(s), against: against, start: start, edge: []topology.Vertex{start}}
	f.m.mark(start, 0)
	return f
}

// widen goes one hop further.
func (f *frontier) widen(p *patience, visit func(topology.Vertex)) {
	edge, each := f.edge, eachDependent
	if f.against {
		each = eachCause
	}
	f.edge, f.depth = nil, f.depth+1
	note := func(v topology.Vertex, _ topology.ArcKind) {
		if _, ok := f.m.marked(v); !ok {
			f.m.mark(v, f.depth)
			f.edge = append(f.edge, v)
			visit(v)
		}
	}
	for _, u := range edge {
		if p.isSpent(each(f.s, u, note) + 1) {
			return
		}
	}
}

// stepsTo goes from a CI that was found back to the start, each time along the lowest relationship that comes nearer.
func (f *frontier) stepsTo(v topology.Vertex) (path []Step) {
	d, _ := f.m.marked(v)
	for v != f.start {
		edges, nearer := f.s.Needs(v), func(e topology.Edge) topology.Vertex { return e.From }
		if f.against {
			edges, nearer = f.s.Affects(v), func(e topology.Edge) topology.Vertex { return e.To }
		}
		var best topology.Edge
		for e := range edges {
			if at, ok := f.m.marked(nearer(e)); ok && at+1 == d && (best.From == 0 || precedes(e, best)) {
				best = e
			}
		}
		path = append(path, stepOf(f.s, best))
		v = nearer(best)
		d--
	}
	return path
}
