package read

import (
	"context"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/calendar"
	"github.com/linchpin-cmdb/linchpin/ent/servicelevelmark"
	"github.com/linchpin-cmdb/linchpin/ent/serviceleveltarget"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	practice "github.com/linchpin-cmdb/linchpin/internal/practice/servicelevel"
	rule "github.com/linchpin-cmdb/linchpin/internal/rule/servicelevel"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Calendar is when people work, as clients see it.
type Calendar struct{ *ent.Calendar }

// IsNode marks records with a global id.
func (*Calendar) IsNode() {}

func asCalendars(rows []*ent.Calendar) []*Calendar {
	all := make([]*Calendar, len(rows))
	for i, row := range rows {
		all[i] = &Calendar{row}
	}
	return all
}

// ShowCalendar shows a calendar that a verb returned.
func (r *Reader) ShowCalendar(row *ent.Calendar) *Calendar { return &Calendar{row} }

func loadCalendars(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*Calendar, error) {
	rows, err := r.store.Show.Calendar.Query().Where(having(calendar.FieldID, ids)).All(ctx)
	return index(asCalendars(rows), func(c *Calendar) ident.ID { return c.ID }), store.Translate(err)
}

// Hours returns the working hours of a week.
func (c *Calendar) Hours() []*domain.WorkingHours { return pointers(c.Calendar.Hours) }

// Holidays returns the days on which nobody works.
func (c *Calendar) Holidays() []*domain.Holiday { return pointers(c.Calendar.Holidays) }

// Calendars lists calendars by name.
func (r *Reader) Calendars(ctx context.Context, p page.Args) (*page.Connection[*Calendar], error) {
	return page.List[*ent.Calendar, *Calendar]{
		Name: "calendars", Wrap: asCalendars,
		Order: []page.Term[*ent.Calendar]{
			page.By(calendar.FieldName, func(e *ent.Calendar) string { return e.Name }), page.By(calendar.FieldID, func(e *ent.Calendar) ident.ID { return e.ID }),
		},
		Query: func(ctx context.Context, modify func(*sql.Selector)) ([]*ent.Calendar, error) {
			q := r.store.Show.Calendar.Query()
			q.Modify(modify)
			return translated(q.All(ctx))
		},
	}.Page(ctx, p)
}

// ServiceLevelTarget is a promise as clients see it.
type ServiceLevelTarget struct {
	*ent.ServiceLevelTarget
	in *batch[*ServiceLevelTarget]
}

// IsNode marks records with a global id.
func (*ServiceLevelTarget) IsNode() {}

func (r *Reader) wrapTargets(rows []*ent.ServiceLevelTarget) []*ServiceLevelTarget {
	b := newBatch(r, make([]*ServiceLevelTarget, len(rows)))
	for i, row := range rows {
		b.Rows[i] = &ServiceLevelTarget{row, b}
	}
	return b.Rows
}

// ShowServiceLevelTarget shows a target that a verb returned.
func (r *Reader) ShowServiceLevelTarget(row *ent.ServiceLevelTarget) *ServiceLevelTarget {
	return r.wrapTargets([]*ent.ServiceLevelTarget{row})[0]
}

func loadTargets(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*ServiceLevelTarget, error) {
	rows, err := r.store.Show.ServiceLevelTarget.Query().Where(having(serviceleveltarget.FieldID, ids)).All(ctx)
	return index(r.wrapTargets(rows), func(t *ServiceLevelTarget) ident.ID { return t.ID }), store.Translate(err)
}

// Duration returns how much working time may pass.
func (t *ServiceLevelTarget) Duration() time.Duration { return time.Duration(t.Seconds) * time.Second }

// Calendar says what working time is.
func (t *ServiceLevelTarget) Calendar(ctx context.Context) (*Calendar, error) {
	return one(ctx, t.in, t, "calendar", func(t *ServiceLevelTarget) *ident.ID { return &t.CalendarID }, loadCalendars)
}

// Services returns the services the target is for. If it is for all, it returns none.
func (t *ServiceLevelTarget) Services(ctx context.Context) ([]*Service, error) {
	found, err := several(ctx, t.in, t, "services", func(t *ServiceLevelTarget) []ident.ID { return t.ServiceLevelTarget.Services }, loadCIs)
	all := make([]*Service, 0, len(found))
	for _, c := range found {
		if c.ServiceKind != nil {
			all = append(all, c.Service())
		}
	}
	return all, err
}

// ServiceLevelTargets lists service level targets by name.
func (r *Reader) ServiceLevelTargets(ctx context.Context, p page.Args) (*page.Connection[*ServiceLevelTarget], error) {
	return page.List[*ent.ServiceLevelTarget, *ServiceLevelTarget]{
		Name: "service level targets", Wrap: r.wrapTargets,
		Order: []page.Term[*ent.ServiceLevelTarget]{
			page.By(serviceleveltarget.FieldName, func(e *ent.ServiceLevelTarget) string { return e.Name }),
			page.By(serviceleveltarget.FieldID, func(e *ent.ServiceLevelTarget) ident.ID { return e.ID }),
		},
		Query: func(ctx context.Context, modify func(*sql.Selector)) ([]*ent.ServiceLevelTarget, error) {
			q := r.store.Show.ServiceLevelTarget.Query()
			q.Modify(modify)
			return translated(q.All(ctx))
		},
	}.Page(ctx, p)
}

// ServiceLevelTargets returns the targets that name the service.
func (s *Service) ServiceLevelTargets(ctx context.Context) ([]*ServiceLevelTarget, error) {
	all, err := once(s.in, "service level targets", func() ([]*ServiceLevelTarget, error) {
		rows, err := s.in.reader.store.Show.ServiceLevelTarget.Query().Order(ent.Asc(serviceleveltarget.FieldName)).All(ctx)
		return s.in.reader.wrapTargets(rows), store.Translate(err)
	})
	mine := []*ServiceLevelTarget{}
	for _, t := range all {
		if slices.Contains(t.ServiceLevelTarget.Services, s.CI.ID) {
			mine = append(mine, t)
		}
	}
	return mine, err
}

// ServiceLevel is how an incident stands against a target.
type ServiceLevel struct {
	rule.Stopwatch
	Target *ServiceLevelTarget
}

// Marks returns shares of the time.
func (l *ServiceLevel) Marks() []*rule.Mark { return pointers(l.Stopwatch.Marks) }

// ServiceLevels returns how the incident stands against the targets that hold for it.
func (i *Incident) ServiceLevels(ctx context.Context) ([]*ServiceLevel, error) {
	all, err := once(i.in, "service levels", func() (map[ident.ID][]*ServiceLevel, error) {
		rows := make([]*ent.Incident, len(i.in.Rows))
		for n, row := range i.in.Rows {
			rows[n] = row.Incident
		}
		r := i.in.reader
		found, err := practice.Levels(ctx, r.store.Show, practice.Incidents(rows...), r.store.Now(ctx))
		return r.showLevels(found), store.Translate(err)
	})
	if all[i.ID] == nil {
		return []*ServiceLevel{}, err
	}
	return all[i.ID], err
}

// showLevels shows each target once, however many incidents it holds for.
func (r *Reader) showLevels(found map[ident.ID][]practice.Level) map[ident.ID][]*ServiceLevel {
	targets, b := map[ident.ID]*ServiceLevelTarget{}, newBatch[*ServiceLevelTarget](r, nil)
	shown := make(map[ident.ID][]*ServiceLevel, len(found))
	for id, levels := range found {
		for _, l := range levels {
			t := targets[l.Target.ID]
			if t == nil {
				t = &ServiceLevelTarget{l.Target, b}
				targets[l.Target.ID] = t
				b.Rows = append(b.Rows, t)
			}
			shown[id] = append(shown[id], &ServiceLevel{l.Stopwatch, t})
		}
	}
	return shown
}

// TimeToAcknowledge returns the time from the opening until somebody took the incident on. Before that, it returns nil.
func (i *Incident) TimeToAcknowledge() *time.Duration { return since(i.CreatedAt, i.AcknowledgedAt) }

// TimeToResolve returns the time from the opening until service was restored. Before that, it returns nil.
func (i *Incident) TimeToResolve() *time.Duration { return since(i.CreatedAt, i.ResolvedAt) }

func since(from time.Time, to *time.Time) *time.Duration {
	if to == nil {
		return nil
	}
	d := to.Sub(from)
	return &d
}

// breached returns the condition that an incident has missed a service level target, or has not.
func breached(c *where.Conditions, want *bool) {
	if want == nil {
		return
	}
	missed := where.InTable("id", servicelevelmark.Table, servicelevelmark.FieldRecordID, servicelevelmark.FieldPercent, 100)
	if !*want {
		missed = where.Not(missed)
	}
	c.Add(missed)
}
