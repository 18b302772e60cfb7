package impact

import (
	"context"
	"math/bits"

	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// ancestry is all that some CIs need, directly or not, laid out by a depth-first search against the arcs in its
// postorder: causes before what they harm, cycles apart. So what is told from dependents to causes goes through it
// from the end in one pass, and another for what a cycle brings back.
type ancestry struct {
	vertices []topology.Vertex // by place
	rows     []span            // by place
	causes   []uint32          // place<<1, and 1 for a SOFT dependency
	places   map[topology.Vertex]uint32
	cells    []cell // by place; zero between passes
}

// span is a part of a list.
type span struct{ from, to uint32 }

// ancestryOf searches once along each arc of the cone.
func ancestryOf(ctx context.Context, s *topology.Snapshot, of []topology.Vertex) *ancestry {
	m := borrow(s)
	defer m.release()
	a := &ancestry{places: make(map[topology.Vertex]uint32, len(of))}
	type visit struct {
		v    topology.Vertex
		row  span
		next uint32
	}
	var stack []visit
	enter := func(v topology.Vertex) (steps int) {
		if _, ok := m.marked(v); ok {
			return 0
		}
		m.mark(v, isOpen)
		from := uint32(len(a.causes))
		steps = eachCause(s, v, func(cause topology.Vertex, k topology.ArcKind) {
			isSoft := uint32(0)
			if k == topology.SoftArc {
				isSoft = 1
			}
			a.causes = append(a.causes, uint32(cause)<<1|isSoft)
		})
		stack = append(stack, visit{v, span{from, uint32(len(a.causes))}, from})
		return steps
	}
	p := patience{ctx: ctx}
	for _, v := range of {
		enter(v)
		for len(stack) > 0 && !p.isSpent(1) {
			top := &stack[len(stack)-1]
			if top.next < top.row.to {
				top.next++
				p.steps -= enter(topology.Vertex(a.causes[top.next-1] >> 1))
				continue
			}
			m.mark(top.v, uint32(len(a.vertices)))
			a.vertices, a.rows = append(a.vertices, top.v), append(a.rows, top.row)
			stack = stack[:len(stack)-1]
		}
		if p.err != nil {
			return &ancestry{}
		}
	}
	for k, c := range a.causes {
		place, _ := m.marked(topology.Vertex(c >> 1))
		a.causes[k] = place<<1 | c&1
	}
	for _, v := range of {
		a.places[v], _ = m.marked(v)
	}
	a.cells = make([]cell, len(a.vertices))
	return a
}

// count adds to counts, by place, how many of up to 64 CIs need each. Behind SOFT dependencies those in firm are not
// followed.
func (a *ancestry) count(of []topology.Vertex, firm uint64, counts []uint32) {
	for lane, v := range of {
		c := &a.cells[a.places[v]]
		c.down |= 1 << lane
		c.fresh |= 1 << lane
	}
	for top := len(a.cells) - 1; top >= 0; {
		again := -1
		for at := top; at >= 0; at-- {
			in := a.cells[at].fresh
			if in == 0 {
				continue
			}
			a.cells[at].fresh = 0
			row := a.rows[at]
			for _, cause := range a.causes[row.from:row.to] {
				c := &a.cells[cause>>1]
				fresh := in &^ (firm & -uint64(cause&1)) &^ c.down
				if fresh == 0 {
					continue
				}
				c.down |= fresh
				c.fresh |= fresh
				if int(cause>>1) >= at {
					again = max(again, int(cause>>1))
				}
			}
		}
		top = again
	}
	for at := range a.cells {
		counts[at] += uint32(bits.OnesCount64(a.cells[at].down))
		a.cells[at] = cell{}
	}
}
