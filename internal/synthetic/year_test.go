package synthetic_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/rule/lifecycle"
	"github.com/linchpin-cmdb/linchpin/internal/synthetic"
)

func TestAYearIsOfTheRatesOfTheLogAndOfAllowedMoves(t *testing.T) {
	e, err := synthetic.New(10_000, 1)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2025, 11, 22, 0, 0, 0, 0, time.UTC)
	y := synthetic.NewYear(e, begin, 1)
	if !reflect.DeepEqual(y, synthetic.NewYear(e, begin, 1)) {
		t.Error("the same seed made another year")
	}
	if len(y.Incidents) != 4_600 || len(y.Changes) != 3_000 {
		t.Fatalf("%d incidents, %d changes", len(y.Incidents), len(y.Changes))
	}
	end, last := begin.AddDate(1, 0, 0), begin
	within := func(at time.Time) {
		if at.Before(last) || !at.Before(end) {
			t.Fatalf("%v comes after %v in the year from %v", at, last, begin)
		}
		last = at
	}
	reopened, caused, resolved := 0, 0, 0
	for _, i := range y.Incidents {
		last = begin
		within(i.OpenedAt)
		state, again := domain.IncidentNew, 0
		for _, m := range i.Moves {
			within(m.At)
			if err := lifecycle.CheckIncident(m.From, m.To); err != nil || m.From != state {
				t.Fatalf("from %s: %v, %v", state, m, err)
			}
			if state = m.To; m.From == domain.IncidentResolved && m.To == domain.IncidentInProgress {
				again++
			}
		}
		if again > 0 {
			reopened++
		}
		if state == domain.IncidentResolved || state == domain.IncidentClosed {
			resolved++
		}
		if i.CausedBy >= 0 {
			caused++
			if c := y.Changes[i.CausedBy]; c.Outcome == "" || !c.Moves[len(c.Moves)-1].At.Before(i.OpenedAt) || c.CIs[0] != i.CIs[0] {
				t.Errorf("%+v is said to be caused by %+v", i, c)
			}
		}
	}
	for _, c := range y.Changes {
		last = begin
		within(c.DraftedAt)
		state := domain.ChangeNew
		for _, m := range c.Moves {
			within(m.At)
			if err := lifecycle.CheckChange(c.Type, m.From, m.To); err != nil || m.From != state {
				t.Fatalf("a %s change from %s: %v, %v", c.Type, state, m, err)
			}
			state = m.To
		}
		if (state == domain.ChangeClosed) != (c.Outcome != "") {
			t.Errorf("a change in %s has the outcome %q", state, c.Outcome)
		}
	}
	for what, n := range map[string][3]int{"opened again": {reopened, 180, 280}, "caused by a change": {caused, 30, 85}, "resolved": {resolved, 4_200, 4_590}} {
		if n[0] < n[1] || n[0] > n[2] {
			t.Errorf("%d of 4,600 incidents are %s: %d to %d expected", n[0], what, n[1], n[2])
		}
	}
}
