package impact

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// retraction finds how CIs fare if some of what is DOWN in a world is not said to be. It drops the CIs that may hang on
// it, round by round, but for those that were brought to their state by what was reached before them and is not dropped
// itself. The rest fares as before, so that the dropped ones are closed anew within it (Gupta, Mumick and Subrahmanian,
// "Maintaining Views Incrementally", 1993: delete and rederive, here with the rounds as a sieve).
type retraction struct {
	carrying
	world   *Answer             // that of under, whole
	waiting [][]topology.Vertex // to look at, by the round in which each was reached
}

// retract returns how the CIs of a world fare if nobody said of some that they are DOWN, as an answer that holds only
// the differences. Those that are barred are well whatever they need. It costs the arcs of what may hang on them.
func retract(ctx context.Context, world *Answer, under *fares, from, barred []topology.Vertex) (*Answer, error) {
	s := world.snapshot
	m := borrow(s)
	defer m.release()
	if len(m.seen) < s.Vertices()/64+1 {
		m.seen = make(flags, s.Vertices()/64+1)
	}
	r := retraction{carrying: carrying{propagation{
		Question: Question{WithoutBrink: world.asked.WithoutBrink}, s: s, m: m, patience: patience{ctx: ctx}, under: under, isAnew: true,
	}}, world: world}
	defer r.forget()
	r.gather(from)
	m.forget()
	r.gatherBrink()
	m.forget()
	if r.err != nil {
		return nil, r.err
	}
	for _, v := range barred {
		r.bar(v)
	}
	if r.closeCone(); r.err != nil {
		return nil, r.err
	}
	a := &Answer{Revision: s.Revision(), snapshot: s, under: under}
	for _, v := range m.queue {
		h := hit{vertex: v}
		if at, ok := m.reached(v); ok {
			h = m.hits[at]
		}
		if was := under.at(v); h.state != was.state() || h.has(onBrink) != was.isOnBrink() {
			a.hits = append(a.hits, h)
		}
	}
	return a, nil
}

// gather drops CIs, and all whose states may hang on them.
func (r *retraction) gather(from []topology.Vertex) {
	r.waiting = make([][]topology.Vertex, len(r.world.rounds)+1)
	for _, v := range from {
		r.drop(v)
	}
	for at := range r.waiting {
		for _, v := range r.waiting[at] {
			if !r.holds(v) {
				r.drop(v)
			}
		}
	}
}

func (r *retraction) isDropped(v topology.Vertex) bool { return r.m.seen.has(uint32(v)) }

// drop drops a CI, and lets those be looked at that it may have harmed.
func (r *retraction) drop(v topology.Vertex) {
	at, ok := r.world.place(v)
	if !ok || r.isDropped(v) {
		return
	}
	r.m.seen.set(uint32(v))
	r.m.queue = append(r.m.queue, v)
	state, round := r.world.hits[at].state, r.world.round(at)
	if state.IsWell() {
		return // it harms nobody but by the brink
	}
	r.isSpent(eachDependent(r.s, v, func(u topology.Vertex, k topology.ArcKind) {
		if k != topology.SoftArc || state == Down {
			r.wait(u, round)
		}
	}) + 1)
}

// wait lets a CI be looked at if it was reached after a round: CIs that are said to be DOWN, or are broken by
// themselves, are reached in the first. Those that the brink alone may hold at risk wait for that.
func (r *retraction) wait(v topology.Vertex, after int) {
	at, ok := r.world.place(v)
	if !ok || r.isDropped(v) {
		return
	}
	if h := r.world.hits[at]; h.state == AtRisk && h.has(onBrink) {
		return
	}
	if _, waits := r.m.marked(v); waits {
		return
	}
	if round := r.world.round(at); round > after {
		r.m.mark(v, 0)
		r.waiting[round] = append(r.waiting[round], v)
	}
}

// holds reports whether a CI comes to its state by what was reached before it and is not dropped.
func (r *retraction) holds(v topology.Vertex) bool {
	at, _ := r.world.place(v)
	h, round := r.world.hits[at], r.world.round(at)
	suffers := func(u topology.Vertex, from State) bool {
		cause, ok := r.world.place(u)
		return ok && r.world.hits[cause].state >= from && !r.isDropped(u) && r.world.round(cause) < round
	}
	arcs := r.s.In(v)
	r.isSpent(len(arcs) + 1)
	for _, a := range arcs {
		switch a.Kind() {
		case topology.HardArc:
			if h.state != AtRisk && suffers(a.Vertex(), h.state) {
				return true
			}
		case topology.SoftArc:
			if h.state == Degraded && suffers(a.Vertex(), Down) {
				return true
			}
		case topology.GroupArc, topology.WeightedArc:
			c, lost := r.s.Counter(a.Group()), uint32(0)
			for _, m := range c.Members {
				if m.From != 0 && suffers(m.From, max(h.state, Degraded)) {
					lost += m.Weight
				}
			}
			if h.state == AtRisk && lost > 0 || h.state != AtRisk && c.Total-lost < c.Need {
				return true
			}
		}
	}
	return false
}

// gatherBrink drops the CIs that may be on the brink by those that are dropped.
func (r *retraction) gatherBrink() {
	if r.WithoutBrink {
		return
	}
	r.waiting = make([][]topology.Vertex, len(r.world.brinkRounds)+1)
	for _, v := range r.m.queue {
		r.waitBrink(v)
	}
	for at := range r.waiting {
		for _, v := range r.waiting[at] {
			if !r.holdsBrink(v) {
				r.m.seen.set(uint32(v))
				r.m.queue = append(r.m.queue, v)
				r.waitBrink(v)
			}
		}
	}
}

// waitBrink lets those on the brink be looked at that a CI may have brought there.
func (r *retraction) waitBrink(v topology.Vertex) {
	at, _ := r.world.place(v)
	h, round := r.world.hits[at], 0
	switch {
	case h.state == Down: // groups have lost it: to whatever brings others to the brink
	case h.has(onBrink):
		round = r.world.brinkRound(v) + 1
	default:
		return
	}
	r.isSpent(eachDependent(r.s, v, func(u topology.Vertex, k topology.ArcKind) {
		if k == topology.SoftArc || k == topology.HardArc && h.state == Down || r.isDropped(u) || !r.world.isOnBrink(u) {
			return
		}
		if _, waits := r.m.marked(u); waits {
			return
		}
		if at := r.world.brinkRound(u); at >= round {
			r.m.mark(u, 0)
			r.waiting[at] = append(r.waiting[at], u)
		}
	}) + 1)
}

// holdsBrink reports whether a CI comes to the brink by what is not dropped, of those on the brink by what came to it
// before.
func (r *retraction) holdsBrink(v topology.Vertex) bool {
	round := r.world.brinkRound(v)
	isTipped := func(u topology.Vertex) bool {
		return !r.isDropped(u) && r.world.isOnBrink(u) && r.world.brinkRound(u) < round
	}
	isDown := func(u topology.Vertex) bool { return !r.isDropped(u) && r.world.stateAt(u) == Down }
	arcs := r.s.In(v)
	r.isSpent(len(arcs) + 1)
	for _, a := range arcs {
		switch a.Kind() {
		case topology.HardArc:
			if isTipped(a.Vertex()) {
				return true
			}
		case topology.SoftArc:
		case topology.GroupArc, topology.WeightedArc:
			c, lost := r.s.Counter(a.Group()), uint32(0)
			for _, m := range c.Members {
				if m.From != 0 && isDown(m.From) {
					lost += m.Weight
				}
			}
			if lost > 0 && strains(c, lost, isDown) {
				return true
			}
			for _, m := range c.Members {
				if m.From != 0 && c.Total-lost < c.Need+weightIn(c, m.From) && isTipped(m.From) {
					return true
				}
			}
		}
	}
	return false
}
