package fill

import (
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/synthetic"
)

func TestAnIncidentThatIsOpenAgainAtTheEndOfTheYearIsNotResolved(t *testing.T) {
	e, err := synthetic.New(synthetic.LeastCIs, 1)
	if err != nil {
		t.Fatal(err)
	}
	f := &filler{Estate: e}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	i := synthetic.Incident{OpenedAt: at, CIs: []int32{0}, Team: -1, CausedBy: -1, Impact: 2, Urgency: 3}
	state := domain.IncidentNew
	for _, c := range []struct {
		to                     domain.IncidentState
		isResolved, isReopened bool
	}{
		{domain.IncidentInProgress, false, false},
		{domain.IncidentResolved, true, false},
		{domain.IncidentInProgress, false, true},
		{domain.IncidentOnHold, false, true},
		{domain.IncidentInProgress, false, true},
		{domain.IncidentResolved, true, true},
	} {
		at = at.Add(time.Hour)
		i.Moves = append(i.Moves, synthetic.Move[domain.IncidentState]{At: at, From: state, To: c.to})
		state = c.to
		row := f.incident(0, &i)
		if row.State != state || (row.ResolvedAt != nil) != c.isResolved || c.isResolved && !row.ResolvedAt.Equal(at) || (row.ReopenCount == 1) != c.isReopened {
			t.Errorf("after %v: %s, resolved %v, opened again %d times", i.Moves, row.State, row.ResolvedAt, row.ReopenCount)
		}
		if !row.AcknowledgedAt.Equal(i.Moves[0].At) {
			t.Errorf("acknowledged at %v", row.AcknowledgedAt)
		}
	}
}
