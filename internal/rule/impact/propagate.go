package impact

import (
	"cmp"
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// hit is a CI that is not operational.
type hit struct {
	vertex  topology.Vertex
	state   State
	given   State // what the question or a record said of it; Operational: nothing
	without State // what it is without the failures of the question: only what is worse is told
	marks   uint8
}

const (
	isNamed       = 1 << iota // the question says that it fails
	isHeld                    // it is excluded, and in the state that the question gives it: no other state reaches it
	isShort                   // DOWN though nothing failed
	onBrink                   // up, and one more failure away from DOWN that it bore before: docs/impact.md, "The brink"
	onBrinkAnyway             // also without the failures of the question
)

func (h hit) has(mark uint8) bool { return h.marks&mark != 0 }

// isGround reports whether a hit is DOWN by itself, and not by what is DOWN.
func (h hit) isGround() bool { return h.given == Down || h.has(isShort) }

// isTold reports whether the failures of the question brought a hit about.
func (h hit) isTold() bool { return h.has(isNamed) || h.state > h.without || h.isTipped() }

// isTipped reports whether the failures of the question brought a hit to the brink.
func (h hit) isTipped() bool { return h.marks&(onBrink|onBrinkAnyway) == onBrink }

// isByBrink reports whether the brink is why a hit is told: it is AT_RISK, or its state is what it is without the
// failures.
func (h hit) isByBrink() bool {
	return h.has(onBrink) && (h.state == AtRisk || h.isTipped() && h.state == h.without)
}

const isExcluded = ^uint32(0) // in place of the index of a hit

// Of answers a question on a snapshot: what is worse with its failures than without. The states that the structure of
// the estate brings about (docs/impact.md, "What is broken by itself") are there in both worlds, and so are the facts,
// if it asks of them, and the CIs that it or an incident excludes. A CI that is not known is errs.NotFound; a cancelled
// context is its error, but a deadline that passes makes the answer partial.
//
// The rules (docs/impact.md) are monotone and stratified: what is DOWN depends only on what is DOWN, what is DEGRADED
// on both, AT_RISK on all and nothing on it. So three closures follow each other, each reaches a CI at most once and
// walks the arcs of each CI it reaches once. The brink is a fourth, over those AT_RISK. A group is a counter of members
// lost that fires when too few are left, as in linear-time unit resolution (Dowling and Gallier, "Linear-time
// algorithms for testing the satisfiability of propositional Horn formulae", 1984). Time is linear in the arcs touched,
// memory in the CIs touched. Each closure proceeds in rounds, so that neither the result nor the round in which a state
// is reached depends on the order of arcs.
func Of(ctx context.Context, s *topology.Snapshot, q Question) (*Answer, error) {
	return OfView(ctx, s, s, q)
}

// solve works out the states of a question, and tells those that are worse than in the answer to another one; nil: all.
func solve(ctx context.Context, s *topology.Snapshot, q Question, without *Answer) (*Answer, error) {
	m := borrow(s)
	defer m.release()
	p := propagation{Question: q, s: s, m: m, patience: patience{ctx: ctx}, without: without}
	if err := p.prepare(); err != nil {
		return nil, err
	}
	p.fallShort()
	p.closeDown()
	p.closeDegraded()
	p.closeAtRisk()
	if err := p.verdict(); err != nil {
		return nil, err
	}
	if p.err != nil {
		p.whole.cut(Time)
	}
	return p.answer(), nil
}

type propagation struct {
	Question
	patience
	s          *topology.Snapshot
	m          *scratch
	down, weak []topology.Vertex        // the failed, as given
	stated     []topology.Vertex        // DOWN by the facts
	held       []topology.Vertex        // those of weak that an incident excludes
	barred     []topology.Vertex        // the excluded
	failed     map[topology.Vertex]bool // both, and what is not well without them; nil unless there is a budget
	maintained map[topology.Vertex]bool // nil unless the question names some
	beside     int                      // hits that did not fail; counted only when there is a budget
	head       int                      // hits before it passed on what they have
	whole      Completeness
	within     Cone        // nothing outside is reached; nil: no cone
	enough     func() bool // asked after each CI that passed on; true ends it. nil: never
	without    *Answer     // what there is without the failures; nil: nothing
	under      *fares      // how CIs fare to which this adds; nil: well
	isAnew     bool        // under does not hold of those in m.seen, and no others are reached
}

// fareUnder returns how a CI fares without what is worked out.
func (p *propagation) fareUnder(v topology.Vertex) fare {
	if p.under == nil || p.isAnew && p.m.seen.has(uint32(v)) {
		return 0
	}
	return p.under.at(v)
}

// stateAt returns the state of a CI as far as it is worked out.
func (p *propagation) stateAt(v topology.Vertex) State {
	at, ok := p.m.marked(v)
	switch {
	case !ok:
		return p.fareUnder(v).state()
	case at == isExcluded:
		return Operational
	}
	return p.m.hits[at].state
}

func (p *propagation) prepare() error {
	for _, ci := range p.Excluded {
		v, err := locate(p.s, "excluded", ci)
		if err != nil {
			return err
		}
		p.bar(v)
	}
	for _, f := range p.Failed {
		v, err := locate(p.s, "failed", f.CI)
		if err != nil {
			return err
		}
		switch {
		case f.State != Down && f.State != Degraded:
			return errs.New(errs.Invalid, "%v cannot fail as %v, only as DOWN or DEGRADED", f.CI, f.State).At("failed")
		case !p.s.InService(v):
		case f.State == Down:
			p.down = append(p.down, v)
		default:
			p.weak = append(p.weak, v)
		}
	}
	for _, ci := range p.Maintenance {
		v, err := locate(p.s, "maintenance", ci)
		if err != nil {
			return err
		}
		if p.maintained == nil {
			p.maintained = map[topology.Vertex]bool{}
		}
		p.maintained[v] = true
	}
	if p.OnFacts {
		p.takeFacts()
	}
	if p.MaxCIs > 0 {
		p.failed = make(map[topology.Vertex]bool, len(p.Failed))
		for _, v := range slices.Concat(p.down, p.weak, p.stated) {
			p.failed[v] = true
		}
		if p.without != nil {
			for _, h := range p.without.hits { // they are there anyway
				p.failed[h.vertex] = true
			}
		}
	}
	return nil
}

func (p *propagation) bar(v topology.Vertex) {
	p.m.mark(v, isExcluded)
	p.barred = append(p.barred, v)
}

// takeFacts takes down what records say is DOWN, and excludes what they rule out: but what the question excludes is up,
// and what it says fails does so as it says.
func (p *propagation) takeFacts() {
	f := FactsOf(p.s)
	p.ruleOut(f)
	for _, r := range f.Records {
		p.stated = append(p.stated, r.Down...)
	}
	for _, ci := range f.Maintained {
		if p.maintained == nil {
			p.maintained = map[topology.Vertex]bool{}
		}
		v, _ := p.s.Index(ci)
		p.maintained[v] = true
	}
}

// ruleOut excludes what records rule out.
func (p *propagation) ruleOut(f *Facts) {
	for v := range f.excluded {
		_, ok := p.m.marked(v)
		switch {
		case ok: // by the question
		case len(f.down[v]) > 0 || slices.Contains(p.down, v):
		case slices.Contains(p.weak, v):
			p.m.mark(v, isExcluded)
			p.held = append(p.held, v)
		default:
			p.bar(v)
		}
	}
}

// reach notes that a CI is in a state, unless it was reached before, then worse or as bad, is as bad without what is
// worked out, or is excluded.
func (p *propagation) reach(v topology.Vertex, to State) {
	if p.under == nil || p.fareUnder(v).state() < to {
		p.note(v, to)
	}
}

func (p *propagation) note(v topology.Vertex, to State) {
	if _, ok := p.m.marked(v); ok || p.within != nil && !p.within.Has(v) || p.isAnew && !p.m.seen.has(uint32(v)) {
		return
	}
	p.m.mark(v, uint32(len(p.m.hits)))
	p.m.hits = append(p.m.hits, hit{vertex: v, state: to})
	if p.MaxCIs > 0 && !p.failed[v] {
		p.beside++
	}
}

// fail notes that CIs are said to fail, with marks that say by whom.
func (p *propagation) fail(failed []topology.Vertex, as State, marks uint8) {
	for _, v := range failed {
		p.reach(v, as)
		if at, ok := p.m.marked(v); ok && at != isExcluded {
			h := &p.m.hits[at]
			h.given = max(h.given, as)
			h.marks |= marks
		}
	}
}

// fallShort notes what is DOWN though nothing failed.
func (p *propagation) fallShort() {
	for v := range p.s.Unmet() {
		p.reach(v, Down)
		if at, ok := p.m.marked(v); ok && at != isExcluded {
			p.m.hits[at].marks |= isShort
		}
	}
}

func (p *propagation) closeDown() {
	p.fail(p.stated, Down, 0)
	p.fail(p.down, Down, isNamed)
	p.rounds(p.passDown)
}

// passDown does what the fall of a CI does to its dependents.
func (p *propagation) passDown(u topology.Vertex) {
	arcs, m := p.s.Out(u), p.m
	for i, a := range arcs {
		switch a.Kind() {
		case topology.HardArc:
			if _, ok := m.marked(a.Vertex()); !ok { // most arcs lead where it has been: they are not worth a call
				p.reach(a.Vertex(), Down)
			}
		case topology.SoftArc:
			m.weak = append(m.weak, a.Vertex())
		case topology.GroupArc, topology.WeightedArc:
			c, t, lost := p.lose(u, a, i)
			t.down += lost
			if c.Total-t.down < c.Need {
				p.reach(c.Dependent, Down)
			}
		}
	}
	p.isSpent(len(arcs) + 1)
}

func (p *propagation) lose(u topology.Vertex, a topology.Arc, i int) (c *topology.Counter, t *tally, lost uint32) {
	c, t, lost = p.s.Counter(a.Group()), p.tally(a.Group()), 1
	if a.Kind() == topology.WeightedArc {
		lost = c.WeightOf(p.s.OutRelationships(u)[i])
	}
	if p.under == nil || p.fareUnder(u).state().IsWell() {
		t.unwell += lost
	}
	return c, t, lost
}

// tally returns what a group has lost: at first what it has without what is worked out.
func (p *propagation) tally(g topology.GroupIndex) *tally {
	known := len(p.m.tallies)
	t := p.m.tally(g)
	if p.under != nil && len(p.m.tallies) > known {
		for _, m := range p.s.Counter(g).Members {
			if m.From == 0 {
				continue
			}
			switch p.fareUnder(m.From).state() {
			case Down:
				t.down += m.Weight
				t.unwell += m.Weight
			case Degraded:
				t.unwell += m.Weight
			case AtRisk, Operational:
			}
		}
	}
	return t
}

func (p *propagation) closeDegraded() {
	p.m.rounds = append(p.m.rounds, int32(len(p.m.hits)))
	for _, v := range p.held {
		p.m.unmark(v)
	}
	p.fail(p.held, Degraded, isHeld)
	p.fail(p.weak, Degraded, isNamed)
	if p.stopped() {
		return
	}
	from := len(p.m.hits)
	for _, v := range p.m.weak {
		p.reach(v, Degraded)
	}
	if p.under != nil { // what is DEGRADED under it was not passed on
		for _, t := range p.m.tallies {
			if c := p.s.Counter(t.group); c.Total-t.unwell < c.Need {
				p.reach(c.Dependent, Degraded)
			}
		}
	}
	if !p.afford(from) {
		return
	}
	p.m.rounds = p.m.rounds[:len(p.m.rounds)-1] // rounds begins it again
	p.rounds(p.passDegraded)
}

// passDegraded does what the weakness of a CI does to its dependents.
func (p *propagation) passDegraded(u topology.Vertex) {
	arcs, m := p.s.Out(u), p.m
	for i, a := range arcs {
		switch a.Kind() {
		case topology.HardArc:
			if _, ok := m.marked(a.Vertex()); !ok {
				p.reach(a.Vertex(), Degraded)
			}
		case topology.SoftArc:
		case topology.GroupArc, topology.WeightedArc:
			if c, t, _ := p.lose(u, a, i); c.Total-t.unwell < c.Need {
				p.reach(c.Dependent, Degraded)
			}
		}
	}
	p.isSpent(len(arcs) + 1)
}

func (p *propagation) closeAtRisk() {
	if p.stopped() {
		return
	}
	from := len(p.m.hits)
	p.m.rounds = append(p.m.rounds, int32(from))
	for i := range p.m.tallies {
		p.reach(p.s.Counter(p.m.tallies[i].group).Dependent, AtRisk) // a broken group has reached it before
	}
	if p.afford(from) && !p.WithoutBrink {
		p.closeBrink()
	}
}

// rounds passes on what is new until nothing is. A round is what the round before brought about.
func (p *propagation) rounds(pass func(topology.Vertex)) {
	for p.head < len(p.m.hits) {
		end := len(p.m.hits)
		p.m.rounds = append(p.m.rounds, int32(p.head))
		for ; p.head < end; p.head++ {
			if pass(p.m.hits[p.head].vertex); p.err != nil {
				return
			}
			if p.enough != nil && p.enough() {
				p.whole.cut(MaxCIs)
				return
			}
		}
		if !p.afford(end) {
			return
		}
	}
}

// afford cuts the hits that begin at from to what the budget leaves, by id; failed CIs stay.
func (p *propagation) afford(from int) bool {
	if p.MaxCIs <= 0 || p.beside <= p.MaxCIs {
		return true
	}
	p.whole.cut(MaxCIs)
	p.whole.Explored = len(p.m.hits)
	slices.SortFunc(p.m.hits[from:], func(a, b hit) int {
		return cmp.Or(compareFlags(p.failed[b.vertex], p.failed[a.vertex]), cmp.Compare(p.s.ID(a.vertex), p.s.ID(b.vertex)))
	})
	for i := from; i < len(p.m.hits); i++ {
		p.m.mark(p.m.hits[i].vertex, uint32(i))
	}
	keep := len(p.m.hits) - (p.beside - p.MaxCIs)
	for _, h := range p.m.hits[keep:] {
		p.m.unmark(h.vertex)
	}
	p.m.hits = p.m.hits[:keep]
	return false
}

func (p *propagation) stopped() bool { return p.whole.IsPartial || p.err != nil }

func (p *propagation) answer() *Answer {
	a := &Answer{
		Revision: p.s.Revision(), Completeness: p.whole, snapshot: p.s, asked: p.Question, before: p.without, maxDepth: p.MaxDepth,
		hits: slices.Clone(p.m.hits), rounds: slices.Clone(p.m.rounds), tallies: slices.Clone(p.m.tallies),
		maintained: p.maintained, brink: slices.Clone(p.m.brink), brinkRounds: slices.Clone(p.m.brinkRounds),
	}
	a.Completeness.Explored = max(a.Completeness.Explored, len(a.hits)) - a.leaveOut(p.without)
	if a.maxDepth > 0 && a.hides() {
		a.Completeness.cut(MaxDepth)
	}
	return a
}
