package servicelevel_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/calendar"
	"github.com/linchpin-cmdb/linchpin/internal/rule/servicelevel"
)

func weekdays(t testing.TB, days int, from, until string) *calendar.Calendar {
	t.Helper()
	var hours []domain.WorkingHours
	for _, d := range domain.Weekday("").Values()[:days] {
		hours = append(hours, domain.WorkingHours{Weekday: domain.Weekday(d), From: from, Until: until})
	}
	c, err := calendar.New("UTC", hours, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// monday is ten o'clock on a Monday.
var monday = time.Date(2027, 1, 11, 10, 0, 0, 0, time.UTC)

func after(hours float64) time.Time { return monday.Add(time.Duration(hours * float64(time.Hour))) }

func moves(all ...any) []servicelevel.Move {
	var list []servicelevel.Move
	for i := 0; i < len(all); i += 2 {
		list = append(list, servicelevel.Move{At: after(all[i].(float64)), To: string(all[i+1].(domain.IncidentState))})
	}
	return list
}

func TestTheStopwatchFollowsTheStates(t *testing.T) {
	const (
		begin, hold, resolve = domain.IncidentInProgress, domain.IncidentOnHold, domain.IncidentResolved
		met, breached        = domain.ServiceLevelMet, domain.ServiceLevelBreached
		runs, pauses         = domain.ServiceLevelRunning, domain.ServiceLevelPaused
	)
	never := -1.0
	for name, c := range map[string]struct {
		metric  domain.ServiceLevelMetric
		moves   []servicelevel.Move
		now     float64
		state   domain.ServiceLevelState
		elapsed float64
		due     float64
		warned  float64 // when the mark of 75 % was reached
		stopped float64
	}{
		"it runs":                         {domain.ResolveMetric, nil, 1, runs, 1, 4, never, never},
		"it warns":                        {domain.ResolveMetric, nil, 3.5, runs, 3.5, 4, 3, never},
		"it is not breached when due":     {domain.ResolveMetric, nil, 4, runs, 4, 4, 3, never},
		"it is breached afterwards":       {domain.ResolveMetric, nil, 5, breached, 5, 4, 3, never},
		"it goes on when work begins":     {domain.ResolveMetric, moves(1.0, begin), 2, runs, 2, 4, never, never},
		"it pauses":                       {domain.ResolveMetric, moves(1.0, begin, 2.0, hold), 9, pauses, 2, never, never, never},
		"it goes on after a pause":        {domain.ResolveMetric, moves(1.0, begin, 2.0, hold, 12.0, begin), 13, runs, 3, 14, never, never},
		"a breach outlasts a pause":       {domain.ResolveMetric, moves(5.0, hold), 9, breached, 5, 4, 3, never},
		"it is met":                       {domain.ResolveMetric, moves(1.0, begin, 3.0, resolve), 99, met, 3, 4, never, 3},
		"it is missed":                    {domain.ResolveMetric, moves(1.0, begin, 4.5, resolve), 99, breached, 4.5, 4, 3, 4.5},
		"closing changes nothing":         {domain.ResolveMetric, moves(1.0, begin, 3.0, resolve, 50.0, domain.IncidentClosed), 99, met, 3, 4, never, 3},
		"it goes on when opened again":    {domain.ResolveMetric, moves(2.0, resolve, 50.0, begin), 51, runs, 3, 52, never, never},
		"and is missed then":              {domain.ResolveMetric, moves(2.0, resolve, 50.0, begin, 53.0, resolve), 99, breached, 5, 52, 51, 53},
		"taken on":                        {domain.AcknowledgeMetric, moves(1.0, begin), 99, met, 1, 4, never, 1},
		"resolved at once":                {domain.AcknowledgeMetric, moves(1.0, resolve), 99, met, 1, 4, never, 1},
		"taken on late":                   {domain.AcknowledgeMetric, moves(6.0, begin), 99, breached, 6, 4, 3, 6},
		"taken on for good":               {domain.AcknowledgeMetric, moves(1.0, begin, 2.0, resolve, 50.0, begin), 99, met, 1, 4, never, 1},
		"on hold before it was taken on":  {domain.AcknowledgeMetric, moves(1.0, hold, 20.0, begin), 99, met, 1, 4, never, 20},
		"the clock of a server is behind": {domain.ResolveMetric, moves(2.0, hold, 1.5, begin), 3, runs, 3, 4, never, never},
	} {
		w := servicelevel.Measure(&servicelevel.Target{Of: domain.IncidentRecord, Metric: c.metric, Duration: 4 * time.Hour}, weekdays(t, 7, "00:00", "24:00"), monday, c.moves, after(c.now))
		check := func(what string, got *time.Time, want float64) {
			t.Helper()
			if (got == nil) != (want == never) || got != nil && !got.Equal(after(want)) {
				t.Errorf("%s: %s at %v, want %v", name, what, got, want)
			}
		}
		if w.State != c.state || w.Elapsed != time.Duration(c.elapsed*float64(time.Hour)) {
			t.Errorf("%s: %s after %s", name, w.State, w.Elapsed)
		}
		if want := max(0, 4*time.Hour-w.Elapsed); w.Remaining != want {
			t.Errorf("%s: %s remain", name, w.Remaining)
		}
		check("due", w.DueAt, c.due)
		check("stopped", w.StoppedAt, c.stopped)
		if w.Marks[0].IsReached != (c.warned != never) || w.Marks[1].IsReached != (c.state == breached) {
			t.Errorf("%s: %+v", name, w.Marks)
		}
		if c.warned != never {
			check("warned", w.Marks[0].At, c.warned)
		}
	}
}

func TestOnlyWorkingTimeCounts(t *testing.T) {
	office := weekdays(t, 5, "09:00", "17:00")
	w := servicelevel.Measure(&servicelevel.Target{Of: domain.IncidentRecord, Metric: domain.ResolveMetric, Duration: 9 * time.Hour}, office, monday, nil, after(20))
	if w.Elapsed != 7*time.Hour || w.State != domain.ServiceLevelRunning || !w.DueAt.Equal(time.Date(2027, 1, 12, 11, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", w)
	}
	// Seven hours are over at 17:00: an incident that is resolved at night is late.
	w = servicelevel.Measure(&servicelevel.Target{Of: domain.IncidentRecord, Metric: domain.ResolveMetric, Duration: 7 * time.Hour}, office, monday, moves(12.0, domain.IncidentResolved), after(20))
	if w.State != domain.ServiceLevelBreached || !w.DueAt.Equal(after(7)) {
		t.Errorf("%+v", w)
	}
}

func TestTheShortestTargetThatFitsWins(t *testing.T) {
	one := 1
	shop := ident.New(ident.CI, 7)
	target := func(n int64, hours int, adjust func(*servicelevel.Target)) *servicelevel.Target {
		made := &servicelevel.Target{ID: ident.ID(n), Metric: domain.ResolveMetric, Duration: time.Duration(hours) * time.Hour}
		adjust(made)
		return made
	}
	plain := func(*servicelevel.Target) {}
	targets := []*servicelevel.Target{
		target(1, 24, plain), target(2, 8, func(s *servicelevel.Target) { s.Priority = &one }),
		target(3, 4, func(s *servicelevel.Target) { s.Services = []ident.ID{shop} }),
		target(4, 8, func(s *servicelevel.Target) { s.Priority = &one }),
		target(5, 1, func(s *servicelevel.Target) { s.Metric = domain.AcknowledgeMetric }),
	}
	for _, c := range []struct {
		priority int
		services []ident.ID
		want     ident.ID
	}{{3, nil, 1}, {1, nil, 2}, {3, []ident.ID{9, shop}, 3}, {1, []ident.ID{shop}, 3}} {
		if got := servicelevel.Match(targets, domain.ResolveMetric, c.priority, c.services); got == nil || got.ID != c.want {
			t.Errorf("priority %d, services %v: %v", c.priority, c.services, got)
		}
	}
	if got := servicelevel.Match(targets[1:4], domain.ResolveMetric, 2, nil); got != nil {
		t.Errorf("%v fits", got)
	}
}

// TestTheStopwatchNeverDrifts checks that the stopwatch shows the sum of the working time in which the clock went, and
// that the breach is where that sum passes the duration.
func TestTheStopwatchNeverDrifts(t *testing.T) {
	office := weekdays(t, 5, "08:00", "18:30")
	rapid.Check(t, func(t *rapid.T) {
		at, state := monday, domain.IncidentNew
		var all []servicelevel.Move
		var ran time.Duration
		limit := time.Duration(rapid.IntRange(1, 100).Draw(t, "limit")) * time.Hour
		breached := false
		for range rapid.IntRange(0, 12).Draw(t, "moves") {
			next := at.Add(time.Duration(rapid.Int64Range(0, int64(60*time.Hour)).Draw(t, "pause")))
			if state == domain.IncidentNew || state == domain.IncidentInProgress {
				due, _ := office.After(at, limit-ran)
				breached = breached || due.Before(next)
				ran += office.Elapsed(at, next)
			}
			at = next
			state = rapid.SampledFrom([]domain.IncidentState{domain.IncidentInProgress, domain.IncidentOnHold, domain.IncidentResolved}).Draw(t, "state")
			all = append(all, servicelevel.Move{At: at, To: string(state)})
		}
		w := servicelevel.Measure(&servicelevel.Target{Of: domain.IncidentRecord, Metric: domain.ResolveMetric, Duration: limit}, office, monday, all, at)
		if w.Elapsed != ran || (w.State == domain.ServiceLevelBreached) != breached {
			t.Fatalf("%+v, but %s ran and breached is %v", w, ran, breached)
		}
	})
}

func TestTheTableOfATypeNamesEachState(t *testing.T) {
	for _, of := range domain.RecordType("").Values() {
		if len(servicelevel.RunningStates(domain.RecordType(of))) == 0 {
			t.Errorf("no stopwatch of records of the type %s ever runs", of)
		}
	}
	for _, state := range domain.IncidentState("").Values() {
		for _, metric := range domain.ServiceLevelMetric("").Values() {
			if _, ok := servicelevel.PhaseIn(domain.IncidentRecord, domain.ServiceLevelMetric(metric), state); !ok {
				t.Errorf("what does the stopwatch for %s do while an incident is in %s?", metric, state)
			}
		}
	}
}

func TestTheWatchLooksWhereverAStopwatchRuns(t *testing.T) {
	want := []string{string(domain.IncidentNew), string(domain.IncidentInProgress)}
	if got := servicelevel.RunningStates(domain.IncidentRecord); !slices.Equal(got, want) {
		t.Errorf("stopwatches of incidents run in %v: want %v", got, want)
	}
}
