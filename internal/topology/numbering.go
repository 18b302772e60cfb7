package topology

import (
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// ciNumber is the number of a CI's id. Facts refer to CIs by it, so that they stay as they are when vertices move.
type ciNumber uint32

// numbering says where CIs lie: a permutation of the numbers below its length, made by compaction so that CIs that harm
// each other lie close together. Numbers beyond, those of CIs younger than it, lie at themselves. The zero numbering
// leaves every CI at its number. It never changes.
type numbering struct {
	places  []Vertex   // by number
	numbers []ciNumber // by place
}

func (n *numbering) place(number ciNumber) Vertex {
	if int(number) < len(n.places) {
		return n.places[number]
	}
	return Vertex(number)
}

func (n *numbering) number(v Vertex) ciNumber {
	if int(v) < len(n.numbers) {
		return n.numbers[v]
	}
	return ciNumber(v)
}

func (n *numbering) vertexOf(ci ident.ID) Vertex { return n.place(ciNumber(ci.Number())) }
func (n *numbering) idOf(v Vertex) ident.ID      { return ident.New(ident.CI, int64(n.number(v))) }

// inOrder returns the numbering that lays the vertices of n as order lists them, and how vertices move. order lists
// each vertex once, 0 first, and all that n covers.
func (n *numbering) inOrder(order []Vertex) (numbering, move) {
	next := numbering{make([]Vertex, len(order)), make([]ciNumber, len(order))}
	to := make(move, len(order))
	for at, v := range order {
		next.numbers[at] = n.number(v)
		next.places[next.numbers[at]] = Vertex(at)
		to[v] = Vertex(at)
	}
	return next, to
}

// move says where vertices of one numbering lie in the next. Those beyond it stay.
type move []Vertex

func (m move) vertex(v Vertex) Vertex {
	if int(v) < len(m) {
		return m[v]
	}
	return v
}

func (m move) arc(a Arc) Arc {
	if k := a.Kind(); k == HardArc || k == SoftArc {
		return arcTo(k, uint32(m.vertex(a.Vertex())))
	}
	return a
}

func (m move) row(r row) row {
	moved := row{arcs: make([]Arc, len(r.arcs)), relationships: slices.Clone(r.relationships)}
	for i, a := range r.arcs {
		moved.arcs[i] = m.arc(a)
	}
	return moved
}

// counter returns c moved, with members of its own.
func (m move) counter(c Counter) Counter {
	c.Members = slices.Clone(c.Members)
	m.counterInto(&c)
	return c
}

func (m move) counterInto(c *Counter) {
	c.Dependent = m.vertex(c.Dependent)
	for i := range c.Members {
		c.Members[i].From = m.vertex(c.Members[i].From) // 0 stays 0
	}
}
