package servicelevel

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/serviceleveltarget"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

const (
	mostTargets     = 500 // all are read at once
	longestDuration = 366 * 24 * time.Hour
	leastPriority   = 5
)

// CreateTarget records a promise. It holds for open records too, from when they were opened.
func (p *Practice) CreateTarget(ctx context.Context, in CreateTarget) (*ent.ServiceLevelTarget, error) {
	return auth.Write(ctx, p.store, "service_level_target.create", func(ctx context.Context, tx *store.Tx) (*ent.ServiceLevelTarget, error) {
		next := &ent.ServiceLevelTarget{
			Name: in.Name, Metric: in.Metric, RecordType: form.Or(in.RecordType, domain.IncidentRecord), Priority: in.Priority,
			CalendarID: in.Calendar, Services: in.Services, StartsAtDetection: form.Or(in.StartsAtDetection, false),
		}
		if err := checkTarget(ctx, tx, next, in.Duration); err != nil {
			return nil, err
		}
		if n, err := tx.ServiceLevelTarget.Query().Count(ctx); err != nil || n >= mostTargets {
			return nil, orFull(err, "service level targets", mostTargets)
		}
		return tx.ServiceLevelTarget.Create().SetName(next.Name).SetMetric(next.Metric).SetRecordType(next.RecordType).SetNillablePriority(next.Priority).
			SetSeconds(next.Seconds).SetCalendarID(next.CalendarID).SetServices(next.Services).
			SetStartsAtDetection(next.StartsAtDetection).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
	})
}

// UpdateTarget changes a promise. Stopwatches go by it from then on; the marks that were passed before stay.
func (p *Practice) UpdateTarget(ctx context.Context, in UpdateTarget) (*ent.ServiceLevelTarget, error) {
	return auth.Write(ctx, p.store, "service_level_target.update", func(ctx context.Context, tx *store.Tx) (*ent.ServiceLevelTarget, error) {
		was, err := lockTarget(ctx, tx, in.ID)
		if err != nil {
			return nil, err
		}
		if err := valid.Stale(in.ExpectedVersion, was.Version); err != nil {
			return nil, err
		}
		var f form.Form
		next := *was
		next.Name, next.CalendarID = form.Or(form.Given(&f, "name", in.Name), was.Name), form.Or(form.Given(&f, "calendar", in.Calendar), was.CalendarID)
		duration := form.Or(form.Given(&f, "duration", in.Duration), time.Duration(was.Seconds)*time.Second)
		next.StartsAtDetection = form.Kept(in.StartsAtDetection, was.StartsAtDetection, false)
		if priority, ok := in.Priority.ValueOK(); ok {
			next.Priority = priority
		}
		if services, ok := in.Services.ValueOK(); ok {
			next.Services = services
		}
		if err := f.Err(); err != nil {
			return nil, err
		}
		if err := checkTarget(ctx, tx, &next, duration); err != nil {
			return nil, err
		}
		u := tx.ServiceLevelTarget.UpdateOne(was)
		store.Set(was.Name, next.Name, u.SetName)
		store.Set(was.Seconds, next.Seconds, u.SetSeconds)
		store.Set(was.CalendarID, next.CalendarID, u.SetCalendarID)
		store.Set(was.StartsAtDetection, next.StartsAtDetection, u.SetStartsAtDetection)
		store.SetNillable(was.Priority, next.Priority, u.SetPriority, u.ClearPriority)
		if !slices.Equal(was.Services, next.Services) {
			u.SetServices(next.Services)
		}
		if store.IsIdle(u.Mutation()) {
			return was, nil
		}
		return u.AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
	})
}

// DeleteTarget takes a promise back. The marks that were passed stay.
func (p *Practice) DeleteTarget(ctx context.Context, in Delete) (ident.ID, error) {
	return auth.Write(ctx, p.store, "service_level_target.delete", func(ctx context.Context, tx *store.Tx) (ident.ID, error) {
		was, err := lockTarget(ctx, tx, in.ID)
		if err != nil {
			return 0, err
		}
		if err := valid.Stale(in.ExpectedVersion, was.Version); err != nil {
			return 0, err
		}
		return was.ID, tx.ServiceLevelTarget.DeleteOne(was).Exec(ctx)
	})
}

// checkTarget refuses what is no promise, a calendar or services that are not there, and a name that another has.
func checkTarget(ctx context.Context, tx *store.Tx, t *ent.ServiceLevelTarget, duration time.Duration) error {
	var f form.Form
	t.Name = f.Text("name", t.Name, 1, ticket.LongestWord)
	t.Metric = form.OneOf(&f, "metric", t.Metric)
	t.RecordType = form.OneOf(&f, "recordType", t.RecordType)
	if t.Priority != nil {
		f.Number("priority", *t.Priority, 1, leastPriority)
	}
	if duration < time.Second || duration > longestDuration || duration%time.Second != 0 {
		f.Fault(errs.New(errs.Invalid, "the duration is %s: it is whole seconds, from PT1S to PT8784H of working time", duration).At("duration"))
	}
	t.Seconds = int64(duration / time.Second)
	if _, err := lockCalendar(ctx, tx, "calendar", t.CalendarID); err != nil {
		f.Fault(err)
	}
	services := make([]ident.ID, 0, len(t.Services))
	for i, c := range ticket.CIs(ctx, tx, &f, "services", t.Services) {
		switch {
		case c == nil:
		case c.ServiceKind == nil:
			f.Fault(errs.New(errs.Invalid, "%s is not a service: name services only", c.Name).At("services", place(i)))
		default:
			services = append(services, c.ID)
		}
	}
	if err := f.Err(); err != nil {
		return err
	}
	slices.Sort(services)
	t.Services = services
	taken, err := tx.ServiceLevelTarget.Query().Where(serviceleveltarget.Name(t.Name), serviceleveltarget.IDNEQ(t.ID)).Exist(ctx)
	if taken {
		return errs.New(errs.AlreadyExists, "there is a service level target %q already", t.Name).At("name")
	}
	return err
}

func lockTarget(ctx context.Context, tx *store.Tx, id ident.ID) (*ent.ServiceLevelTarget, error) {
	return form.Lock(ctx, tx, tx.ServiceLevelTarget.Query().Where(serviceleveltarget.ID(id)), ident.ServiceLevelTarget, id, "id")
}

func place(i int) string { return strconv.Itoa(i) }
