package impact

import (
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// OfView answers a question on a view of a snapshot, as Of does: what is worse there with the failures than on the
// snapshot without them, and so also what the changes of the view break.
func OfView(ctx context.Context, s, view *topology.Snapshot, q Question) (*Answer, error) {
	if s == view {
		if a, err := byDifference(ctx, s, q); a != nil || err != nil {
			return a, err
		}
	}
	return ofWhole(ctx, s, view, q)
}

// ofWhole works out all that holds with the failures, and without.
func ofWhole(ctx context.Context, s, view *topology.Snapshot, q Question) (*Answer, error) {
	now, without, err := withoutFailures(ctx, s, q)
	if err != nil {
		return nil, err
	}
	a, err := solve(ctx, view, q, without)
	if err == nil {
		a.now = now
	}
	return a, err
}

// withoutFailures answers a question without its failures: a world in which a CI counts as OPERATIONAL that is DOWN
// already and fails by the question, so that this is answered too; and the world in which it counts as it is. It passes
// over what the snapshot does not know; nil: all is well there. An estate in which nothing is broken costs nothing
// here.
func withoutFailures(ctx context.Context, s *topology.Snapshot, q Question) (now, before *Answer, err error) {
	a := world(s, q.OnFacts, q.WithoutBrink)
	if a == nil {
		return nil, nil, nil
	}
	without := Question{OnFacts: q.OnFacts, WithoutBrink: q.WithoutBrink}
	for _, ci := range q.Excluded {
		if _, ok := s.Index(ci); ok {
			without.Excluded = append(without.Excluded, ci)
		}
	}
	if len(without.Excluded) > 0 {
		if a, err = solve(ctx, s, without, nil); err != nil {
			return nil, nil, err
		}
	}
	known := len(without.Excluded)
	for _, f := range q.Failed {
		if a.TrueState(f.CI) == Down {
			without.Excluded = append(slices.Clip(without.Excluded), f.CI)
		}
	}
	if len(without.Excluded) == known {
		return a, a, nil
	}
	before, err = solve(ctx, s, without, nil)
	return a, before, err
}

// leaveOut notes what each hit is in another answer, and counts those that are not told for it.
func (a *Answer) leaveOut(without *Answer) (n int) {
	if without == nil {
		return 0
	}
	for i := range a.hits {
		h := &a.hits[i]
		if j, ok := without.find(a.snapshot.ID(h.vertex)); ok {
			h.without = without.hits[j].state
			if without.hits[j].has(onBrink) {
				h.marks |= onBrinkAnyway
			}
		}
		if !h.isTold() {
			n++
		}
	}
	return n
}

// DownAlready counts the CIs that are DOWN without the failures of a question, that a filter chooses, and that the
// failures would take DOWN or degrade if nothing else had failed. It costs another answer.
func (a *Answer) DownAlready(ctx context.Context, keep func(topology.CI) bool) (n int, err error) {
	if a.before == nil {
		return 0, nil
	}
	m := borrow(a.snapshot)
	defer m.release()
	p := propagation{Question: Question{Failed: a.asked.Failed, Excluded: a.asked.Excluded}, s: a.snapshot, m: m, patience: patience{ctx: ctx}}
	if err := p.prepare(); err != nil {
		return 0, err
	}
	if a.asked.OnFacts {
		for v := range FactsOf(a.snapshot).excluded {
			if !slices.Contains(p.down, v) && !slices.Contains(p.weak, v) {
				p.bar(v)
			}
		}
	}
	p.closeDown()
	p.closeDegraded()
	if p.err != nil {
		return 0, p.err
	}
	for _, h := range m.hits {
		if ci := a.snapshot.CI(h.vertex); !h.has(isNamed) && a.before.TrueState(ci.ID) == Down && (keep == nil || keep(ci)) {
			n++
		}
	}
	return n, nil
}
