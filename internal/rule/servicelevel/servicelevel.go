// Package servicelevel measures records against service level targets: which target holds, and how its stopwatch
// stands. The stopwatch is computed anew each time from the record's moves, so that it cannot drift. It refuses to know
// what time it is.
package servicelevel

import (
	"cmp"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/calendar"
)

// Target is a promise: records of a type and a priority are acknowledged or resolved within so much working time.
type Target struct {
	ID       ident.ID
	Of       domain.RecordType
	Metric   domain.ServiceLevelMetric
	Priority *int       // nil: any
	Services []ident.ID // none: all
	Duration time.Duration
}

// Match returns the target that holds for a record of a priority that concerns services: of the fitting targets for the
// metric the one with the shortest duration, and of several the oldest. If none fits, it returns nil.
func Match(targets []*Target, metric domain.ServiceLevelMetric, priority int, services []ident.ID) *Target {
	var best *Target
	for _, t := range targets {
		fits := t.Metric == metric && (t.Priority == nil || *t.Priority == priority) &&
			(len(t.Services) == 0 || slices.ContainsFunc(t.Services, func(s ident.ID) bool { return slices.Contains(services, s) }))
		if fits && (best == nil || cmp.Or(cmp.Compare(t.Duration, best.Duration), cmp.Compare(t.ID, best.ID)) < 0) {
			best = t
		}
	}
	return best
}

// Move is a change of a record's state.
type Move struct {
	At time.Time
	To string
}

// Percents of the duration at which a stopwatch has a mark: a warning, and the breach.
var Percents = []int{75, 100}

// Mark is a share of the duration.
type Mark struct {
	Percent int
	// At is when that share had passed, or will have unless the clock stops; nil while the clock stands.
	At        *time.Time
	IsReached bool
}

// Stopwatch is the standing of a record against a target.
type Stopwatch struct {
	State     domain.ServiceLevelState
	StartedAt time.Time
	// StoppedAt is when the record was acknowledged or resolved; nil before.
	StoppedAt *time.Time
	// DueAt is when the duration had passed or will have, or would have if the clock had not stopped for good; nil if
	// it is paused before that.
	DueAt     *time.Time
	Elapsed   time.Duration // working time
	Remaining time.Duration // working time; 0 after a breach
	Marks     []Mark        // in the order of Percents
}

// Measure returns the stopwatch of a record, computed from its moves, the oldest first. It runs, pauses and stops by
// the table of the record's type, and goes on from there if the record is opened again; with the metric ACKNOWLEDGE it
// stops for good when somebody starts to work. The target is breached if the clock goes on past the duration, whatever
// happens then.
func Measure(t *Target, c *calendar.Calendar, opened time.Time, moves []Move, now time.Time) Stopwatch {
	w := &watch{Stopwatch: Stopwatch{StartedAt: opened, Marks: make([]Mark, len(Percents))}, target: t, calendar: c}
	for i, p := range Percents {
		w.Marks[i].Percent = p
	}
	at, phase := opened, Runs
	for _, m := range append(slices.Clip(moves), Move{At: now, To: ""}) {
		until := m.At
		if until.Before(at) { // the clocks of two servers differ
			until = at
		}
		if phase == Runs {
			w.run(at, until)
		}
		at = until
		if m.To == "" {
			break
		}
		before := phase
		if phase = w.phaseOf(m.To); phase == Stops && before != Stops {
			stop := at
			w.StoppedAt = &stop
		} else if phase != Stops {
			w.StoppedAt = nil
		}
		if phase == Stops && t.Metric == domain.AcknowledgeMetric {
			break
		}
	}
	w.conclude(phase)
	return w.Stopwatch
}

type watch struct {
	Stopwatch
	target   *Target
	calendar *calendar.Calendar
	ahead    [2]*time.Time // when each of Percents would be reached, by the last run
}

func (w *watch) phaseOf(state string) Phase {
	p, _ := PhaseIn(w.target.Of, w.target.Metric, state)
	if p == Void {
		return Stops
	}
	return p
}

// run lets the clock go from one instant to another.
func (w *watch) run(from, until time.Time) {
	for i := range w.Marks {
		m := &w.Marks[i]
		if m.IsReached {
			continue
		}
		w.ahead[i] = nil
		portion := w.target.Duration * time.Duration(m.Percent) / 100
		if at, ok := w.calendar.After(from, portion-w.Elapsed); ok {
			w.ahead[i] = &at
			if at.Before(until) {
				m.At, m.IsReached = &at, true
			}
		}
	}
	w.Elapsed += w.calendar.Elapsed(from, until)
}

func (w *watch) conclude(now Phase) {
	last := len(w.Marks) - 1
	w.Remaining = max(0, w.target.Duration-w.Elapsed)
	switch {
	case w.Marks[last].IsReached:
		w.State, w.DueAt = domain.ServiceLevelBreached, w.Marks[last].At
		return
	case now == Pauses:
		w.State = domain.ServiceLevelPaused
		return
	case now == Stops:
		w.State = domain.ServiceLevelMet
	default:
		w.State = domain.ServiceLevelRunning
		for i := range w.Marks {
			if !w.Marks[i].IsReached {
				w.Marks[i].At = w.ahead[i]
			}
		}
	}
	w.DueAt = w.ahead[last]
}
