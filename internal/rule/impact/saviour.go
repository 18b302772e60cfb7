package impact

import (
	"cmp"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Saviour is a CI whose survival alone would have kept another one up.
type Saviour struct {
	Vertex   topology.Vertex
	CI       ident.ID
	Distance int  // hops from it to the CI that it would save, over CIs that are DOWN
	IsRoot   bool // the question or a record says that it fails
}

// Saviours lists what would save a CI that is DOWN: every other CI that, had it alone stayed operational, would have
// kept it up. The failed come last, since that one of them does not fail is no remedy; then the nearest come first,
// then the lowest ids. The list is empty for a CI that is not DOWN, fails by itself or is broken by itself, or has two
// independent reasons, and for an answer that a budget or the time cut short.
//
// A CI that saves is part of every proof, so that those of one proof are candidates. They are tried 64 in a pass over
// the part of the CI's cone that is DOWN, each lane of the simulation sparing one: O(proof/64 · arcs of that part).
func (a *Answer) Saviours(ci ident.ID) []Saviour {
	a = a.entire()
	i, ok := a.find(ci)
	if !ok || !a.tells(i) || a.hits[i].state != Down || a.hits[i].isGround() || a.Completeness.Reason == MaxCIs || a.Completeness.Reason == Time {
		return nil
	}
	proof, ok := a.Proof(ci)
	if !ok {
		return nil
	}
	fallen := scope{s: a.snapshot, admits: func(v topology.Vertex) bool { return a.stateAt(v) == Down }}
	r := fallen.cone([]topology.Vertex{a.hits[i].vertex}, &patience{ctx: noHurry})
	roots := make([]uint32, 0, len(r.vertices))
	for at, v := range r.vertices {
		if h, _ := a.place(v); a.hits[h].isGround() {
			roots = append(roots, uint32(at))
		}
	}
	var vertices []topology.Vertex
	for _, e := range proof.Explanations {
		if e.CI != ci.As(ident.CI) {
			vertices = append(vertices, e.Vertex)
		}
	}
	m, candidates := r.simulation(false), r.places(vertices)
	target := r.places([]topology.Vertex{a.hits[i].vertex})[0]
	var saviours []Saviour
	for batch := range slices.Chunk(candidates, lanes) {
		m.begin()
		for lane, at := range batch {
			m.spare(at, 1<<lane)
		}
		for _, at := range roots {
			m.fall(at, ^uint64(0))
		}
		m.run()
		for lane, at := range batch {
			if m.cells[target].down>>lane&1 == 0 {
				h, _ := a.place(r.vertices[at])
				saviours = append(saviours, Saviour{Vertex: r.vertices[at], CI: a.snapshot.ID(r.vertices[at]), IsRoot: a.hits[h].given != Operational})
			}
		}
	}
	a.measureTo(saviours, a.hits[i].vertex)
	slices.SortFunc(saviours, func(x, y Saviour) int {
		return cmp.Or(compareFlags(x.IsRoot, y.IsRoot), cmp.Compare(x.Distance, y.Distance), cmp.Compare(x.CI, y.CI))
	})
	return saviours
}

// measureTo fills in the distances, by one breadth-first search from the saved against the arcs.
func (a *Answer) measureTo(saviours []Saviour, saved topology.Vertex) {
	m := borrow(a.snapshot)
	defer m.release()
	m.mark(saved, 0)
	queue := append(m.queue, saved)
	for head := 0; head < len(queue); head++ {
		d, _ := m.marked(queue[head])
		eachCause(a.snapshot, queue[head], func(v topology.Vertex, k topology.ArcKind) {
			if _, ok := m.marked(v); !ok && k != topology.SoftArc && a.stateAt(v) == Down {
				m.mark(v, d+1)
				queue = append(queue, v)
			}
		})
	}
	m.queue = queue
	for i := range saviours {
		d, _ := m.marked(saviours[i].Vertex)
		saviours[i].Distance = int(d)
	}
}
