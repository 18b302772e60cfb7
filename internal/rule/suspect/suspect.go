// Package suspect decides which changes may have caused some symptoms, and why: by the times they were carried out, and
// by the ways from the CIs they touched to those that show the symptoms. It does no I/O.
package suspect

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Question is the symptoms, and since when they show.
type Question struct {
	Symptoms []ident.ID // CIs; unknown ones are passed over
	At       time.Time
	Window   time.Duration // how long before a change may have started or ended; one under way may have started earlier
}

// Change is a change that was or is being carried out.
type Change struct {
	ID      ident.ID
	Started time.Time
	Ended   *time.Time // nil while it is being carried out
	Outcome domain.ChangeOutcome
	Touched []ident.ID
	// Undone is the graph as it would be without what the change did to it; nil if it took no ways away.
	Undone *topology.Snapshot
}

// Suspect is a change that may be the cause.
type Suspect struct {
	Change   ident.ID
	Points   int      // the sum of the points of Reasons, 0 to 100
	CI       ident.ID // the touched CI that is nearest to a symptom
	Symptom  ident.ID // that one
	Distance int      // hops between them
	IsGone   bool     // whether the change took the way between them away
	Before   time.Duration
	Shared   int // how many of the symptoms are or need a CI that it touched
	Reasons  []Reason
}

// Reason is one reason to suspect a change.
type Reason struct {
	Kind     domain.SuspectReason
	Points   int // at least 1
	Sentence string
}

// Bounds of the points of each reason; together 100.
const (
	mostTime     = 40
	mostDistance = 30
	mostShared   = 15
	mostRisk     = 10
	mostOutcome  = 5
)

// moment returns the last time at which a change began or ended before the symptoms. If that is not within the window
// and the change was not under way when the symptoms showed, it returns false.
func (q Question) moment(c Change) (time.Time, bool) {
	last, found := c.Started, q.isUnderWay(c)
	for _, at := range []*time.Time{&c.Started, c.Ended} {
		if at != nil && !at.After(q.At) && !at.Before(q.At.Add(-q.Window)) {
			last, found = *at, true
		}
	}
	return last, found
}

// isUnderWay reports whether a change was being carried out when the symptoms showed.
func (q Question) isUnderWay(c Change) bool {
	return !c.Started.After(q.At) && (c.Ended == nil || c.Ended.After(q.At))
}

// Find lists the changes that started or ended within the window, or were under way when the symptoms showed, and
// touched a CI that shows symptoms or that such a CI needs, or needed before the change. The most suspicious come
// first. Its cost is a walk for each symptom, and one more for each change that took ways away.
func Find(ctx context.Context, s *topology.Snapshot, q Question, changes []Change) ([]Suspect, error) {
	touched := map[ident.ID]bool{}
	for _, c := range changes {
		if _, ok := q.moment(c); ok {
			for _, ci := range c.Touched {
				touched[ci] = true
			}
		}
	}
	needs := needs{}
	seen := map[ident.ID]bool{}
	for _, symptom := range q.Symptoms {
		if v, ok := s.Index(symptom); !ok || !s.InService(v) || seen[symptom] {
			continue
		}
		seen[symptom] = true
		if err := needs.add(ctx, s, symptom, func(ci ident.ID) bool { return touched[ci] }); err != nil {
			return nil, err
		}
	}
	var suspects []Suspect
	for _, c := range changes {
		at, ok := q.moment(c)
		if !ok {
			continue
		}
		one, shared := Suspect{Change: c.ID, Before: q.At.Sub(at)}, map[ident.ID]bool{}
		one.take(c, needs, shared, false)
		if c.Undone != nil {
			before, err := neededBefore(ctx, c, seen)
			if err != nil {
				return nil, err
			}
			one.take(c, before, shared, true)
		}
		if one.CI == 0 {
			continue
		}
		one.Shared = len(shared)
		one.weigh(q, c, len(seen))
		suspects = append(suspects, one)
	}
	Sort(suspects)
	return suspects, nil
}

// needs holds, by touched CI, the symptoms that need it.
type needs map[ident.ID][]link

type link struct {
	symptom  ident.ID
	distance int
}

// add adds what a symptom needs on a graph, of the CIs that count.
func (all needs) add(ctx context.Context, s *topology.Snapshot, symptom ident.ID, counts func(ident.ID) bool) error {
	found, err := impact.Dependencies(ctx, s, []ident.ID{symptom}, impact.Limits{})
	if err != nil {
		return err
	}
	all[symptom] = append(all[symptom], link{symptom, 0})
	for _, n := range found.CIs {
		if counts(n.CI) {
			all[n.CI] = append(all[n.CI], link{symptom, n.Distance})
		}
	}
	return nil
}

// neededBefore returns which of the symptoms needed what a change touched, on the graph without what it did.
func neededBefore(ctx context.Context, c Change, symptoms map[ident.ID]bool) (needs, error) {
	before := needs{}
	for symptom := range symptoms {
		if v, ok := c.Undone.Index(symptom); !ok || !c.Undone.InService(v) {
			continue
		}
		if err := before.add(ctx, c.Undone, symptom, func(ci ident.ID) bool { return slices.Contains(c.Touched, ci) }); err != nil {
			return nil, err
		}
	}
	return before, nil
}

// take notes the symptoms that need what a change touched, and the nearest of them.
func (s *Suspect) take(c Change, needs needs, shared map[ident.ID]bool, isGone bool) {
	for _, ci := range c.Touched {
		for _, l := range needs[ci] {
			shared[l.symptom] = true
			if s.CI == 0 || cmp.Or(cmp.Compare(l.distance, s.Distance), cmp.Compare(ci, s.CI), cmp.Compare(l.symptom, s.Symptom)) < 0 {
				s.CI, s.Symptom, s.Distance, s.IsGone = ci, l.symptom, l.distance, isGone
			}
		}
	}
}

// Sort sorts suspects, the most suspicious first, then the latest.
func Sort(all []Suspect) {
	slices.SortFunc(all, func(a, b Suspect) int {
		return cmp.Or(cmp.Compare(b.Points, a.Points), cmp.Compare(a.Before, b.Before), cmp.Compare(b.Change, a.Change))
	})
}

func (s *Suspect) weigh(q Question, c Change, symptoms int) {
	left, when := max(0, q.Window-s.Before), fmt.Sprintf("It ended %s before.", span(s.Before))
	points := int((mostTime*left + q.Window/2) / max(1, q.Window))
	if q.isUnderWay(c) { // its last step may have been a moment ago
		points = max(points, mostTime/2)
		when = fmt.Sprintf("It started %s before and was still being carried out.", span(s.Before))
	}
	s.add(domain.SuspectTime, points, when)
	where := "It touched a CI that shows the symptoms."
	if s.Distance > 0 {
		where = fmt.Sprintf("It touched a CI %s away from one that shows the symptoms.", count(s.Distance, "step"))
	}
	if s.IsGone {
		where = fmt.Sprintf("It touched a CI that was %s away from one that shows the symptoms, and took the way between them away.", count(s.Distance, "step"))
	}
	s.add(domain.SuspectDistance, 2*mostDistance/(2+s.Distance), where)
	if symptoms > 1 {
		s.add(domain.SuspectShared, mostShared*s.Shared/symptoms, fmt.Sprintf("%d of %d CIs that show symptoms are or need what it touched.", s.Shared, symptoms))
	}
	switch c.Outcome {
	case domain.Failed:
		s.add(domain.SuspectOutcome, mostOutcome, "It failed.")
	case domain.BackedOut:
		s.add(domain.SuspectOutcome, mostOutcome, "It was backed out.")
	case domain.SuccessfulWithIssues:
		s.add(domain.SuspectOutcome, mostOutcome/2, "It had trouble on the way.")
	case domain.Successful:
	}
}

// Weigh adds the points for the risk of the change, 0 to 100.
func (s *Suspect) Weigh(risk int) {
	s.add(domain.SuspectRisk, mostRisk*risk/100, fmt.Sprintf("Its risk is %d of 100.", risk))
}

func (s *Suspect) add(kind domain.SuspectReason, points int, sentence string) {
	if points > 0 {
		s.Points += points
		s.Reasons = append(s.Reasons, Reason{kind, points, sentence})
	}
}

func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

// span returns a time in its largest whole unit.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return count(int(d.Minutes()), "minute")
	case d < 48*time.Hour:
		return count(int(d.Hours()), "hour")
	}
	return count(int(d.Hours()/24), "day")
}
