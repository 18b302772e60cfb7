package impact

import (
	"cmp"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// causes is all that takes part in the state of one CI, as a network of gates: a claim holds if a record states it, if
// the structure of the estate makes it, or if a gate to it opens. Gates open by how much of what they count holds.
type causes struct {
	x       *scene
	nodes   []causeNode
	at      map[statement]int32
	gates   []gate
	records []int32 // that take part, in order
	targets []int32 // what the present state of the CI stands on
	brink   int32   // the one that says that it is on the brink; -1: it is not
}

type causeNode struct {
	statement
	distance int32   // of a shortest way to the CI
	stated   []int32 // the records that say so
	isShort  bool    // it holds though nothing failed
	feeds    []feed
}

// feed is what a claim counts at a gate, and the edge along which it does; none from one claim of a CI to another.
type feed struct {
	gate   int32
	weight uint64
	edge   topology.Edge
}

type gate struct {
	to    int32
	opens uint64 // by so much
}

// causesOf returns what takes part in the state of a CI, in O(arcs to what it finds).
func (x *scene) causesOf(v topology.Vertex) *causes {
	c := &causes{x: x, at: map[statement]int32{}, brink: -1}
	for _, holds := range x.present(v) {
		at := c.node(statement{v, holds}, 0)
		if c.targets = append(c.targets, at); holds == isTipped {
			c.brink = at
		}
	}
	for head := 0; head < len(c.nodes); head++ {
		c.ask(int32(head))
	}
	for i := range c.nodes {
		c.records = append(c.records, c.nodes[i].stated...)
	}
	slices.Sort(c.records)
	c.records = slices.Compact(c.records)
	return c
}

// node returns the place of a claim. That a CI is DOWN comes right after that it is not well.
func (c *causes) node(k statement, distance int32) int32 {
	at, ok := c.at[k]
	if !ok {
		at = int32(len(c.nodes))
		c.at[k] = at
		c.nodes = append(c.nodes, causeNode{statement: k, distance: distance})
		if k.c == isUnwell && c.x.of(k.v)&isDown != 0 {
			c.feed(statement{k.v, isDown}, topology.Edge{}, c.gate(at, 1), 1)
		}
	}
	return at
}

// gate adds a gate to a claim, and returns it.
func (c *causes) gate(to int32, opens uint64) int32 {
	c.gates = append(c.gates, gate{to, opens})
	return int32(len(c.gates) - 1)
}

// feed lets a claim count at a gate.
func (c *causes) feed(k statement, e topology.Edge, gate int32, weight uint64) {
	distance := c.nodes[c.gates[gate].to].distance
	if e.From != 0 {
		distance++
	}
	at := c.node(k, distance)
	c.nodes[at].feeds = append(c.nodes[at].feeds, feed{gate, weight, e})
}

// ask finds what could have brought a claim about.
func (c *causes) ask(at int32) {
	x, n := c.x, c.nodes[at].statement
	one := c.gate(at, 1)
	if n.c == isDown {
		c.nodes[at].stated = x.facts.down[n.v]
		i, _ := x.place(n.v)
		c.nodes[at].isShort = x.hits[i].has(isShort) && x.suffers(n.v)
	}
	if !x.suffers(n.v) {
		return
	}
	byGroup := map[topology.GroupIndex][]topology.Edge{}
	for e := range x.snapshot.Needs(n.v) {
		holds := x.of(e.From)
		switch {
		case e.Group != 0:
			byGroup[e.Group] = append(byGroup[e.Group], e)
		case e.Strength == topology.Hard && n.c != isAtRisk && holds&n.c != 0:
			c.feed(statement{e.From, n.c}, e, one, 1)
		case e.Strength == topology.Soft && n.c == isUnwell && holds&isDown != 0:
			c.feed(statement{e.From, isDown}, e, one, 1)
		}
	}
	groups := make([]topology.GroupIndex, 0, len(byGroup))
	for g := range byGroup {
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b topology.GroupIndex) int { return cmp.Compare(x.snapshot.GroupID(a), x.snapshot.GroupID(b)) })
	for _, g := range groups {
		c.askGroup(n, at, one, x.strain(g), byGroup[g])
	}
}

// askGroup finds what in a group could have brought a claim about.
func (c *causes) askGroup(n statement, at, one int32, t *strain, members []topology.Edge) {
	x := c.x
	weigh := func(e topology.Edge) uint64 { return uint64(t.WeightOf(uint32(e.Relationship.Number()))) }
	lost := func(says claim, opens uint64) {
		gate := c.gate(at, opens)
		for _, e := range members {
			if x.of(e.From)&says != 0 {
				c.feed(statement{e.From, says}, e, gate, weigh(e))
			}
		}
	}
	switch n.c {
	case isDown, isUnwell:
		if t.isBroken(n.c) {
			lost(n.c, uint64(t.Total-t.Need)+1)
		}
	case isAtRisk:
		for _, e := range members {
			if x.of(e.From)&isUnwell != 0 {
				c.feed(statement{e.From, isUnwell}, e, one, 1)
			}
		}
	case isTipped:
		if t.tipsAt > 0 {
			lost(isDown, uint64(t.tipsAt))
		}
		for _, e := range members {
			w := t.weight(e.From)
			if x.of(e.From)&isTipped == 0 || t.spares(w) {
				continue
			}
			if t.Total-t.Need < w { // it could not be spared with nothing lost
				c.feed(statement{e.From, isTipped}, e, one, 1)
				continue
			}
			both := uint64(t.Total) + 1
			gate := c.gate(at, both+uint64(t.Total-t.Need-w)+1)
			c.feed(statement{e.From, isTipped}, e, gate, both)
			for _, other := range members {
				if x.of(other.From)&isDown != 0 {
					c.feed(statement{other.From, isDown}, other, gate, weigh(other))
				}
			}
		}
	}
}

// holds works out which claims hold if some records said nothing; CIs that they rule out stay so.
func (c *causes) holds(without func(record int32) bool) []bool {
	holds, counts := make([]bool, len(c.nodes)), make([]uint64, len(c.gates))
	var queue []int32
	set := func(at int32) {
		if !holds[at] {
			holds[at] = true
			queue = append(queue, at)
		}
	}
	for i, n := range c.nodes {
		if n.isShort || slices.ContainsFunc(n.stated, func(r int32) bool { return !without(r) }) {
			set(int32(i))
		}
	}
	for len(queue) > 0 {
		n := &c.nodes[queue[0]]
		queue = queue[1:]
		for _, f := range n.feeds {
			before := counts[f.gate]
			counts[f.gate] += f.weight
			if g := c.gates[f.gate]; before < g.opens && counts[f.gate] >= g.opens {
				set(g.to)
			}
		}
	}
	return holds
}

// isBetter reports whether the CI would fare better if some records said nothing: in a better state, or off the brink.
func (c *causes) isBetter(without func(record int32) bool) bool {
	holds := c.holds(without)
	if c.brink >= 0 && !holds[c.brink] {
		return true
	}
	for _, at := range c.targets {
		if holds[at] && (at != c.brink || c.nodes[c.targets[0]].c != isUnwell) {
			return false // it is in the state that it is in now
		}
	}
	return true
}

// Cause is a reason for the state of a CI (docs/impact.md, "Causes"): a repair, or what is broken by itself.
type Cause struct {
	Records   []ident.ID   // without which it would fare better; none: CI is broken by itself
	IsMinimal bool         // less than these records do not suffice
	CI        ident.ID     // that lacks something; 0: it is a repair
	Lacks     [][]ident.ID // what each thing that CI lacks hangs on: a relationship and a RETIRED CI, or a group and its RETIRED members
	Paths     [][]Step     // a shortest way to the CI from what each record says, or from the CI that lacks something
}

// MostCauses is how many reasons are told of one CI.
const MostCauses = 20

// The bounds of the search for repairs: records that are tried one by one, and two by two, and claims looked at for it.
const (
	mostSingles = 256
	mostPairs   = 32
	mostClaims  = 1 << 22
)

// CausesOf returns the reasons for the state of each of some CIs on a snapshot: its repairs, by id, and what is broken
// by itself, the nearest first. A repair is a smallest set of records without which it would fare better: sets of one,
// and of the others sets of two. If none of these suffices, or a bound is met, all that take part are one repair that
// is not minimal. A CI that would fare no better without all of them has none.
func CausesOf(s *topology.Snapshot, cis []ident.ID) [][]Cause {
	x, all := sceneOf(s), make([][]Cause, len(cis))
	for i, ci := range cis {
		if v, ok := s.Index(ci); ok {
			all[i] = x.causesOf(v).tell()
		}
	}
	return all
}

func (c *causes) tell() (all []Cause) {
	s := c.x.snapshot
	for _, repair := range c.repairs() {
		one := Cause{Records: c.x.facts.named(repair.records), IsMinimal: repair.isMinimal}
		for _, r := range repair.records {
			one.Paths = append(one.Paths, c.path(func(n *causeNode) bool { return slices.Contains(n.stated, r) }))
		}
		all = append(all, one)
	}
	all = all[:min(len(all), MostCauses)]
	var short []causeNode
	for _, n := range c.nodes {
		if n.isShort {
			short = append(short, n)
		}
	}
	slices.SortFunc(short, func(a, b causeNode) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(s.ID(a.v), s.ID(b.v)))
	})
	for _, n := range short[:min(len(short), MostCauses-len(all))] {
		way := c.path(func(one *causeNode) bool { return one.statement == n.statement })
		all = append(all, Cause{CI: s.ID(n.v), Lacks: lacksOf(s, n.v), IsMinimal: true, Paths: [][]Step{way}})
	}
	return all
}

// lacksOf returns what each thing that a CI lacks hangs on.
func lacksOf(s *topology.Snapshot, v topology.Vertex) (all [][]ident.ID) {
	retired := map[topology.GroupIndex][]ident.ID{}
	for _, e := range s.Retired(v) {
		if e.Group != 0 {
			retired[e.Group] = append(retired[e.Group], s.ID(e.From))
			continue
		}
		all = append(all, []ident.ID{e.Relationship, s.ID(e.From), e.Type})
	}
	for _, g := range s.GroupsOf(v) {
		if s.Counter(g).IsShort() {
			all = append(all, append([]ident.ID{s.GroupID(g)}, retired[g]...))
		}
	}
	return all
}

type repair struct {
	records   []int32
	isMinimal bool
}

func (c *causes) repairs() (found []repair) {
	if len(c.records) == 0 || !c.isBetter(func(int32) bool { return true }) {
		return nil
	}
	left := mostClaims
	betters := func(records ...int32) bool {
		left -= len(c.nodes)
		return c.isBetter(func(r int32) bool { return slices.Contains(records, r) })
	}
	var others []int32
	for _, r := range c.records[:min(len(c.records), mostSingles)] {
		if left >= 0 && betters(r) {
			found = append(found, repair{[]int32{r}, true})
		} else {
			others = append(others, r)
		}
	}
	if len(others) > mostPairs {
		others = nil
	}
	for i, r := range others {
		for _, other := range others[i+1:] {
			if left >= 0 && betters(r, other) {
				found = append(found, repair{[]int32{r, other}, true})
			}
		}
	}
	if len(found) == 0 {
		found = append(found, repair{c.records, len(c.records) == 1})
	}
	return found
}

// path returns a shortest way to the CI from a claim that one chooses, the lowest of several.
func (c *causes) path(from func(*causeNode) bool) (path []Step) {
	s, at := c.x.snapshot, int32(-1)
	for i := range c.nodes {
		n := &c.nodes[i]
		if from(n) && (at < 0 || n.distance < c.nodes[at].distance || n.distance == c.nodes[at].distance && s.ID(n.v) < s.ID(c.nodes[at].v)) {
			at = int32(i)
		}
	}
	for at >= 0 && !slices.Contains(c.targets, at) {
		next := c.next(&c.nodes[at])
		if next.edge.From != 0 {
			path = append(path, stepOf(s, next.edge))
		}
		at = c.gates[next.gate].to
	}
	return path
}

// next returns the first step of a shortest way to the CI, the lowest of several.
func (c *causes) next(n *causeNode) (best *feed) {
	for i := range n.feeds {
		f := &n.feeds[i]
		hops := int32(1)
		if f.edge.From == 0 {
			hops = 0
		}
		if c.nodes[c.gates[f.gate].to].distance+hops != n.distance {
			continue
		}
		if best == nil || best.edge.From != 0 && (f.edge.From == 0 || precedes(f.edge, best.edge)) {
			best = f
		}
	}
	return best
}
