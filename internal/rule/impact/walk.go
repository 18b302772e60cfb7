package impact

import (
	"cmp"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// walk is a breadth-first search along the arcs or against them. It marks each CI with its distance.
type walk struct {
	Limits
	patience
	s       *topology.Snapshot
	m       *scratch
	against bool
	start   []topology.Vertex
	found   []topology.Vertex // start first, then round by round
	whole   Completeness
}

func (w *walk) from(start []topology.Vertex) {
	w.found = w.m.queue
	for _, v := range start {
		w.note(v, 0)
	}
	w.m.queue = w.found
	w.start = slices.Clone(w.found)
	head, depth := 0, uint32(1)
	note := func(v topology.Vertex, _ topology.ArcKind) { w.note(v, depth) }
	for ; head < len(w.found); depth++ {
		end := len(w.found)
		for ; head < end && !w.isSpent(1); head++ {
			w.neighbours(w.found[head], note)
		}
		w.m.queue = w.found
		w.whole.Explored = len(w.found)
		switch {
		case w.err != nil:
			w.whole.cut(Time)
			return
		case w.MaxDepth > 0 && int(depth) > w.MaxDepth:
			if len(w.found) > end {
				w.whole.cut(MaxDepth)
			}
			w.found = w.found[:end]
			return
		case w.MaxCIs > 0 && len(w.found)-len(w.start) > w.MaxCIs:
			w.whole.cut(MaxCIs)
			slices.SortFunc(w.found[end:], func(a, b topology.Vertex) int { return cmp.Compare(w.s.ID(a), w.s.ID(b)) })
			w.found = w.found[:len(w.start)+w.MaxCIs]
			return
		}
	}
}

func (w *walk) note(v topology.Vertex, depth uint32) {
	if _, ok := w.m.marked(v); !ok {
		w.m.mark(v, depth)
		w.found = append(w.found, v)
	}
}

func (w *walk) neighbours(v topology.Vertex, visit func(topology.Vertex, topology.ArcKind)) {
	if w.against {
		w.steps -= eachCause(w.s, v, visit)
	} else {
		w.steps -= eachDependent(w.s, v, visit)
	}
}

// eachDependent visits what v can harm, and says how many arcs that took.
func eachDependent(s *topology.Snapshot, v topology.Vertex, visit func(topology.Vertex, topology.ArcKind)) int {
	arcs := s.Out(v)
	for _, a := range arcs {
		switch k := a.Kind(); k {
		case topology.HardArc, topology.SoftArc:
			visit(a.Vertex(), k)
		case topology.GroupArc, topology.WeightedArc:
			visit(s.Counter(a.Group()).Dependent, k)
		}
	}
	return len(arcs)
}

// eachCause visits what can harm v, the members of its groups one by one, and says how many arcs that took.
func eachCause(s *topology.Snapshot, v topology.Vertex, visit func(topology.Vertex, topology.ArcKind)) int {
	arcs := s.In(v)
	steps := len(arcs)
	for _, a := range arcs {
		switch k := a.Kind(); k {
		case topology.HardArc, topology.SoftArc:
			visit(a.Vertex(), k)
		case topology.GroupArc, topology.WeightedArc:
			members := s.Counter(a.Group()).Members
			steps += len(members)
			for _, m := range members {
				if m.From != 0 {
					visit(m.From, k)
				}
			}
		}
	}
	return steps
}

// narrow walks against the arcs along some kinds only, to CIs that accept takes.
func narrow(s *topology.Snapshot, start []topology.Vertex, along func(topology.ArcKind) bool, accept func(topology.Vertex) bool) {
	m := borrow(s)
	defer m.release()
	queue := slices.Clone(start)
	for _, v := range start {
		m.mark(v, 0)
	}
	for head := 0; head < len(queue); head++ {
		eachCause(s, queue[head], func(v topology.Vertex, k topology.ArcKind) {
			if _, ok := m.marked(v); ok || !along(k) || !accept(v) {
				return
			}
			m.mark(v, 0)
			queue = append(queue, v)
		})
	}
}
