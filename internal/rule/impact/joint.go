package impact

import (
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Fall is what is DOWN when some CIs are, what is broken by itself included, and what groups that still hold have lost
// then. It tells less than an Answer and costs a fraction of one. It is not for several goroutines.
type Fall struct {
	down     []topology.Vertex
	isSorted bool
	strained []tally
}

// FallOf returns the fall of CIs of a snapshot. If the context ends, it returns the context's error: half a fall says
// nothing.
func FallOf(ctx context.Context, s *topology.Snapshot, of []topology.Vertex) (*Fall, error) {
	m := borrow(s)
	defer m.release()
	p := propagation{s: s, m: m, patience: patience{ctx: ctx}, down: of}
	p.fallShort()
	if p.closeDown(); p.err != nil {
		return nil, p.err
	}
	f := &Fall{down: make([]topology.Vertex, len(m.hits))}
	for i, h := range m.hits {
		f.down[i] = h.vertex
	}
	for _, t := range m.tallies {
		if c := s.Counter(t.group); c.Total-t.down >= c.Need {
			f.strained = append(f.strained, t)
		}
	}
	return f, nil
}

// Has reports whether the CI at v falls.
func (f *Fall) Has(v topology.Vertex) bool {
	if !f.isSorted {
		slices.Sort(f.down)
		f.isSorted = true
	}
	_, ok := slices.BinarySearch(f.down, v)
	return ok
}

// Outage is an estate in which some CIs are DOWN already, to see what else goes DOWN when others do too. It is not for
// several goroutines, and Release gives its memory back.
type Outage struct {
	p     propagation
	falls int // hits that make up the estate as it is
}

// OutageOf returns the estate of a snapshot with some CIs DOWN.
func OutageOf(ctx context.Context, s *topology.Snapshot, down []topology.Vertex) (*Outage, error) {
	b := &Outage{p: propagation{s: s, m: borrow(s), patience: patience{ctx: ctx}, down: down}}
	b.p.fallShort()
	if b.p.closeDown(); b.p.err != nil {
		b.Release()
		return nil, b.p.err
	}
	b.falls = len(b.p.m.hits)
	return b, nil
}

// Release ends the use of the outage.
func (b *Outage) Release() { b.p.m.release() }

// IsDown reports whether the CI at v is DOWN already.
func (b *Outage) IsDown(v topology.Vertex) bool {
	_, ok := b.p.m.marked(v)
	return ok
}

// Down returns all that is DOWN already, in no order.
func (b *Outage) Down() []topology.Vertex {
	down := make([]topology.Vertex, b.falls)
	for i, h := range b.p.m.hits[:b.falls] {
		down[i] = h.vertex
	}
	return down
}

// Strained lists the groups that have members DOWN and still enough up, in order: what one failure more may break.
func (b *Outage) Strained() []topology.GroupIndex {
	var groups []topology.GroupIndex
	for _, t := range b.p.m.tallies {
		if c := b.p.s.Counter(t.group); t.down > 0 && c.Total-t.down >= c.Need {
			groups = append(groups, t.group)
		}
	}
	slices.Sort(groups)
	return groups
}

// BreaksWith lists the groups that hold here and in a fall of the same snapshot and break when both come together, in
// order. If there are none, nothing else goes DOWN either: what is DOWN here or falls there is closed under the rules
// then, since what a HARD dependency takes down falls with its cause, and a group that breaks by members of one side
// alone has broken there. O(members of the strained groups that both share and that may break).
func (b *Outage) BreaksWith(f *Fall) (broken []topology.GroupIndex) {
	m := b.p.m
	for _, t := range f.strained {
		word := m.groups[t.group]
		if uint32(word>>32) != m.epoch {
			continue
		}
		c, own := b.p.s.Counter(t.group), m.tallies[uint32(word)].down
		if own == 0 || c.Total-own < c.Need || c.Total-min(c.Total, own+t.down) >= c.Need {
			continue
		}
		lost := uint32(0) // what both lose counts once
		for _, member := range c.Members {
			if member.From != 0 && (b.IsDown(member.From) || f.Has(member.From)) {
				lost += member.Weight
			}
		}
		if c.Total-lost < c.Need {
			broken = append(broken, t.group)
		}
	}
	slices.Sort(broken)
	return broken
}

// With gives what goes DOWN beside what is DOWN already when others do too, these included. The outage stays as it was.
// It costs what it gives.
func (b *Outage) With(down []topology.Vertex) ([]topology.Vertex, error) {
	p := &b.p
	p.head = b.falls
	p.fail(down, Down, isNamed)
	p.rounds(p.passDown)
	more := make([]topology.Vertex, 0, len(p.m.hits)-b.falls)
	for i, h := range p.m.hits[b.falls:] {
		more = append(more, h.vertex)
		p.m.unmark(h.vertex)
		if b.falls+i < p.head {
			b.restore(h.vertex)
		}
	}
	p.m.hits, p.m.weak, p.m.rounds = p.m.hits[:b.falls], p.m.weak[:0], p.m.rounds[:0]
	return more, p.err
}

// restore gives groups back the members that the fall of u took from them. It leaves the count of unwell members, which
// an outage does not tell.
func (b *Outage) restore(u topology.Vertex) {
	for i, a := range b.p.s.Out(u) {
		if k := a.Kind(); k == topology.GroupArc || k == topology.WeightedArc {
			_, t, lost := b.p.lose(u, a, i)
			t.down -= lost
		}
	}
}

// Hop returns the step by which a member of a group harms the CI that depends on the group. If the CI is not a member,
// it returns false.
func Hop(s *topology.Snapshot, member topology.Vertex, g topology.GroupIndex) (Step, bool) {
	var best topology.Edge
	for e := range s.Affects(member) {
		if e.Group == g && (best.From == 0 || precedes(e, best)) {
			best = e
		}
	}
	if best.From == 0 {
		return Step{}, false
	}
	return stepOf(s, best), true
}

// Thinned lists the groups that hold, or make their CI DEGRADED at most, and lose a member by the failures of the
// question, in order; isThinner says which of them have members that are not well without these.
func (a *Answer) Thinned() (groups []topology.GroupIndex, isThinner map[topology.GroupIndex]bool) {
	isThinner = map[topology.GroupIndex]bool{}
	for i, h := range a.hits {
		if !a.tells(int32(i)) || h.state.IsWell() || h.state == h.without {
			continue
		}
		for _, arc := range a.snapshot.Out(h.vertex) {
			if k := arc.Kind(); k != topology.GroupArc && k != topology.WeightedArc {
				continue
			}
			g := arc.Group()
			c := a.snapshot.Counter(g)
			if a.stateAt(c.Dependent) == Down || slices.Contains(groups, g) {
				continue
			}
			groups = append(groups, g)
			isThinner[g] = slices.ContainsFunc(c.Members, func(m topology.Arrival) bool {
				return m.From != 0 && !a.Without(a.snapshot.ID(m.From)).IsWell()
			})
		}
	}
	slices.Sort(groups)
	return groups, isThinner
}

// DownMember returns the member of a group that the answer tells to be DOWN and that passes, the nearest to what
// failed, then the lowest. If there is none, it returns false.
func (a *Answer) DownMember(g topology.GroupIndex, passes func(topology.Vertex) bool) (ident.ID, bool) {
	var best Hit
	for _, m := range a.snapshot.Counter(g).Members {
		if m.From == 0 || a.stateAt(m.From) != Down || !passes(m.From) {
			continue
		}
		h, ok := a.Hit(a.snapshot.ID(m.From))
		if !ok {
			continue
		}
		if best.CI == 0 || h.Distance < best.Distance || h.Distance == best.Distance && h.CI < best.CI {
			best = h
		}
	}
	return best.CI, best.CI != 0
}
