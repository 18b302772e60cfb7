package topology

import "github.com/linchpin-cmdb/linchpin/internal/hugepage"

// Vertex is a CI's place in the dense arrays of one Snapshot; 0 is no CI. Two snapshots may place the
// same CI differently: compaction is free to renumber.
type Vertex uint32

// GroupIndex is a dependency group's place in the arrays of one Snapshot.
type GroupIndex uint32

// Arc is one hop of impact in four bytes: two bits of kind, thirty of index. Seen from the cause it names
// the dependent CI or the group through which that CI depends; seen from the dependent it names the cause
// or the group, once, whatever the number of its members.
type Arc uint32

// ArcKind is the upper two bits of an Arc.
type ArcKind uint8

// The kinds of arcs. A weighted arc leads to a group in which members count by weight.
const (
	HardArc ArcKind = iota
	SoftArc
	GroupArc
	WeightedArc
)

const arcIndexBits = 30

func arcTo(k ArcKind, index uint32) Arc { return Arc(uint32(k)<<arcIndexBits | index) }

// Kind returns the way in which impact passes.
func (a Arc) Kind() ArcKind { return ArcKind(a >> arcIndexBits) }

// Vertex returns the other end of a HardArc or SoftArc.
func (a Arc) Vertex() Vertex { return Vertex(a & (1<<arcIndexBits - 1)) }

// Group returns the other end of a GroupArc or WeightedArc.
func (a Arc) Group() GroupIndex { return GroupIndex(a & (1<<arcIndexBits - 1)) }

// adjacency is one direction of the graph: compressed sparse rows, with changed rows laid over them.
// See Saad, Iterative Methods for Sparse Linear Systems, 3.4, for the layout.
type adjacency struct {
	offsets       []uint32 // of vertex v: offsets[v] to offsets[v+1]
	arcs          []Arc
	relationships []uint32
	delta         overlay[row]
}

func (a *adjacency) len() int { return max(len(a.offsets)-1, a.delta.length) }

// arcsOf returns the hot half of a row, with a capacity of its length.
func (a *adjacency) arcsOf(v Vertex) []Arc {
	if r := a.delta.find(uint32(v)); r != nil {
		arcs := r.whole().arcs
		return arcs[:len(arcs):len(arcs)]
	}
	if int(v)+1 < len(a.offsets) {
		from, to := a.offsets[v], a.offsets[v+1]
		return a.arcs[from:to:to]
	}
	return nil
}

func (a *adjacency) row(v Vertex) row { return a.written(v).whole() }

// written returns a row as the last change left it: a long one may be patched.
func (a *adjacency) written(v Vertex) row {
	if r := a.delta.find(uint32(v)); r != nil {
		return *r
	}
	if int(v)+1 < len(a.offsets) {
		from, to := a.offsets[v], a.offsets[v+1]
		return row{arcs: a.arcs[from:to:to], relationships: a.relationships[from:to:to]}
	}
	return row{}
}

// newAdjacency lays out rows by a counting sort in two passes over the arcs of walk, O(n + m).
func newAdjacency(n int, walk func(arc func(at Vertex, a Arc, relationship uint32))) adjacency {
	a := adjacency{offsets: make([]uint32, n+1)}
	walk(func(at Vertex, _ Arc, _ uint32) { a.offsets[at+1]++ })
	for v := range n {
		a.offsets[v+1] += a.offsets[v]
	}
	a.arcs = make([]Arc, a.offsets[n])
	a.relationships = make([]uint32, a.offsets[n])
	next := make([]uint32, n)
	copy(next, a.offsets)
	walk(func(at Vertex, arc Arc, relationship uint32) {
		i := next[at]
		next[at]++
		a.arcs[i], a.relationships[i] = arc, relationship
	})
	return a
}

// moved returns the rows laid out anew, one after the other as in order.
func (a *adjacency) moved(order []Vertex, to move) adjacency {
	moved := adjacency{offsets: hugepage.Make[uint32](len(order)+1, len(order)+1)}
	for at, v := range order {
		moved.offsets[at+1] = moved.offsets[at] + uint32(len(a.arcsOf(v)))
	}
	arcs := int(moved.offsets[len(order)])
	moved.arcs, moved.relationships = hugepage.Make[Arc](arcs, arcs), make([]uint32, arcs)
	for at, v := range order {
		r, from := a.row(v), moved.offsets[at]
		copy(moved.relationships[from:], r.relationships)
		for i, arc := range r.arcs {
			moved.arcs[int(from)+i] = to.arc(arc)
		}
	}
	return moved
}
