package impact

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// What is broken by itself: docs/impact.md. An estate in which nothing is costs nothing here.

type standingKey struct{}

// standing returns what is broken by itself and what follows, nil if everything stands. It is worked out once for each
// snapshot.
func standing(s *topology.Snapshot) *Answer {
	if !s.HasUnmet() {
		return nil
	}
	return s.Memo(standingKey{}, func() any {
		a, err := solve(noHurry, s, Question{}, nil)
		if err != nil {
			panic(err) // it names no CI, and nobody cancels
		}
		return a
	}).(*Answer)
}

// OfView answers a question on a view of a snapshot, as Of does: what is worse there with the failures than on the
// snapshot without them, and so also what the changes of the view break.
func OfView(ctx context.Context, s, view *topology.Snapshot, q Question) (*Answer, error) {
	without, err := withoutFailures(ctx, s, q)
	if err != nil {
		return nil, err
	}
	return solve(ctx, view, q, without)
}

// withoutFailures answers a question without its failures: a world in which what fails counts as OPERATIONAL: so the
// question answers also for a CI that is DOWN already. It passes over what the snapshot does not know; nil: all is well
// there.
func withoutFailures(ctx context.Context, s *topology.Snapshot, q Question) (*Answer, error) {
	a := standing(s)
	if a == nil {
		return nil, nil
	}
	without := Question{WithoutBrink: q.WithoutBrink}
	changes := false
	for _, ci := range q.Excluded {
		if _, ok := s.Index(ci); ok {
			changes = true
			without.Excluded = append(without.Excluded, ci)
		}
	}
	for _, f := range q.Failed {
		if _, ok := a.find(f.CI); ok {
			changes = true
			without.Excluded = append(without.Excluded, f.CI)
		}
	}
	if !changes {
		return a, nil
	}
	return solve(ctx, s, without, nil)
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

type standingBaselineKey struct{}

// standingBaseline returns standing as a baseline.
func standingBaseline(s *topology.Snapshot) *baseline {
	if !s.HasUnmet() {
		return nil
	}
	return s.Memo(standingBaselineKey{}, func() any {
		b, err := newBaseline(noHurry, s, Question{})
		if err != nil {
			panic(err) // it names no CI, and nobody cancels
		}
		return b
	}).(*baseline)
}
