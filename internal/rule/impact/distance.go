package impact

import "github.com/linchpin-cmdb/linchpin/internal/topology"

// fromShort is added to the distances that are counted from a CI which is DOWN though nothing failed, so that no path
// from a failed CI goes over one that begins elsewhere.
const fromShort = 1 << 30

// distance returns how far a hit is from where it began.
func (a *Answer) distance(i int32) int {
	if a.of != nil && a.of.tells(i) {
		return int(a.of.distance(i))
	}
	return max(int(a.allDistances()[i]&^fromShort), 0)
}

// allDistances returns the distance of each hit: of those that are told the length of a shortest path from a failed CI
// over others that are told, along arcs that carry; of the rest from what is DOWN by the facts or though nothing
// failed, and fromShort more. An arc carries when it is HARD and its cause is not well, SOFT and its cause DOWN, or
// counted by a group that is broken and its cause not well; the last hop to an AT_RISK CI is from a member that is not
// well, or from a CI on the brink that it cannot spare. It makes a breadth-first search over the hits, or two, when it
// is first called, linear in their arcs.
func (a *Answer) allDistances() []int32 {
	if a.of != nil {
		return a.of.estate.allDistances()
	}
	a.measure.Do(func() {
		m := borrow(a.snapshot)
		defer m.release()
		a.distances = make([]int32, len(a.hits))
		for i, h := range a.hits {
			m.mark(h.vertex, uint32(i))
			a.distances[i] = -1
			if h.has(isNamed) {
				a.distances[i] = 0
				m.queue = append(m.queue, h.vertex)
			}
		}
		for i := range a.tallies {
			t := a.tallies[i]
			*m.tally(t.group) = t
		}
		head := 0
		for ; head < len(m.queue); head++ {
			a.spread(m, m.queue[head], true)
		}
		for i, h := range a.hits {
			if h.isGround() && a.distances[i] < 0 {
				a.distances[i] = fromShort
				m.queue = append(m.queue, h.vertex)
			}
		}
		for ; head < len(m.queue); head++ {
			a.spread(m, m.queue[head], false)
		}
	})
	return a.distances
}

// spread gives the dependents that u harms their distance, unless they have one or are passed over.
func (a *Answer) spread(m *scratch, u topology.Vertex, onlyTold bool) {
	from, _ := m.marked(u)
	state, distance := a.hits[from].state, a.distances[from]+1
	if state.IsWell() {
		if a.hits[from].has(onBrink) {
			a.spreadBrink(m, u, distance, onlyTold)
		}
		return
	}
	for _, arc := range a.snapshot.Out(u) {
		var to topology.Vertex
		least := Degraded
		switch arc.Kind() {
		case topology.SoftArc:
			if state.IsUp() {
				continue
			}
			to = arc.Vertex()
		case topology.HardArc:
			to = arc.Vertex()
		case topology.GroupArc, topology.WeightedArc:
			c, known := a.snapshot.Counter(arc.Group()), len(m.tallies)
			t := m.tally(arc.Group())
			if a.under != nil && len(m.tallies) > known {
				t.unwell = a.unwell(c)
			}
			to = c.Dependent
			if c.Total-t.unwell >= c.Need {
				least = AtRisk
			}
		}
		i, ok := m.marked(to)
		if !ok || a.distances[i] >= 0 || onlyTold && !a.hits[i].isTold() || least == AtRisk && a.hits[i].state != AtRisk && !a.hits[i].isByBrink() {
			continue // excluded, cut, nearer, or harmed by something else
		}
		a.distances[i] = distance
		m.queue = append(m.queue, to)
	}
}

// spreadBrink gives those their distance that u brought to the brink.
func (a *Answer) spreadBrink(m *scratch, u topology.Vertex, distance int32, onlyTold bool) {
	for e := range a.snapshot.Affects(u) {
		if i, ok := m.marked(e.To); ok && a.distances[i] < 0 && (!onlyTold || a.hits[i].isTold()) && a.tips(e) {
			a.distances[i] = distance
			m.queue = append(m.queue, e.To)
		}
	}
}
