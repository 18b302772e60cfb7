package schedule

import (
	"context"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/changewindow"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// MostWindows is how many change windows there may be: a search for conflicts looks at all of them.
const MostWindows = 1000

// CreateWindow creates a change window.
func (p *Practice) CreateWindow(ctx context.Context, in CreateWindow) (*ent.ChangeWindow, error) {
	w := ent.ChangeWindow{
		Name: in.Name, Description: form.Or(in.Description, ""), Kind: in.Kind, StartsAt: in.StartsAt,
		TimeZone: in.TimeZone, Recurrence: form.Or(in.Recurrence, ""), IsGlobal: form.Or(in.IsGlobal, false),
	}
	var said form.Form
	form.OneOf(&said, "kind", w.Kind)
	check(&said, &w, in.Duration)
	return auth.Write(ctx, p.store, "change_window.create", func(ctx context.Context, tx *store.Tx) (*ent.ChangeWindow, error) {
		var f form.Form
		f.Fault(said.Err())
		aim(ctx, tx, &f, &w, in.Cis, in.Classes, in.Labels)
		somewhere(&f, &w)
		free(ctx, tx, &f, &w)
		if n, err := tx.ChangeWindow.Query().Count(ctx); err != nil {
			return nil, err
		} else if n >= MostWindows {
			f.Fault(errs.New(errs.Invalid, "there are %d change windows already: remove some, or have one recur", n))
		}
		if err := f.Err(); err != nil {
			return nil, err
		}
		return tx.ChangeWindow.Create().SetName(w.Name).SetDescription(w.Description).SetKind(w.Kind).SetStartsAt(w.StartsAt).
			SetDurationMinutes(w.DurationMinutes).SetTimeZone(w.TimeZone).SetRecurrence(w.Recurrence).SetIsGlobal(w.IsGlobal).
			SetCis(w.Cis).SetClasses(w.Classes).SetLabels(w.Labels).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
	})
}

// UpdateWindow changes a change window. Its kind stays: a blackout does not become its opposite.
func (p *Practice) UpdateWindow(ctx context.Context, in UpdateWindow) (*ent.ChangeWindow, error) {
	return auth.Write(ctx, p.store, "change_window.update", func(ctx context.Context, tx *store.Tx) (*ent.ChangeWindow, error) {
		was, err := lock(ctx, tx, in.ID, in.ExpectedVersion)
		if err != nil {
			return nil, err
		}
		w := *was
		w.Name, w.Description = form.Kept(in.Name, was.Name, ""), form.Kept(in.Description, was.Description, "")
		w.StartsAt = form.Kept(in.StartsAt, was.StartsAt, time.Time{})
		w.TimeZone, w.Recurrence = form.Kept(in.TimeZone, was.TimeZone, ""), form.Kept(in.Recurrence, was.Recurrence, "")
		w.IsGlobal = form.Kept(in.IsGlobal, was.IsGlobal, false)
		var f form.Form
		check(&f, &w, form.Kept(in.Duration, LengthOf(was), 0))
		if err := retarget(ctx, tx, &f, was, &w, in); err != nil {
			return nil, err
		}
		if w.Name != was.Name {
			free(ctx, tx, &f, &w)
		}
		if err := f.Err(); err != nil {
			return nil, err
		}
		return tx.ChangeWindow.UpdateOne(was).SetName(w.Name).SetDescription(w.Description).SetStartsAt(w.StartsAt).
			SetDurationMinutes(w.DurationMinutes).SetTimeZone(w.TimeZone).SetRecurrence(w.Recurrence).SetIsGlobal(w.IsGlobal).
			SetCis(w.Cis).SetClasses(w.Classes).SetLabels(w.Labels).AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
	})
}

// DeleteWindow deletes a change window: it holds for nothing any more.
func (p *Practice) DeleteWindow(ctx context.Context, in DeleteWindow) (ident.ID, error) {
	return auth.Write(ctx, p.store, "change_window.delete", func(ctx context.Context, tx *store.Tx) (ident.ID, error) {
		was, err := lock(ctx, tx, in.ID, in.ExpectedVersion)
		if err != nil {
			return 0, err
		}
		return was.ID, tx.ChangeWindow.DeleteOne(was).Exec(ctx)
	})
}

func lock(ctx context.Context, tx *store.Tx, id ident.ID, expected *int) (*ent.ChangeWindow, error) {
	if err := form.Kind(id, ident.ChangeWindow, "id"); err != nil {
		return nil, err
	}
	record, err := form.Lock(ctx, tx, tx.ChangeWindow.Query().Where(changewindow.ID(id)), ident.ChangeWindow, id, "id")
	if err != nil {
		return nil, err
	}
	return record, valid.Stale(expected, record.Version)
}

// check looks at what a window says of itself, and trims it.
func check(f *form.Form, w *ent.ChangeWindow, lasts time.Duration) {
	w.Name = f.Text("name", w.Name, 1, ticket.LongestTitle)
	w.Description = f.Text("description", w.Description, 0, ticket.LongestText)
	w.StartsAt = w.StartsAt.UTC().Truncate(time.Second)
	w.DurationMinutes = int(lasts / time.Minute)
	if lasts%time.Minute != 0 {
		f.Fault(errs.New(errs.Invalid, "%v is not a whole number of minutes: leave the seconds out", lasts).At("duration"))
		return
	}
	_, err := ruleOf(w)
	f.Fault(err)
}

// free refuses a name that another window has.
func free(ctx context.Context, tx *store.Tx, f *form.Form, w *ent.ChangeWindow) {
	taken, err := tx.ChangeWindow.Query().Where(changewindow.Name(w.Name), changewindow.IDNEQ(w.ID)).Exist(ctx)
	if f.Fault(err); taken {
		f.Fault(errs.New(errs.AlreadyExists, "there is a change window named %q already", w.Name).At("name"))
	}
}

// retarget looks at what an update says a window is for; a field that it leaves out stays as it is.
func retarget(ctx context.Context, tx *store.Tx, f *form.Form, was, w *ent.ChangeWindow, in UpdateWindow) error {
	cis, classes, labels := was.Cis, []string(nil), domain.LabelsOf(was.Labels)
	if said, ok := in.Cis.ValueOK(); ok {
		cis = said
	}
	if said, ok := in.Labels.ValueOK(); ok {
		labels = said
	}
	if said, ok := in.Classes.ValueOK(); ok {
		classes = said
	} else if len(was.Classes) > 0 {
		found, err := classesOf(ctx, tx, was.Classes)
		if err != nil {
			return err
		}
		classes = found
	}
	if slices.Equal(cis, was.Cis) { // CIs that are gone since then do no harm
		aim(ctx, tx, f, w, nil, classes, labels)
		w.Cis = was.Cis
	} else {
		aim(ctx, tx, f, w, cis, classes, labels)
	}
	somewhere(f, w)
	return nil
}
