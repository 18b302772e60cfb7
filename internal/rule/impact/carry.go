package impact

import (
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// estateFares returns how the CIs of the estate fare, by the facts and by what is broken by itself. It is carried from
// snapshot to snapshot: a write costs the cone of what it touches, and nothing if it touches no CI.
func estateFares(s *topology.Snapshot) *fares {
	return s.Carried(func(before any, touched []topology.Vertex) any {
		if before != nil {
			if f, ok := carry(s, before.(*fares), touched); ok {
				return f
			}
		}
		return faresOf(world(s, true, false))
	}).(*fares)
}

// carryAnyway is how many CIs are worked out beside the rest, however few the others are that do not fare well.
const carryAnyway = 256

// carry works out how CIs fare of which some were touched since it was known. All that these can harm is worked out
// anew, by arcs of whatever strength and whatever groups say; the rest needs nothing of it, and so fares as before. So
// does a touched CI that was OPERATIONAL and needs nothing that fares worse: no proof goes over it. It returns false if
// working out everything anew is likely to cost less.
func carry(s *topology.Snapshot, before *fares, touched []topology.Vertex) (after *fares, ok bool) {
	if len(touched) == 0 {
		return before, true
	}
	m := borrow(s)
	defer m.release()
	if len(m.seen) < s.Vertices()/64+1 {
		m.seen = make(flags, s.Vertices()/64+1)
	}
	c := carrying{propagation{s: s, m: m, patience: patience{ctx: noHurry}, under: before, isAnew: true}}
	defer c.forget()
	if !c.gather(touched, before.unwell/2+carryAnyway) {
		return nil, false
	}
	if len(m.queue) == 0 {
		return before, true
	}
	c.solve()
	edit := before.edit()
	for _, v := range m.queue {
		f := fare(0)
		if at, ok := m.reached(v); ok {
			f = fareOf(m.hits[at])
		}
		edit.set(v, f)
	}
	return &edit.fares, true
}

// carrying is the propagation within a cone, listed in m.queue and marked in m.seen. The rest fares as before, whatever
// becomes of the cone, and comes in along the arcs that lead into it.
type carrying struct{ propagation }

// gather finds all that the touched CIs can harm, themselves included; false if it is more than most.
func (c *carrying) gather(touched []topology.Vertex, most int) bool {
	m := c.m
	note := func(v topology.Vertex, _ topology.ArcKind) {
		if int(v) < c.s.Vertices() && !m.seen.has(uint32(v)) {
			m.seen.set(uint32(v))
			m.queue = append(m.queue, v)
		}
	}
	facts := FactsOf(c.s)
	for _, v := range touched {
		if !c.stands(facts, v) {
			note(v, 0)
		}
	}
	for head := 0; head < len(m.queue); head++ {
		if eachDependent(c.s, m.queue[head], note); len(m.queue) > most {
			return false
		}
	}
	return true
}

// stands reports whether a CI was OPERATIONAL before, and still has no reason to be anything else.
func (c *carrying) stands(facts *Facts, v topology.Vertex) bool {
	if c.under.at(v) != 0 || len(facts.down[v]) > 0 || int(v) < c.s.Vertices() && c.s.IsUnmet(v) {
		return false
	}
	isWell := true
	eachCause(c.s, v, func(u topology.Vertex, _ topology.ArcKind) { isWell = isWell && c.under.at(u) == 0 })
	return isWell
}

func (c *carrying) forget() {
	for _, v := range c.m.queue {
		c.m.seen.clear(uint32(v))
	}
}

func (c *carrying) isOutside(v topology.Vertex) bool { return !c.m.seen.has(uint32(v)) }

// solve closes the cone as the estate is closed.
func (c *carrying) solve() {
	c.takeFactsOfCone()
	c.closeCone()
}

// closeCone closes the cone when what is said of it is known.
func (c *carrying) closeCone() {
	for _, v := range c.m.queue {
		if c.s.IsUnmet(v) {
			c.reach(v, Down)
			if at, ok := c.m.reached(v); ok {
				c.m.hits[at].marks |= isShort
			}
		}
		c.enter(v)
	}
	c.closeDown()
	c.closeDegraded()
	c.closeAtRisk()
}

// takeFactsOfCone notes what records say of the cone.
func (c *carrying) takeFactsOfCone() {
	f := FactsOf(c.s)
	if len(f.down)+len(f.excluded) > len(c.m.queue) {
		for _, v := range c.m.queue {
			c.takeFact(f, v)
		}
		return
	}
	for v := range f.down {
		c.takeFact(f, v)
	}
	for v := range f.excluded {
		if len(f.down[v]) == 0 {
			c.takeFact(f, v)
		}
	}
}

func (c *carrying) takeFact(f *Facts, v topology.Vertex) {
	switch {
	case c.isOutside(v):
	case len(f.down[v]) > 0:
		c.stated = append(c.stated, v)
	case len(f.excluded[v]) > 0:
		c.bar(v)
	}
}

// enter lets what is outside of the cone do to a CI in it what it does, but for the brink.
func (c *carrying) enter(v topology.Vertex) {
	for _, a := range c.s.In(v) {
		switch a.Kind() {
		case topology.HardArc:
			switch c.fareUnder(a.Vertex()).state() {
			case Down:
				c.reach(v, Down)
			case Degraded:
				c.m.weak = append(c.m.weak, v)
			case AtRisk, Operational:
			}
		case topology.SoftArc:
			if c.fareUnder(a.Vertex()).state() == Down {
				c.m.weak = append(c.m.weak, v)
			}
		case topology.GroupArc, topology.WeightedArc:
			g := c.s.Counter(a.Group())
			if slices.ContainsFunc(g.Members, func(m topology.Arrival) bool { return !c.fareUnder(m.From).state().IsWell() }) {
				if t := c.tally(a.Group()); g.Total-t.down < g.Need {
					c.reach(v, Down)
				}
			}
		}
	}
}

// enterBrink lets the CIs on the brink outside of the cone tip those in it that cannot spare them.
func (p *propagation) enterBrink() {
	for _, v := range p.m.queue {
		for _, a := range p.s.In(v) {
			switch a.Kind() {
			case topology.HardArc:
				if p.fareUnder(a.Vertex()).isOnBrink() {
					p.tip(v)
				}
			case topology.SoftArc:
			case topology.GroupArc, topology.WeightedArc:
				p.enterBrinkOf(a.Group())
			}
		}
	}
}

func (p *propagation) enterBrinkOf(g topology.GroupIndex) {
	c := p.s.Counter(g)
	for _, m := range c.Members {
		if m.From != 0 && p.fareUnder(m.From).isOnBrink() && c.Total-p.lostBy(g) < c.Need+weightIn(c, m.From) {
			p.tip(c.Dependent)
			return
		}
	}
}

// weightIn returns what a CI counts in a group, its relationships together.
func weightIn(c *topology.Counter, v topology.Vertex) (sum uint32) {
	for _, m := range c.Members {
		if m.From == v {
			sum += m.Weight
		}
	}
	return sum
}
