package servicelevel_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/timelineentry"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/servicelevel"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket/tickettest"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// desk is an estate with a calendar around the clock and a clock of its own.
type desk struct {
	*tickettest.Estate
	*servicelevel.Practice
	incidents *incident.Practice
	ctx       context.Context
	calendar  ident.ID
}

var opened = time.Date(2027, 1, 11, 10, 0, 0, 0, time.UTC)

func each(t *testing.T, test func(t *testing.T, d *desk)) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := tickettest.Seed(t, s)
		d := &desk{e, servicelevel.New(s), incident.New(s, e.Graph), auth.With(t.Context(), auth.Dev("olga", auth.Admin)), 0}
		made, err := d.CreateCalendar(d.ctx, servicelevel.CreateCalendar{Name: "always", TimeZone: "UTC", Hours: always()})
		if err != nil {
			t.Fatal(err)
		}
		d.calendar = made.ID
		test(t, d)
	})
}

func always() []domain.WorkingHours {
	var hours []domain.WorkingHours
	for _, d := range domain.Weekday("").Values() {
		hours = append(hours, domain.WorkingHours{Weekday: domain.Weekday(d), From: "00:00", Until: "24:00"})
	}
	return hours
}

// after returns the desk so many hours after the incident was opened.
func (d *desk) after(hours float64) context.Context {
	return store.At(d.ctx, opened.Add(time.Duration(hours*float64(time.Hour))))
}

func (d *desk) promise(t *testing.T, name string, metric domain.ServiceLevelMetric, hours int, adjust ...func(*servicelevel.CreateTarget)) *ent.ServiceLevelTarget {
	t.Helper()
	in := servicelevel.CreateTarget{Name: name, Metric: metric, Duration: time.Duration(hours) * time.Hour, Calendar: d.calendar}
	for _, a := range adjust {
		a(&in)
	}
	made, err := d.CreateTarget(d.ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func (d *desk) open(t *testing.T, cis ...incident.CI) ident.ID {
	t.Helper()
	made, err := d.incidents.Open(d.after(0), incident.Open{Title: "Orders fail", CIs: cis})
	if err != nil {
		t.Fatal(err)
	}
	return made.ID
}

// level returns how the incident stands against its target of a metric.
func (d *desk) level(t *testing.T, id ident.ID, metric domain.ServiceLevelMetric, hours float64) *servicelevel.Level {
	t.Helper()
	row := d.Store.Read.Incident.GetX(d.ctx, id)
	all, err := servicelevel.Levels(d.ctx, d.Store.Read, servicelevel.Incidents(row), d.Store.Now(d.after(hours)))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all[id] {
		if l.Target.Metric == metric {
			return &l
		}
	}
	return nil
}

// said returns what the timeline says of service levels.
func (d *desk) said(id ident.ID) []string {
	var all []string
	for _, e := range d.Store.Read.TimelineEntry.Query().Where(timelineentry.RecordID(id), timelineentry.KindEQ(domain.ServiceLevel)).Order(ent.Asc("id")).AllX(d.ctx) {
		all = append(all, e.Actor+": "+e.Body)
	}
	return all
}

func TestAStopwatchFollowsTheIncident(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.promise(t, "Restored in 4 hours", domain.ResolveMetric, 4)
		d.promise(t, "Taken on in an hour", domain.AcknowledgeMetric, 1)
		id := d.open(t)
		step := func(hours float64, do func(context.Context) (*ent.Incident, error)) {
			t.Helper()
			if _, err := do(d.after(hours)); err != nil {
				t.Fatal(err)
			}
		}
		step(0.5, func(ctx context.Context) (*ent.Incident, error) {
			return d.incidents.Start(ctx, incident.Start{ID: id})
		})
		step(2, func(ctx context.Context) (*ent.Incident, error) {
			return d.incidents.Hold(ctx, incident.Hold{ID: id, Reason: domain.AwaitingVendor})
		})
		if l := d.level(t, id, domain.ResolveMetric, 9); l.State != domain.ServiceLevelPaused || l.Elapsed != 2*time.Hour {
			t.Errorf("on hold: %+v", l)
		}
		step(20, func(ctx context.Context) (*ent.Incident, error) {
			return d.incidents.Start(ctx, incident.Start{ID: id})
		})
		step(21, func(ctx context.Context) (*ent.Incident, error) {
			done, err := d.incidents.Resolve(ctx, incident.Resolve{ID: id, Code: domain.Fixed, Notes: "done"})
			if err != nil {
				return nil, err
			}
			return done.Incident, nil
		})
		if l := d.level(t, id, domain.ResolveMetric, 99); l.State != domain.ServiceLevelMet || l.Elapsed != 3*time.Hour || l.Remaining != time.Hour {
			t.Errorf("resolved: %+v", l)
		}
		step(40, func(ctx context.Context) (*ent.Incident, error) {
			return d.incidents.Reopen(ctx, incident.Reopen{ID: id, Reason: "again"})
		})
		if l := d.level(t, id, domain.ResolveMetric, 40.5); l.State != domain.ServiceLevelRunning || !l.DueAt.Equal(opened.Add(41*time.Hour)) {
			t.Errorf("opened again: %+v", l)
		}
		// Nobody looks at it before it is resolved: the marks are written then, at the time at which they were passed.
		step(42, func(ctx context.Context) (*ent.Incident, error) {
			done, err := d.incidents.Resolve(ctx, incident.Resolve{ID: id, Code: domain.Fixed, Notes: "done"})
			if err != nil {
				return nil, err
			}
			return done.Incident, nil
		})
		if l := d.level(t, id, domain.ResolveMetric, 99); l.State != domain.ServiceLevelBreached || !l.DueAt.Equal(opened.Add(41*time.Hour)) {
			t.Errorf("too late: %+v", l)
		}
		if l := d.level(t, id, domain.AcknowledgeMetric, 99); l.State != domain.ServiceLevelMet || l.Elapsed != 30*time.Minute {
			t.Errorf("taken on: %+v", l)
		}
		want := []string{
			"linchpin: Restored in 4 hours: 75 % of the 4h promised were over at 2027-01-13 02:00:00 UTC.",
			"linchpin: Restored in 4 hours is breached: the 4h promised were over at 2027-01-13 03:00:00 UTC.",
		}
		if got := d.said(id); !slices.Equal(got, want) {
			t.Errorf("the timeline says %q", got)
		}
	})
}

func TestATargetOfTheServiceThatIsConcernedHolds(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.promise(t, "all", domain.ResolveMetric, 24)
		shop := d.promise(t, "shop", domain.ResolveMetric, 4, func(in *servicelevel.CreateTarget) { in.Services = []ident.ID{d.Shop.As(ident.Service)} })
		one := 1
		d.promise(t, "pressing", domain.ResolveMetric, 1, func(in *servicelevel.CreateTarget) { in.Priority = &one })
		for name, c := range map[string]struct {
			cis  []incident.CI
			want string
		}{
			"it names nothing":             {nil, "all"},
			"it names the service":         {[]incident.CI{{ID: d.Shop, Role: domain.AffectedRole}}, "shop"},
			"it excludes the service":      {[]incident.CI{{ID: d.Shop, Role: domain.ExcludedRole}}, "all"},
			"it names what the shop needs": {[]incident.CI{{ID: d.Database, Role: domain.RootRole}}, "shop"},
			"another service":              {[]incident.CI{{ID: d.Mail, Role: domain.AffectedRole}}, "all"},
		} {
			opened := d.open(t, c.cis...)
			if l := d.level(t, opened, domain.ResolveMetric, 1); l == nil || l.Target.Name != c.want {
				t.Errorf("%s: %+v", name, l)
			}
			// As long as it is open, its CIs fail or are ruled out for the next one too.
			if _, err := d.incidents.Cancel(d.after(1), incident.Cancel{ID: opened, Reason: "none"}); err != nil {
				t.Fatal(err)
			}
		}
		id := d.open(t)
		if _, err := d.incidents.Update(d.after(0), incident.Update{ID: id, ImpactLevel: given(1), Urgency: given(1)}); err != nil {
			t.Fatal(err)
		}
		if l := d.level(t, id, domain.ResolveMetric, 0); l.Target.Name != "pressing" {
			t.Errorf("of priority 1: %+v", l)
		}
		if _, err := d.incidents.Cancel(d.after(0), incident.Cancel{ID: id, Reason: "none"}); err != nil {
			t.Fatal(err)
		}
		if l := d.level(t, id, domain.ResolveMetric, 0); l != nil {
			t.Errorf("canceled: %+v", l)
		}
		if _, err := d.DeleteTarget(d.ctx, servicelevel.Delete{ID: shop.ID}); err != nil {
			t.Fatal(err)
		}
	})
}

func given[T any](v T) graphql.Omittable[*T] { return graphql.OmittableOf(&v) }

func TestMarksAreWrittenOnceHoweverManyServersWatch(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.promise(t, "soon", domain.ResolveMetric, 4)
		var ids []ident.ID
		for range 5 {
			ids = append(ids, d.open(t))
		}
		pass := func(hours float64) time.Time {
			t.Helper()
			var wait sync.WaitGroup
			next, failures := make([]time.Time, 4), make([]error, 4)
			for i := range next {
				wait.Go(func() { next[i], failures[i] = servicelevel.New(d.Store).Pass(d.after(hours)) })
			}
			wait.Wait()
			for _, err := range failures {
				if err != nil {
					t.Fatal(err)
				}
			}
			return next[0]
		}
		if next := pass(1); !next.Equal(opened.Add(2 * time.Hour)) { // an hour at most
			t.Errorf("next at %s", next)
		}
		if next := pass(2.5); !next.Equal(opened.Add(3 * time.Hour)) {
			t.Errorf("next at %s", next)
		}
		for _, step := range []struct {
			hours float64
			want  int
		}{{2.9, 0}, {3.5, 1}, {3.6, 1}, {5, 2}, {6, 2}} {
			pass(step.hours)
			for _, id := range ids {
				if got := d.said(id); len(got) != step.want {
					t.Errorf("after %v hours: %q", step.hours, got)
				}
			}
			if n := d.Store.Read.ServiceLevelMark.Query().CountX(d.ctx); n != step.want*len(ids) {
				t.Errorf("after %v hours: %d marks", step.hours, n)
			}
		}
		revision, _ := d.Store.Revision(d.ctx)
		pass(7)
		if again, _ := d.Store.Revision(d.ctx); again != revision {
			t.Errorf("a pass with nothing to write took revision %d", again)
		}
	})
}

func TestRefusalsNameTheField(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		target := d.promise(t, "soon", domain.ResolveMetric, 4)
		six, text := 6, ""
		for want, try := range map[string]func() error{
			"timeZone INVALID": func() error {
				_, err := d.CreateCalendar(d.ctx, servicelevel.CreateCalendar{Name: "x", TimeZone: "Berlin", Hours: always()})
				return err
			},
			"name ALREADY_EXISTS": func() error {
				_, err := d.CreateCalendar(d.ctx, servicelevel.CreateCalendar{Name: " always ", TimeZone: "UTC", Hours: always()})
				return err
			},
			"hours INVALID": func() error {
				_, err := d.UpdateCalendar(d.ctx, servicelevel.UpdateCalendar{ID: d.calendar, Hours: graphql.OmittableOf[[]domain.WorkingHours](nil)})
				return err
			},
			"id IN_USE": func() error {
				_, err := d.DeleteCalendar(d.ctx, servicelevel.Delete{ID: d.calendar})
				return err
			},
			"id NOT_FOUND": func() error {
				_, err := d.DeleteCalendar(d.ctx, servicelevel.Delete{ID: d.Shop})
				return err
			},
			"priority INVALID": func() error {
				_, err := d.UpdateTarget(d.ctx, servicelevel.UpdateTarget{ID: target.ID, Priority: given(six)})
				return err
			},
			"name REQUIRED": func() error {
				_, err := d.UpdateTarget(d.ctx, servicelevel.UpdateTarget{ID: target.ID, Name: given(text)})
				return err
			},
			"duration INVALID": func() error {
				_, err := d.UpdateTarget(d.ctx, servicelevel.UpdateTarget{ID: target.ID, Duration: given(1500 * time.Millisecond)})
				return err
			},
			"duration REQUIRED": func() error {
				_, err := d.UpdateTarget(d.ctx, servicelevel.UpdateTarget{ID: target.ID, Duration: graphql.OmittableOf[*time.Duration](nil)})
				return err
			},
			"calendar NOT_FOUND": func() error {
				_, err := d.UpdateTarget(d.ctx, servicelevel.UpdateTarget{ID: target.ID, Calendar: given(target.ID)})
				return err
			},
			"services.0 INVALID": func() error {
				_, err := d.UpdateTarget(d.ctx, servicelevel.UpdateTarget{ID: target.ID, Services: graphql.OmittableOf([]ident.ID{d.Server})})
				return err
			},
			"expectedVersion STALE": func() error {
				_, err := d.DeleteTarget(d.ctx, servicelevel.Delete{ID: target.ID, ExpectedVersion: &six})
				return err
			},
		} {
			got := ""
			for path, code := range tickettest.Faults(t, try()) {
				got = path + " " + string(code)
			}
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		viewer := auth.With(t.Context(), auth.Dev("vera", auth.Operator))
		if _, err := d.DeleteTarget(viewer, servicelevel.Delete{ID: target.ID}); errs.CodeOf(err) != errs.Forbidden {
			t.Errorf("an operator takes a promise back: %v", err)
		}
		same, err := d.UpdateTarget(d.ctx, servicelevel.UpdateTarget{ID: target.ID, Duration: given(4 * time.Hour), Priority: graphql.OmittableOf[*int](nil)})
		if err != nil || same.Version != 1 {
			t.Errorf("nothing new was written: %v, %v", same, err)
		}
		if _, err := d.DeleteTarget(d.ctx, servicelevel.Delete{ID: target.ID}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.DeleteCalendar(d.ctx, servicelevel.Delete{ID: d.calendar}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestClocksStartAtDetectionIfTheTargetSaysSo(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		target := d.promise(t, "Seen", domain.ResolveMetric, 4, func(in *servicelevel.CreateTarget) { in.StartsAtDetection = new(true) })
		open := func(detected time.Time) ident.ID {
			made, err := d.incidents.Open(d.after(0), incident.Open{Title: "Orders fail", DetectedAt: &detected})
			if err != nil {
				t.Fatal(err)
			}
			return made.ID
		}
		early, ahead := open(opened.Add(-3*time.Hour)), open(opened.Add(time.Minute))
		starts := func(id ident.ID, want time.Time, elapsed time.Duration) {
			t.Helper()
			if l := d.level(t, id, domain.ResolveMetric, 0.5); !l.StartedAt.Equal(want) || l.Elapsed != elapsed || !l.DueAt.Equal(want.Add(4*time.Hour)) {
				t.Errorf("it started at %s, %s ago, and is due at %s", l.StartedAt, l.Elapsed, l.DueAt)
			}
		}
		starts(early, opened.Add(-3*time.Hour), 3*time.Hour+30*time.Minute)
		starts(ahead, opened, 30*time.Minute) // whoever noticed it has a clock that is ahead
		if got := d.level(t, early, domain.ResolveMetric, 2); got.State != domain.ServiceLevelBreached {
			t.Errorf("it is %s", got.State)
		}
		no := false
		if _, err := d.UpdateTarget(d.ctx, servicelevel.UpdateTarget{ID: target.ID, StartsAtDetection: graphql.OmittableOf(&no)}); err != nil {
			t.Fatal(err)
		}
		starts(early, opened, 30*time.Minute)
		if got, err := d.UpdateTarget(d.ctx, servicelevel.UpdateTarget{ID: target.ID, StartsAtDetection: graphql.OmittableOf(&no)}); err != nil || got.Version != 2 {
			t.Errorf("the same once more: %v, %v", got, err)
		}
	})
}
