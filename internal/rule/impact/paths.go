package impact

import (
	"cmp"
	"container/heap"
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// PathLimits bound the search for paths.
type PathLimits struct {
	MaxPaths int // 0 stands for 3
	MaxHops  int // longer paths are not looked for; 0: no limit
}

// PathsAnswer lists paths, the shortest first.
type PathsAnswer struct {
	Revision     int64
	Completeness Completeness // partial when the search met its own bound or the time was over; Explored counts beginnings of paths
	Paths        [][]Step
}

// Paths lists the shortest ways on which impact could pass from one CI to another, whatever strength and groups say:
// none goes through a CI twice, shorter ones come first, and among equals the one whose CIs have the lower ids,
// compared from the start. If two CIs have several relationships, the lowest stands for all: two paths differ in their
// CIs. There is no path from a CI to itself. Errors are those of Of.
//
// One breadth-first search from the end gives every CI its distance to go. Beginnings of paths are then widened best
// first by hops gone and to go, as in A* (Hart, Nilsson and Raphael, 1968); since the distance to go is never too
// high, ends are reached in order. That is O(arcs of the cone) for the search and little more than the paths told in
// common graphs, where Yen's algorithm (1971) would search anew for each hop of each path; a maze of cycles that
// defeats it meets a bound on beginnings, which makes the answer partial.
func Paths(ctx context.Context, s *topology.Snapshot, from, to ident.ID, limits PathLimits) (*PathsAnswer, error) {
	source, err := locate(s, "from", from)
	if err != nil {
		return nil, err
	}
	target, err := locate(s, "to", to)
	if err != nil {
		return nil, err
	}
	if limits.MaxPaths <= 0 {
		limits.MaxPaths = 3
	}
	answer := &PathsAnswer{Revision: s.Revision()}
	if source == target {
		return answer, nil
	}
	m := borrow(s)
	defer m.release()
	w := walk{s: s, m: m, patience: patience{ctx: ctx}, Limits: Limits{MaxDepth: limits.MaxHops}, against: true}
	w.from([]topology.Vertex{target})
	search := pathSearch{s: s, m: m, patience: w.patience, limits: limits, target: target, answer: answer}
	if search.err == nil {
		search.from(source)
	}
	if err := search.verdict(); err != nil {
		return nil, err
	}
	if search.err != nil {
		answer.Completeness.cut(Time)
	}
	return answer, nil
}

// maxBeginnings bounds the memory of one search.
const maxBeginnings = 1 << 17

type pathSearch struct {
	patience
	s      *topology.Snapshot
	m      *scratch // of each CI: how far it is to the target
	limits PathLimits
	target topology.Vertex
	open   beginnings
	answer *PathsAnswer
}

func (p *pathSearch) from(source topology.Vertex) {
	p.open.s = p.s
	p.push(nil, source)
	for p.open.Len() > 0 {
		b := heap.Pop(&p.open).(beginning)
		p.answer.Completeness.Explored++
		last := b.path[len(b.path)-1]
		if last == p.target {
			p.answer.Paths = append(p.answer.Paths, p.steps(b.path))
			if len(p.answer.Paths) == p.limits.MaxPaths {
				return
			}
			continue
		}
		var next []topology.Vertex
		steps := eachDependent(p.s, last, func(v topology.Vertex, _ topology.ArcKind) { next = append(next, v) })
		slices.Sort(next)
		for _, v := range slices.Compact(next) {
			p.push(b.path, v)
		}
		if p.isSpent(steps) {
			return
		}
		if p.answer.Completeness.Explored+p.open.Len() > maxBeginnings {
			p.answer.Completeness.cut(MaxCIs)
			return
		}
	}
}

// push adds a beginning unless it leads nowhere, in a circle, or too far.
func (p *pathSearch) push(path []topology.Vertex, v topology.Vertex) {
	toGo, ok := p.m.marked(v)
	hops := len(path) + int(toGo)
	if ok && (p.limits.MaxHops == 0 || hops <= p.limits.MaxHops) && !slices.Contains(path, v) {
		heap.Push(&p.open, beginning{append(slices.Clip(path), v), hops})
	}
}

// steps names the relationships of a path.
func (p *pathSearch) steps(path []topology.Vertex) []Step {
	steps := make([]Step, len(path)-1)
	for i := range steps {
		var best topology.Edge
		for e := range p.s.Needs(path[i+1]) {
			if e.From == path[i] && (best.From == 0 || precedes(e, best)) {
				best = e
			}
		}
		steps[i] = stepOf(p.s, best)
	}
	return steps
}

// beginning is a path from the source, and the hops that the shortest way on makes in all.
type beginning struct {
	path []topology.Vertex
	hops int
}

// beginnings is a heap, the one that promises the first path on top.
type beginnings struct {
	s    *topology.Snapshot
	heap []beginning
}

func (b *beginnings) Len() int { return len(b.heap) }

func (b *beginnings) Less(i, j int) bool {
	x, y := b.heap[i], b.heap[j]
	return cmp.Or(cmp.Compare(x.hops, y.hops), slices.CompareFunc(x.path, y.path, func(v, w topology.Vertex) int {
		return cmp.Compare(b.s.ID(v), b.s.ID(w))
	})) < 0
}

func (b *beginnings) Swap(i, j int) { b.heap[i], b.heap[j] = b.heap[j], b.heap[i] }
func (b *beginnings) Push(x any)    { b.heap = append(b.heap, x.(beginning)) }

func (b *beginnings) Pop() any {
	last := b.heap[len(b.heap)-1]
	b.heap = b.heap[:len(b.heap)-1]
	return last
}
