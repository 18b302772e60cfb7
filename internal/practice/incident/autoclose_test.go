package incident_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/timelineentry"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

const week = 7 * 24 * time.Hour

func TestAnIncidentThatStaysResolvedIsClosedWhenItsTimeIsOver(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		resolvedAt := func(after time.Duration) ident.ID {
			id := d.at(0).mustOpen(t, incident.Open{}).ID
			d.mustDo(t, d.at(after).verbs(id)["resolveIncident"])
			return id
		}
		early, late, reopened := resolvedAt(time.Hour), resolvedAt(2*time.Hour), resolvedAt(time.Hour)
		d.mustDo(t, d.at(3 * time.Hour).verbs(reopened)["reopenIncident"])
		open := d.at(0).mustOpen(t, incident.Open{}).ID
		for _, c := range []struct {
			at     time.Duration
			closed int
		}{{week, 0}, {week + time.Hour - time.Microsecond, 0}, {week + time.Hour, 1}, {week + time.Hour, 0}, {3 * week, 1}, {9 * week, 0}} {
			revision, _ := d.Store.Revision(d.ctx)
			n, err := d.CloseResolved(d.at(c.at).ctx, week)
			if err != nil || n != c.closed {
				t.Fatalf("after %s: closed %d, %v, want %d", c.at, n, err, c.closed)
			}
			if now, _ := d.Store.Revision(d.ctx); now != revision+int64(c.closed) {
				t.Errorf("after %s: %d revisions", c.at, now-revision)
			}
		}
		for id, want := range map[ident.ID]domain.IncidentState{early: "CLOSED", late: "CLOSED", reopened: "IN_PROGRESS", open: "NEW"} {
			if is := d.Store.Read.Incident.GetX(d.ctx, id); is.State != want || (is.ClosedAt != nil) != (want == "CLOSED") {
				t.Errorf("%v is %v, want %s", id, is, want)
			}
		}
		told := d.timeline(early)
		last := told[len(told)-1]
		is := d.Store.Read.Incident.GetX(d.ctx, early)
		if !is.ClosedAt.Equal(monday.Add(week+time.Hour)) || is.Version != 3 || last.Actor != "linchpin" || last.FromState != "RESOLVED" || last.ToState != "CLOSED" ||
			last.Body != "Closed by itself: it stayed resolved for 7 days." {
			t.Errorf("closed: %v, %v", is, last)
		}
	})
}

func TestAnIncidentClosedByItselfSaysAfterWhatTime(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		for age, want := range map[time.Duration]string{
			10 * time.Second: "10s", 90 * time.Minute: "1h30m", 36 * time.Hour: "36h", 24 * time.Hour: "a day", 2 * week: "14 days",
		} {
			id := d.at(0).mustOpen(t, incident.Open{}).ID
			d.mustDo(t, d.at(0).verbs(id)["resolveIncident"])
			if n, err := d.CloseResolved(d.at(age).ctx, age); err != nil || n != 1 {
				t.Fatal(n, err)
			}
			if told := d.timeline(id); told[1].Body != "Closed by itself: it stayed resolved for "+want+"." {
				t.Errorf("after %s it says %q", age, told[1].Body)
			}
		}
	})
}

func TestServersThatCloseAtOnceCloseEachIncidentOnce(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		const incidents, servers = 450, 4
		first := d.mustOpen(t, incident.Open{}).ID
		_, err := store.Write(d.ctx, d.Store, store.By{Actor: "seed", Verb: "seed"}, func(ctx context.Context, tx *store.Tx) (int, error) {
			var all []*ent.IncidentCreate
			for range incidents {
				all = append(all, tx.Incident.Create().SetTitle("old").SetImpact(3).SetUrgency(3).SetPriority(5).SetOpenedBy("seed").
					SetState(domain.IncidentResolved).SetResolvedAt(monday).SetDetectedAt(monday).SetCreatedAt(monday).SetUpdatedAt(monday))
			}
			return 0, tx.Incident.CreateBulk(all...).Exec(ctx)
		})
		if err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		closed := make([]int, servers)
		for n := range servers {
			wait.Go(func() {
				var err error
				if closed[n], err = incident.New(d.Store, d.Graph).CloseResolved(d.at(week).ctx, week); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		total := 0
		for _, n := range closed {
			total += n
		}
		told := map[ident.ID]int{}
		for _, e := range d.Store.Read.TimelineEntry.Query().Where(timelineentry.KindNEQ(domain.Edit)).AllX(d.ctx) {
			told[e.RecordID]++
		}
		if total != incidents || len(told) != incidents || told[first] != 0 {
			t.Errorf("closed %d times (%v), %d incidents tell of it", total, closed, len(told))
		}
		for id, n := range told {
			if n != 1 {
				t.Fatalf("%v was closed %d times", id, n)
			}
		}
	})
}
