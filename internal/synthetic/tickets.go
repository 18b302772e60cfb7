package synthetic

import (
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
)

// story holds the moves of a ticket, until the year ends.
type story[S ~string] struct {
	at, end time.Time
	state   S
	moves   []Move[S]
}

// move adds the next move, after some time. If the year is over by then, it returns false.
func (s *story[S]) move(after time.Duration, to S) bool {
	if s.at = s.at.Add(after); !s.at.Before(s.end) {
		return false
	}
	s.moves = append(s.moves, Move[S]{s.at, s.state, to})
	s.state = to
	return true
}

func (y *yearMaker) incident(at time.Time) Incident {
	i := Incident{OpenedAt: at, Channel: draw(y.random, reportedBy), CIs: y.some(3), CausedBy: -1}
	priority := draw(y.random, priorities)
	i.Impact = max(1, priority-2) + y.random.IntN(min(priority, 6-priority))
	i.Urgency = priority + 1 - i.Impact
	if y.random.Float64() < caused {
		if i.CausedBy = y.changeBefore(at); i.CausedBy >= 0 {
			i.CIs = y.Changes[i.CausedBy].CIs[:1]
		}
	}
	i.Team = y.team(i.CIs[0])
	s := story[domain.IncidentState]{at: at, end: y.end, state: domain.IncidentNew}
	if y.work(&s, priority) {
		i.Resolution = draw(y.random, resolutions)
	}
	i.Moves = s.moves
	i.Marks = y.marks(&i, priority)
	return i
}

// work takes an incident through its states and reports whether it ends resolved.
func (y *yearMaker) work(s *story[domain.IncidentState], priority int) bool {
	takes := patience[priority]
	switch {
	case y.random.IntN(100) == 0:
		s.move(y.around(time.Hour), domain.IncidentCanceled)
		return false
	case !s.move(y.around(takes[0]), domain.IncidentInProgress):
		return false
	case y.random.IntN(5) == 0:
		if !s.move(y.around(takes[1]/4), domain.IncidentOnHold) || !s.move(y.around(takes[1]), domain.IncidentInProgress) {
			return false
		}
	}
	isResolved := s.move(y.around(takes[1]), domain.IncidentResolved)
	for isResolved && y.random.Float64() < reopened {
		if !s.move(y.around(8*time.Hour), domain.IncidentInProgress) {
			return true
		}
		isResolved = s.move(y.around(takes[1]), domain.IncidentResolved)
	}
	if isResolved {
		s.move(5*24*time.Hour, domain.IncidentClosed)
	}
	return isResolved
}

// changeBefore draws one of the changes that ended in the week before. If there is none, it returns -1.
func (y *yearMaker) changeBefore(at time.Time) int32 {
	drafted, _ := slices.BinarySearchFunc(y.Changes, at, func(c Change, at time.Time) int { return c.DraftedAt.Compare(at) })
	for range 100 {
		i := drafted - 1 - y.random.IntN(max(1, len(y.Changes)/20))
		if i < 0 || y.Changes[i].Outcome == "" {
			continue
		}
		if ended := y.Changes[i].Moves[len(y.Changes[i].Moves)-1].At; ended.Before(at) && ended.After(at.AddDate(0, 0, -7)) {
			return int32(i)
		}
	}
	return -1
}

func (y *yearMaker) change(at time.Time) Change {
	c := Change{DraftedAt: at, Type: draw(y.random, kinds), CIs: y.some(3), IsOutage: y.random.IntN(4) == 0}
	c.Team = y.team(c.CIs[0])
	s := story[domain.ChangeState]{at: at, end: y.end, state: domain.ChangeNew}
	if y.carryOut(&s, c.Type) {
		c.Outcome = draw(y.random, outcomes)
	}
	c.Moves = s.moves
	// It was carried out when it was planned, or will be.
	c.PlannedStart = at.Add(10 * 24 * time.Hour)
	for _, m := range c.Moves {
		if m.To == domain.ChangeImplement {
			c.PlannedStart = m.At.Truncate(15 * time.Minute)
		}
	}
	c.PlannedEnd = c.PlannedStart.Add(time.Duration(1+y.random.IntN(8)) * time.Hour)
	return c
}

// carryOut takes a change through its states and reports whether it is closed in the end.
func (y *yearMaker) carryOut(s *story[domain.ChangeState], kind domain.ChangeType) bool {
	steps := map[domain.ChangeType][]domain.ChangeState{
		domain.Standard:  {domain.ChangeScheduled, domain.ChangeImplement, domain.ChangeReview, domain.ChangeClosed},
		domain.Normal:    {domain.ChangeAssess, domain.ChangeAuthorize, domain.ChangeScheduled, domain.ChangeImplement, domain.ChangeReview, domain.ChangeClosed},
		domain.Emergency: {domain.ChangeAuthorize, domain.ChangeScheduled, domain.ChangeImplement, domain.ChangeReview, domain.ChangeClosed},
	}[kind]
	takes := map[domain.ChangeState]time.Duration{
		domain.ChangeAssess: 24 * time.Hour, domain.ChangeAuthorize: 24 * time.Hour, domain.ChangeScheduled: 24 * time.Hour,
		domain.ChangeImplement: 3 * 24 * time.Hour, domain.ChangeReview: 2 * time.Hour, domain.ChangeClosed: 24 * time.Hour,
	}
	if kind == domain.Emergency {
		takes[domain.ChangeAuthorize], takes[domain.ChangeScheduled], takes[domain.ChangeImplement] = time.Hour/2, time.Hour/2, time.Hour/2
	}
	for _, to := range steps {
		if to != domain.ChangeReview && to != domain.ChangeClosed && y.random.IntN(100) == 0 {
			s.move(y.around(time.Hour), domain.ChangeCanceled)
			return false
		}
		if !s.move(y.around(takes[to]), to) {
			return false
		}
	}
	return true
}
