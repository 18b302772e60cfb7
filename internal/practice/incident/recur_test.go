package incident_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent/externalidentity"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

var monday = time.Date(2027, 1, 11, 10, 0, 0, 0, time.UTC)

// at returns the desk so long after Monday at ten.
func (d desk) at(after time.Duration) desk {
	d.ctx = store.At(d.ctx, monday.Add(after))
	return d
}

func TestTheSameEventComesBackToItsIncidentOrToANewOne(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		for _, c := range []struct {
			name     string
			way      []string // one an hour, from eleven
			detected time.Duration
			state    domain.IncidentState // of the incident that answers
			isNew    bool
			written  bool
		}{
			{"open", nil, 5 * time.Hour, "NEW", false, false},
			{"on hold", []string{"holdIncident"}, 5 * time.Hour, "ON_HOLD", false, false},
			{"resolved, told late", []string{"resolveIncident"}, 30 * time.Minute, "RESOLVED", false, false},
			{"resolved at that moment", []string{"resolveIncident"}, time.Hour, "RESOLVED", false, false},
			{"resolved before", []string{"resolveIncident"}, 5 * time.Hour, "IN_PROGRESS", false, true},
			{"closed, told late", []string{"resolveIncident", "closeIncident"}, 90 * time.Minute, "CLOSED", false, false},
			{"closed before", []string{"resolveIncident", "closeIncident"}, 5 * time.Hour, "NEW", true, true},
			{"canceled, told late", []string{"cancelIncident"}, 30 * time.Minute, "CANCELED", false, false},
			{"canceled before", []string{"cancelIncident"}, 5 * time.Hour, "NEW", true, true},
		} {
			key := &domain.ExternalKey{Source: "zabbix", ExternalID: c.name}
			first := d.at(0).mustOpen(t, incident.Open{ExternalIdentity: key})
			for i, verb := range c.way {
				d.mustDo(t, d.at(time.Duration(i+1) * time.Hour).verbs(first.ID)[verb])
			}
			detected := monday.Add(c.detected)
			revision, _ := d.Store.Revision(d.ctx)
			again := d.at(6*time.Hour).mustOpen(t, incident.Open{Title: "Again", ExternalIdentity: key, DetectedAt: &detected})
			if again.State != c.state || (again.ID != first.ID) != c.isNew {
				t.Errorf("%s: answered with %v", c.name, again)
			}
			if now, _ := d.Store.Revision(d.ctx); (now != revision) != c.written {
				t.Errorf("%s: written %v", c.name, now != revision)
			}
			is := d.Store.Read.Incident.GetX(d.ctx, first.ID)
			told := d.timeline(first.ID)
			switch {
			case c.isNew:
				if is.State != domain.IncidentState(map[bool]string{true: "CANCELED", false: "CLOSED"}[len(c.way) == 1]) || !again.DetectedAt.Equal(detected) {
					t.Errorf("%s: the first is %v, the new one %v", c.name, is, again)
				}
				if last := told[len(told)-1].Body; last != "zabbix reports "+c.name+" again: that is "+incident.Number(again.ID)+" now." {
					t.Errorf("%s: the first says %q", c.name, last)
				}
				if said := d.timeline(again.ID)[0].Body; !strings.HasSuffix(said, "that was "+incident.Number(first.ID)+", which is "+string(is.State)+".") {
					t.Errorf("%s: the new one says %q", c.name, said)
				}
			case c.written:
				last := told[len(told)-1]
				if is.ReopenCount != 1 || is.ResolvedAt != nil || is.ResolutionCode != nil || is.Version != 3 || is.Title == "Again" ||
					last.FromState != "RESOLVED" || last.Body != "zabbix reports "+c.name+" again, noticed at 2027-01-11 15:00:00 UTC." {
					t.Errorf("%s: %v, %v", c.name, is, last)
				}
			}
			owners := d.Store.Read.ExternalIdentity.Query().Where(externalidentity.ExternalID(c.name)).AllX(d.ctx)
			if len(owners) != 1 || owners[0].RecordID != again.ID {
				t.Errorf("%s: the key names %v", c.name, owners)
			}
		}
	})
}

func TestEventsAtOnceOpenOneIncidentAgain(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		for _, end := range [][]string{{"resolveIncident"}, {"resolveIncident", "closeIncident"}} {
			key := &domain.ExternalKey{Source: "zabbix", ExternalID: strings.Join(end, " ")}
			first := d.at(0).mustOpen(t, incident.Open{ExternalIdentity: key}).ID
			for _, verb := range end {
				d.mustDo(t, d.at(time.Hour).verbs(first)[verb])
			}
			var wait sync.WaitGroup
			answered := make([]ident.ID, 8)
			for n := range answered {
				wait.Go(func() {
					is, err := d.Open(d.at(2*time.Hour).ctx, incident.Open{Title: "Again", ExternalIdentity: key})
					if err != nil {
						t.Error(err)
						return
					}
					answered[n] = is.ID
				})
			}
			wait.Wait()
			for _, id := range answered {
				if id != answered[0] || (id == first) != (len(end) == 1) {
					t.Fatalf("%v: answered with %v, the first was %v", end, answered, first)
				}
			}
			if is := d.Store.Read.Incident.GetX(d.ctx, first); is.ReopenCount != 2-len(end) {
				t.Errorf("%v: reopened %d times", end, is.ReopenCount)
			}
		}
	})
}

func TestThePriorityTableIsData(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		admin := auth.With(t.Context(), auth.Dev("ada", auth.Admin))
		set := func(ctx context.Context, level, urgency, to int) error {
			_, err := d.SetPriority(ctx, incident.SetPriority{ImpactLevel: level, Urgency: urgency, Priority: to})
			return err
		}
		old := d.mustOpen(t, incident.Open{})
		for _, to := range []int{5, 5, 1} {
			if err := set(admin, 3, 2, to); err != nil {
				t.Fatal(err)
			}
		}
		if got := d.mustOpen(t, incident.Open{}); got.Priority != 1 || old.Priority != 4 || d.Store.Read.Incident.GetX(d.ctx, old.ID).Priority != 4 {
			t.Errorf("priority %d before, %d after", old.Priority, got.Priority)
		}
		if n := d.Store.Read.PriorityRule.Query().CountX(d.ctx); n != 1 {
			t.Errorf("%d cells", n)
		}
		if err := set(d.ctx, 3, 2, 1); errs.CodeOf(err) != errs.Forbidden {
			t.Errorf("an operator: %v", err)
		}
		for _, odd := range [][3]int{{0, 2, 1}, {1, 4, 1}, {1, 1, 6}} {
			if err := set(admin, odd[0], odd[1], odd[2]); errs.CodeOf(err) != errs.Invalid {
				t.Errorf("%v: %v", odd, err)
			}
		}
	})
}
