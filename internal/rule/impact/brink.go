package impact

import (
	"cmp"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// closeBrink finds what is on the brink (docs/impact.md): the groups that lost a member and hold are looked through,
// then each CI that comes to the brink passes it on along its arcs once. It gives no state but AT_RISK.
func (p *propagation) closeBrink() {
	m := p.m
	start := p.roundOfBrink()
	for i := range len(m.tallies) {
		t := m.tallies[i]
		if c := p.s.Counter(t.group); p.isStrained(c, t.down) {
			p.tip(c.Dependent)
		}
	}
	if p.isAnew {
		p.enterBrink()
	}
	for head := 0; head < len(m.brink); {
		end := len(m.brink)
		if !p.endRoundOfBrink(start) {
			return
		}
		for start = p.roundOfBrink(); head < end; head++ {
			if p.passBrink(m.brink[head]); p.err != nil {
				return
			}
		}
	}
	p.endRoundOfBrink(start)
}

// roundOfBrink begins a round, and says where its hits begin.
func (p *propagation) roundOfBrink() (start int) {
	p.m.brinkRounds = append(p.m.brinkRounds, int32(len(p.m.brink)))
	return len(p.m.hits)
}

// endRoundOfBrink cuts what a round found to the budget.
func (p *propagation) endRoundOfBrink(start int) bool {
	if len(p.m.hits) > start {
		p.m.rounds = append(p.m.rounds, int32(start))
	}
	if p.afford(start) {
		return true
	}
	p.m.brink = slices.DeleteFunc(p.m.brink, func(v topology.Vertex) bool { _, ok := p.m.marked(v); return !ok })
	return false
}

// tip brings a CI to the brink unless it is DOWN or excluded.
func (p *propagation) tip(v topology.Vertex) {
	under := p.fareUnder(v)
	if under.isOnBrink() || under.state() == Down {
		return
	}
	p.note(v, max(AtRisk, under.state()))
	at, ok := p.m.marked(v)
	if !ok || at == isExcluded {
		return
	}
	if h := &p.m.hits[at]; h.state != Down && !h.has(onBrink|isHeld) {
		h.marks |= onBrink
		p.m.brink = append(p.m.brink, v)
	}
}

// passBrink brings to the brink what cannot spare a CI that is on it.
func (p *propagation) passBrink(u topology.Vertex) {
	arcs := p.s.Out(u)
	var own map[topology.GroupIndex]uint32 // what u counts in groups that can spare one of its relationships
	for i, a := range arcs {
		switch a.Kind() {
		case topology.SoftArc:
		case topology.HardArc:
			p.tip(a.Vertex())
		case topology.GroupArc, topology.WeightedArc:
			c, lost, weight := p.s.Counter(a.Group()), p.lostBy(a.Group()), uint32(1)
			if a.Kind() == topology.WeightedArc {
				weight = c.WeightOf(p.s.OutRelationships(u)[i])
			}
			if weight += own[a.Group()]; c.Total-lost < c.Need+weight {
				p.tip(c.Dependent)
				continue
			}
			if own == nil {
				own = map[topology.GroupIndex]uint32{}
			}
			own[a.Group()] = weight
		}
	}
	p.isSpent(len(arcs) + 1)
}

// lostBy returns how much of a group is DOWN.
func (p *propagation) lostBy(g topology.GroupIndex) uint32 {
	if p.under != nil {
		return p.tally(g).down
	}
	if word := p.m.groups[g]; uint32(word>>32) == p.m.epoch {
		return p.m.tallies[uint32(word)].down
	}
	return 0
}

// isStrained reports whether a group that has lost something holds, and would not bear the loss of one CI more that it
// bore with nothing lost.
func (p *propagation) isStrained(c *topology.Counter, lost uint32) bool {
	if lost == 0 || c.Total-lost < c.Need {
		return false
	}
	p.isSpent(len(c.Members))
	return strains(c, lost, func(v topology.Vertex) bool { return p.stateAt(v) == Down })
}

// strains reports whether there is a CI that is up and whose relationships together are more than a group can spare
// now, and no more than it could with nothing lost.
func strains(c *topology.Counter, lost uint32, isDown func(topology.Vertex) bool) bool {
	now, before := c.Total-lost-c.Need, c.Total-c.Need
	fits := func(weight uint32) bool { return weight > now && weight <= before }
	if len(c.Members) <= 8 { // not worth a list
		for _, m := range c.Members {
			if m.From == 0 || isDown(m.From) {
				continue
			}
			weight := uint32(0)
			for _, other := range c.Members {
				if other.From == m.From {
					weight += other.Weight
				}
			}
			if fits(weight) {
				return true
			}
		}
		return false
	}
	var members []topology.Arrival
	for _, m := range c.Members {
		if m.From != 0 && !isDown(m.From) {
			members = append(members, m)
		}
	}
	slices.SortFunc(members, func(a, b topology.Arrival) int { return cmp.Compare(a.From, b.From) })
	weight := uint32(0)
	for i, m := range members {
		weight += m.Weight
		if i+1 == len(members) || members[i+1].From != m.From {
			if fits(weight) {
				return true
			}
			weight = 0
		}
	}
	return false
}

// isSpared reports whether a group of the answer holds without a member that is up.
func (a *Answer) isSpared(g topology.GroupIndex, member topology.Vertex) bool {
	c := a.snapshot.Counter(g)
	left := uint32(0)
	for _, m := range c.Members {
		if m.From != 0 && m.From != member && a.stateAt(m.From).IsUp() {
			left += m.Weight
		}
	}
	return left >= c.Need
}

// isOnBrink reports whether a CI is on the brink in the answer.
func (a *Answer) isOnBrink(v topology.Vertex) bool {
	return a.fareAt(v).isOnBrink()
}

// tips reports whether an edge brings a CI to the brink that depends on one which is on it.
func (a *Answer) tips(e topology.Edge) bool {
	if !a.hitAt(e.To).isByBrink() || !a.isOnBrink(e.From) {
		return false
	}
	if e.Group == 0 {
		return e.Strength == topology.Hard
	}
	return !a.isSpared(e.Group, e.From)
}

// brinkRound returns the number of the round in which a CI came to the brink.
func (a *Answer) brinkRound(v topology.Vertex) int {
	if a.of != nil {
		return a.of.estate.brinkRound(v)
	}
	a.ranked.Do(func() {
		a.brinkAt = make(map[topology.Vertex]int32, len(a.brink))
		round := int32(0)
		for i, v := range a.brink {
			for int(round) < len(a.brinkRounds) && int(a.brinkRounds[round]) <= i {
				round++
			}
			a.brinkAt[v] = round
		}
	})
	return int(a.brinkAt[v])
}

// explainBrink says why a CI is on the brink: a group of it that lost what it could bear, or a CI on the brink that it
// cannot spare and that came to it earlier.
func (a *Answer) explainBrink(i int32, e *Explanation) (causes []int32) {
	v := a.hits[i].vertex
	groups := a.snapshot.GroupsOf(v)
	slices.SortFunc(groups, func(g, other topology.GroupIndex) int {
		return cmp.Compare(a.snapshot.GroupID(g), a.snapshot.GroupID(other))
	})
	isDown := func(v topology.Vertex) bool { return a.stateAt(v) == Down }
	for _, g := range groups {
		state, down, lost := a.tellGroup(g, func(m topology.Arrival) bool { return isDown(m.From) })
		if c := a.snapshot.Counter(g); lost > 0 && strains(c, uint32(lost), isDown) {
			e.Ground, e.Group = BrokenGroup, state
			return down
		}
	}
	var best topology.Edge
	least, round := 0, a.brinkRound(v)
	for edge := range a.snapshot.Needs(v) {
		if !a.isOnBrink(edge.From) || edge.Group == 0 && edge.Strength != topology.Hard || edge.Group != 0 && a.isSpared(edge.Group, edge.From) {
			continue
		}
		if r := a.brinkRound(edge.From); r < round && (best.From == 0 || r < least || r == least && precedes(edge, best)) {
			best, least = edge, r
		}
	}
	cause, _ := a.place(best.From)
	if best.Group != 0 {
		e.Ground = BrokenGroup
		e.Group, causes, _ = a.tellGroup(best.Group, func(m topology.Arrival) bool { return m.From == best.From })
		return causes
	}
	e.Ground, e.Relationship, e.Cause = HardDependency, best.Relationship, a.snapshot.ID(best.From)
	return []int32{cause}
}
