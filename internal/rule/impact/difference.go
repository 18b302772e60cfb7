package impact

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// byDifference answers a question beside what has happened already, from how the estate fares: it works out what the
// failures of the question change, and for CIs that are DOWN already what would change if they were well. So it costs
// what is told, and not what has happened. If the question has to be worked out as a whole, it returns nil: nothing has
// happened, it excludes CIs, or it meets a bound.
func byDifference(ctx context.Context, s *topology.Snapshot, q Question) (*Answer, error) {
	under := faresBefore(s, q)
	if under == nil || len(q.Excluded) > 0 {
		return nil, nil
	}
	m := borrow(s)
	defer m.release()
	p := propagation{
		Question: Question{Failed: q.Failed, Maintenance: q.Maintenance, WithoutBrink: q.WithoutBrink},
		s:        s, m: m, patience: patience{ctx: ctx}, under: under,
	}
	if err := p.prepare(); err != nil {
		return nil, err
	}
	facts := &Facts{}
	if q.OnFacts {
		facts = FactsOf(s)
		p.ruleOut(facts)
	}
	now := &Answer{Revision: s.Revision(), snapshot: s, asked: Question{OnFacts: q.OnFacts}, under: under}
	before := now
	if gone := p.downAlready(); len(gone) > 0 {
		now = world(s, q.OnFacts, q.WithoutBrink)
		var err error
		if before, err = retract(ctx, now, under, gone, gone); err != nil {
			return nil, p.hurried(err)
		}
	}
	if q.MaxCIs > 0 {
		p.enough = func() bool { return len(m.hits) > q.MaxCIs+len(p.down)+len(p.weak) }
	}
	p.closeDown()
	p.closeDegraded()
	if p.closeAtRisk(); p.stopped() {
		return nil, p.hurried(p.err)
	}
	a := &Answer{
		Revision: s.Revision(), snapshot: s, asked: q, now: now, before: before, under: under, maxDepth: q.MaxDepth, maintained: p.maintained,
		whole: sync.OnceValue(func() *Answer {
			a, err := ofWhole(noHurry, s, s, q)
			if err != nil {
				panic(err) // all that it names is there, and nobody cancels
			}
			return a
		}),
	}
	if q.OnFacts {
		a.maintained = withMaintained(s, a.maintained)
	}
	a.hits = p.differences(before, facts)
	if q.MaxCIs > 0 && a.beside() > q.MaxCIs {
		return nil, nil
	}
	a.Completeness.Explored = len(a.hits)
	if a.maxDepth > 0 && a.hides() {
		a.Completeness.cut(MaxDepth)
	}
	return a, nil
}

// hurried returns the error of a caller that went away. A deadline is none: what is told by then is worked out as a
// whole.
func (p *propagation) hurried(err error) error {
	p.err = err
	return p.verdict()
}

type faresKey struct{ worldKey }

// faresBefore returns how the CIs fare before a question; nil: all are well.
func faresBefore(s *topology.Snapshot, q Question) *fares {
	onFacts := q.OnFacts && len(FactsOf(s).Records) > 0
	switch {
	case !onFacts && !s.HasUnmet():
		return nil
	case onFacts && !q.WithoutBrink:
		return estateFares(s)
	}
	return s.Memo(faresKey{worldKey{onFacts, q.WithoutBrink}}, func() any { return faresOf(world(s, onFacts, q.WithoutBrink)) }).(*fares)
}

// downAlready lists the failures of the question that are DOWN without it, each once.
func (p *propagation) downAlready() (gone []topology.Vertex) {
	for _, v := range slices.Concat(p.down, p.weak) {
		if p.under.at(v).state() == Down && !slices.Contains(gone, v) {
			gone = append(gone, v)
		}
	}
	return gone
}

// differences returns what is worse than before, and the failures of the question themselves.
func (p *propagation) differences(before *Answer, facts *Facts) (told []hit) {
	p.noteFailures(p.down, Down)
	p.noteFailures(p.weak, Degraded)
	tell := func(h hit, was fare) {
		if h.without = was.state(); was.isOnBrink() {
			h.marks |= onBrinkAnyway
		}
		if len(facts.down[h.vertex]) > 0 {
			h.given = Down
		}
		if h.isTold() {
			told = append(told, h)
		}
	}
	for _, h := range p.m.hits {
		if p.under.at(h.vertex).isOnBrink() && h.state != Down {
			h.marks |= onBrink
		}
		tell(h, before.fareAt(h.vertex))
	}
	for _, h := range before.hits {
		if _, ok := p.m.reached(h.vertex); !ok {
			tell(p.under.hit(h.vertex), fareOf(h))
		}
	}
	return told
}

// noteFailures notes the failures of the question, also those that are as bad without it.
func (p *propagation) noteFailures(failed []topology.Vertex, as State) {
	for _, v := range failed {
		at, ok := p.m.reached(v)
		if !ok {
			at = uint32(len(p.m.hits))
			p.m.mark(v, at)
			p.m.hits = append(p.m.hits, p.under.hit(v))
		}
		h := &p.m.hits[at]
		h.given, h.marks = max(h.given, as), h.marks|isNamed
	}
}

// hit returns a CI as it fares.
func (f *fares) hit(v topology.Vertex) hit {
	h := hit{vertex: v, state: f.at(v).state()}
	if f.at(v).isOnBrink() {
		h.marks = onBrink
	}
	return h
}

// beside counts the hits that were well before and that the question does not name.
func (a *Answer) beside() (n int) {
	for _, h := range a.hits {
		if h.without == Operational && !h.has(isNamed) {
			n++
		}
	}
	return n
}

// fareAt returns how a CI fares in the answer.
func (a *Answer) fareAt(v topology.Vertex) fare {
	if i, ok := a.place(v); ok {
		return fareOf(a.hits[i])
	}
	return a.under.at(v)
}

// hitAt returns the hit of a CI; of one that is not told what it is without the question.
func (a *Answer) hitAt(v topology.Vertex) hit {
	if i, ok := a.place(v); ok {
		return a.hits[i]
	}
	h := a.under.hit(v)
	if h.without = h.state; h.has(onBrink) {
		h.marks |= onBrinkAnyway
	}
	return h
}

// entire returns the answer with all that it stands on, for what is told of that. One that holds differences is worked
// out as a whole when this is first asked for.
func (a *Answer) entire() *Answer {
	if a.whole != nil {
		return a.whole()
	}
	return a
}

type maintainedKey struct{}

// withMaintained adds what is in maintenance by the facts.
func withMaintained(s *topology.Snapshot, asked map[topology.Vertex]bool) map[topology.Vertex]bool {
	facts := s.Memo(maintainedKey{}, func() any {
		all := map[topology.Vertex]bool{}
		for _, ci := range Maintained(s) {
			v, _ := s.Index(ci)
			all[v] = true
		}
		return all
	}).(map[topology.Vertex]bool)
	if len(asked) == 0 {
		return facts
	}
	all := maps.Clone(facts)
	maps.Copy(all, asked)
	return all
}
