package servicelevel

import (
	"context"
	"reflect"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/calendar"
	"github.com/linchpin-cmdb/linchpin/ent/changetemplate"
	"github.com/linchpin-cmdb/linchpin/ent/serviceleveltarget"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	rule "github.com/linchpin-cmdb/linchpin/internal/rule/calendar"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// mostCalendars is how many there may be: all are read at once.
const mostCalendars = 200

// CreateCalendar records when people work.
func (p *Practice) CreateCalendar(ctx context.Context, in CreateCalendar) (*ent.Calendar, error) {
	return auth.Write(ctx, p.store, "calendar.create", func(ctx context.Context, tx *store.Tx) (*ent.Calendar, error) {
		next := &ent.Calendar{Name: in.Name, TimeZone: in.TimeZone, Hours: in.Hours, Holidays: in.Holidays}
		if err := checkCalendar(ctx, tx, next); err != nil {
			return nil, err
		}
		if n, err := tx.Calendar.Query().Count(ctx); err != nil || n >= mostCalendars {
			return nil, orFull(err, "calendars", mostCalendars)
		}
		return tx.Calendar.Create().SetName(next.Name).SetTimeZone(next.TimeZone).SetHours(next.Hours).SetHolidays(next.Holidays).
			SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
	})
}

// UpdateCalendar changes when people work. Stopwatches are computed by the new hours from then on, also of open
// records.
func (p *Practice) UpdateCalendar(ctx context.Context, in UpdateCalendar) (*ent.Calendar, error) {
	return auth.Write(ctx, p.store, "calendar.update", func(ctx context.Context, tx *store.Tx) (*ent.Calendar, error) {
		was, err := lockCalendar(ctx, tx, "id", in.ID)
		if err != nil {
			return nil, err
		}
		if err := valid.Stale(in.ExpectedVersion, was.Version); err != nil {
			return nil, err
		}
		var f form.Form
		next := *was
		next.Name, next.TimeZone = form.Or(form.Given(&f, "name", in.Name), was.Name), form.Or(form.Given(&f, "timeZone", in.TimeZone), was.TimeZone)
		if hours, ok := in.Hours.ValueOK(); ok {
			next.Hours = hours
		}
		if holidays, ok := in.Holidays.ValueOK(); ok {
			next.Holidays = holidays
		}
		if err := f.Err(); err != nil {
			return nil, err
		}
		if err := checkCalendar(ctx, tx, &next); err != nil {
			return nil, err
		}
		if next.Name == was.Name && next.TimeZone == was.TimeZone && reflect.DeepEqual(next.Hours, was.Hours) && reflect.DeepEqual(next.Holidays, was.Holidays) {
			return was, nil
		}
		return tx.Calendar.UpdateOne(was).SetName(next.Name).SetTimeZone(next.TimeZone).SetHours(next.Hours).SetHolidays(next.Holidays).
			AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
	})
}

// DeleteCalendar deletes a calendar that no target and no change template goes by.
func (p *Practice) DeleteCalendar(ctx context.Context, in Delete) (ident.ID, error) {
	return auth.Write(ctx, p.store, "calendar.delete", func(ctx context.Context, tx *store.Tx) (ident.ID, error) {
		was, err := lockCalendar(ctx, tx, "id", in.ID)
		if err != nil {
			return 0, err
		}
		if err := valid.Stale(in.ExpectedVersion, was.Version); err != nil {
			return 0, err
		}
		used, err := tx.ServiceLevelTarget.Query().Where(serviceleveltarget.CalendarID(was.ID)).Order(ent.Asc(serviceleveltarget.FieldID)).All(ctx)
		if err != nil {
			return 0, err
		}
		if len(used) > 0 {
			return 0, errs.New(errs.InUse, "%d service level targets go by %s, such as %s: give them another calendar first", len(used), was.Name, used[0].Name).At("id")
		}
		template, err := tx.ChangeTemplate.Query().Where(changetemplate.CalendarID(was.ID)).Order(ent.Asc(changetemplate.FieldID)).First(ctx)
		if err == nil {
			return 0, errs.New(errs.InUse, "the change template %s goes by %s: give it another calendar first", template.Name, was.Name).At("id")
		}
		if !ent.IsNotFound(err) {
			return 0, err
		}
		return was.ID, tx.Calendar.DeleteOne(was).Exec(ctx)
	})
}

// checkCalendar refuses what is no calendar, and a name that another has.
func checkCalendar(ctx context.Context, tx *store.Tx, c *ent.Calendar) error {
	var f form.Form
	c.Name = f.Text("name", c.Name, 1, ticket.LongestWord)
	holidays := make([]domain.Holiday, len(c.Holidays))
	for i, h := range c.Holidays {
		var inner form.Form
		holidays[i] = domain.Holiday{Date: h.Date, Name: inner.Text("name", h.Name, 0, ticket.LongestWord)}
		f.Fault(inner.Err(), "holidays", place(i))
	}
	c.Holidays = holidays
	_, err := rule.New(c.TimeZone, c.Hours, c.Holidays)
	f.Fault(err)
	if err := f.Err(); err != nil {
		return err
	}
	taken, err := tx.Calendar.Query().Where(calendar.Name(c.Name), calendar.IDNEQ(c.ID)).Exist(ctx)
	if taken {
		return errs.New(errs.AlreadyExists, "there is a calendar %q already", c.Name).At("name")
	}
	return err
}

// lockCalendar reads a calendar and keeps others from writing it until the transaction ends.
func lockCalendar(ctx context.Context, tx *store.Tx, field string, id ident.ID) (*ent.Calendar, error) {
	return form.Lock(ctx, tx, tx.Calendar.Query().Where(calendar.ID(id)), ident.Calendar, id, field)
}

func orFull(err error, what string, most int) error {
	if err != nil {
		return err
	}
	return errs.New(errs.Invalid, "there are %d %s already, and no more may be: delete those that nobody needs", most, what)
}
