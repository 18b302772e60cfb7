package change

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/changetemplate"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/calendar"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// templateOf returns the template that a new change is drafted from: a STANDARD one needs it, others have none.
func templateOf(ctx context.Context, tx *store.Tx, f *form.Form, of domain.ChangeType, id *ident.ID) *ent.ChangeTemplate {
	switch {
	case of == domain.Standard && id == nil:
		f.Fault(errs.New(errs.Required, "a STANDARD change is approved beforehand, by its template: name one, or make the change NORMAL").At("template"))
	case of != domain.Standard && id != nil:
		f.Fault(errs.New(errs.Invalid, "only STANDARD changes have a template: leave it out, or make the change STANDARD").At("template"))
	}
	if of != domain.Standard || id == nil {
		return nil
	}
	t, err := tx.ChangeTemplate.Query().Where(changetemplate.ID(*id)).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		f.Fault(errs.New(errs.NotFound, "there is no change template %s", *id).At("template"))
	case err != nil:
		f.Fault(err)
	case t.RetiredAt != nil:
		f.Fault(errs.New(errs.Invalid, "the template %s is retired: choose another, or make the change NORMAL", t.Name).At("template"))
	}
	return t
}

// retemplated returns the template that an update leaves a change with; it can change only in NEW, with the type.
func retemplated(ctx context.Context, tx *store.Tx, f *form.Form, in graphql.Omittable[*ident.ID], was, is *ent.Change) *ent.ChangeTemplate {
	said, ok := in.ValueOK()
	switch {
	case ok:
		is.TemplateID = said
	case is.Type != domain.Standard:
		is.TemplateID = nil
	}
	isNew := is.Type != was.Type || !sameID(is.TemplateID, was.TemplateID)
	if isNew && was.State != domain.ChangeNew {
		if is.Type == was.Type { // else the type says so
			f.Fault(refused(was, "is in %s: its template can change only in %s", was.State, domain.ChangeNew).At("template"))
		}
		return nil
	}
	if isNew {
		return templateOf(ctx, tx, f, is.Type, is.TemplateID)
	}
	if is.TemplateID == nil {
		return nil
	}
	t, err := tx.ChangeTemplate.Get(ctx, *is.TemplateID)
	f.Fault(err)
	return t
}

// covered refuses a scope or window that a template does not cover.
func covered(ctx context.Context, tx *store.Tx, f *form.Form, t *ent.ChangeTemplate, scope []CI, start, end *time.Time) {
	if t == nil {
		return
	}
	const instead = "; or make it a NORMAL change"
	if start != nil && end != nil && end.After(*start) {
		if longest := length(t.LongestSeconds); longest != nil && end.Sub(*start) > *longest {
			f.Fault(errs.New(errs.Invalid, "the window is %s long: the template %s covers %s at most%s", end.Sub(*start), t.Name, *longest, instead).At("plannedEnd"))
		}
		if t.CalendarID != nil {
			f.Fault(outsideHours(ctx, tx, t, *start, *end, instead))
		}
	}
	if len(scope) == 0 {
		return
	}
	classes, err := tx.CIClass.Query().All(ctx)
	if err != nil {
		f.Fault(err)
		return
	}
	byID := make(map[ident.ID]*ent.CIClass, len(classes))
	for _, c := range classes {
		byID[c.ID] = c
	}
	ids := make([]ident.ID, len(scope))
	for i, c := range scope {
		ids[i] = c.ID
	}
	records, err := tx.CI.Query().Where(ci.IDIn(ids...)).All(ctx)
	f.Fault(err)
	found := make(map[ident.ID]*ent.CI, len(records))
	for _, r := range records {
		found[r.ID] = r
	}
	for i, c := range scope {
		record := found[c.ID]
		if record == nil {
			continue
		}
		if c.Role == domain.TakenDownRole && !t.MayTakeDown {
			f.Fault(errs.New(errs.Invalid, "the template %s takes nothing down: give %s the role CHANGED%s", t.Name, record.Name, instead).At("scope", strconv.Itoa(i), "role"))
		}
		if len(t.Classes) > 0 && !isBelow(byID, record.ClassID, t.Classes) {
			var codes []string
			for _, id := range t.Classes {
				if class := byID[id]; class != nil {
					codes = append(codes, class.Code)
				}
			}
			f.Fault(errs.New(errs.Invalid, "%s is a %s: the template %s is for CIs of the class %s%s", record.Name, byID[record.ClassID].Code, t.Name, form.Choice(codes), instead).
				At("scope", strconv.Itoa(i), "id"))
		}
	}
}

// stillCovered refuses to schedule what its template no longer covers.
func stillCovered(ctx context.Context, tx *store.Tx, c *ent.Change, scope []CI) error {
	if c.Type != domain.Standard {
		return nil
	}
	var f form.Form
	t := templateOf(ctx, tx, &f, c.Type, c.TemplateID)
	covered(ctx, tx, &f, t, scope, c.PlannedStart, c.PlannedEnd)
	rows, err := operationsOf(ctx, tx.Client(), c.ID)
	f.Fault(err)
	if t != nil && !isCovered(Operations(rows), t) {
		f.Fault(errs.New(errs.Invalid, "it does not plan what the template %s plans now: name the template once more by updateChange to take its operations over, or make it a NORMAL change", t.Name))
	}
	err = f.Err()
	all, ok := errs.All(err)
	if err == nil || !ok {
		return err
	}
	said := make([]string, len(all))
	for i, e := range all {
		said[i] = e.Message
	}
	return refused(c, "cannot be scheduled: %s", strings.Join(said, "; ")).At("template")
}

// isBelow reports whether a class is one of some classes or inherits from one.
func isBelow(byID map[ident.ID]*ent.CIClass, class ident.ID, of []ident.ID) bool {
	for range len(byID) + 1 {
		if slices.Contains(of, class) {
			return true
		}
		c := byID[class]
		if c == nil || c.ParentID == nil {
			return false
		}
		class = *c.ParentID
	}
	return false
}

// outsideHours refuses a window of which any part lies outside the hours of the template's calendar.
func outsideHours(ctx context.Context, tx *store.Tx, t *ent.ChangeTemplate, start, end time.Time, instead string) error {
	row, err := tx.Calendar.Get(ctx, *t.CalendarID)
	if err != nil {
		return err
	}
	hours, err := calendar.New(row.TimeZone, row.Hours, row.Holidays)
	if err != nil {
		return err
	}
	if hours.Elapsed(start, end) < end.Sub(start) {
		return errs.New(errs.Invalid, "the window does not lie within the hours of %s, by which the template %s goes%s", row.Name, t.Name, instead).At("plannedStart")
	}
	return nil
}
