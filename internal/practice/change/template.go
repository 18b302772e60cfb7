package change

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/calendar"
	"github.com/linchpin-cmdb/linchpin/ent/changetemplate"
	"github.com/linchpin-cmdb/linchpin/ent/ciclass"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

const (
	mostTemplates = 500
	mostClasses   = 100
	longestWindow = 366 * 24 * time.Hour
)

// CreateTemplate is a new template of STANDARD changes.
type CreateTemplate struct {
	Name          string
	Description   *string
	Justification *string
	Plan          string
	BackoutPlan   *string
	TestPlan      *string
	Classes       []string // by their codes
	MayTakeDown   *bool
	LongestWindow *time.Duration
	Calendar      *ident.ID
	Operations    []PlannedOperation
}

// UpdateTemplate is changes to a template: an absent field stays, null clears.
type UpdateTemplate struct {
	ID              ident.ID
	ExpectedVersion *int
	Name            graphql.Omittable[*string]
	Description     graphql.Omittable[*string]
	Justification   graphql.Omittable[*string]
	Plan            graphql.Omittable[*string]
	BackoutPlan     graphql.Omittable[*string]
	TestPlan        graphql.Omittable[*string]
	Classes         graphql.Omittable[[]string]
	MayTakeDown     graphql.Omittable[*bool]
	LongestWindow   graphql.Omittable[*time.Duration]
	Calendar        graphql.Omittable[*ident.ID]
	Operations      graphql.Omittable[[]PlannedOperation]
}

// RetireTemplate names a template from which nothing is to be drafted any more.
type RetireTemplate struct {
	ID              ident.ID
	ExpectedVersion *int
}

// CreateTemplate approves all changes that will be drafted from a template and stay within it.
func (p *Practice) CreateTemplate(ctx context.Context, in CreateTemplate) (*ent.ChangeTemplate, error) {
	return auth.Write(ctx, p.store, "change_template.create", func(ctx context.Context, tx *store.Tx) (*ent.ChangeTemplate, error) {
		next := &ent.ChangeTemplate{
			Name: in.Name, Description: form.Or(in.Description, ""), Justification: form.Or(in.Justification, ""), Plan: in.Plan,
			BackoutPlan: form.Or(in.BackoutPlan, ""), TestPlan: form.Or(in.TestPlan, ""), MayTakeDown: form.Or(in.MayTakeDown, false), CalendarID: in.Calendar,
		}
		if err := checkTemplate(ctx, tx, next, in.LongestWindow, in.Classes, graphql.OmittableOf(in.Operations)); err != nil {
			return nil, err
		}
		n, err := tx.ChangeTemplate.Query().Count(ctx)
		if err != nil {
			return nil, err
		}
		if n >= mostTemplates {
			return nil, errs.New(errs.Invalid, "there are %d templates already, and no more may be: update one", n)
		}
		c := tx.ChangeTemplate.Create().SetName(next.Name).SetDescription(next.Description).SetJustification(next.Justification).SetPlan(next.Plan).
			SetBackoutPlan(next.BackoutPlan).SetTestPlan(next.TestPlan).SetClasses(next.Classes).SetMayTakeDown(next.MayTakeDown).
			SetNillableLongestSeconds(next.LongestSeconds).SetNillableCalendarID(next.CalendarID).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now)
		if len(next.Operations) > 0 {
			c.SetOperations(next.Operations)
		}
		return c.Save(ctx)
	})
}

// UpdateTemplate changes a template. Changes that were drafted from it keep what they say, and have to lie within the
// new template when they are scheduled; those that are scheduled already stay so.
func (p *Practice) UpdateTemplate(ctx context.Context, in UpdateTemplate) (*ent.ChangeTemplate, error) {
	return auth.Write(ctx, p.store, "change_template.update", func(ctx context.Context, tx *store.Tx) (*ent.ChangeTemplate, error) {
		was, err := lockTemplate(ctx, tx, in.ID, in.ExpectedVersion)
		if err != nil {
			return nil, err
		}
		if was.RetiredAt != nil {
			return nil, errs.New(errs.Invalid, "%s is retired: create another template", was.Name).At("id")
		}
		next := *was
		next.Name, next.Plan = form.Kept(in.Name, was.Name, ""), form.Kept(in.Plan, was.Plan, "")
		next.Description, next.Justification = form.Kept(in.Description, was.Description, ""), form.Kept(in.Justification, was.Justification, "")
		next.BackoutPlan, next.TestPlan = form.Kept(in.BackoutPlan, was.BackoutPlan, ""), form.Kept(in.TestPlan, was.TestPlan, "")
		next.MayTakeDown = form.Kept(in.MayTakeDown, was.MayTakeDown, false)
		if id, ok := in.Calendar.ValueOK(); ok {
			next.CalendarID = id
		}
		longest := length(was.LongestSeconds)
		if said, ok := in.LongestWindow.ValueOK(); ok {
			longest = said
		}
		codes, ok := in.Classes.ValueOK()
		if err := checkTemplate(ctx, tx, &next, longest, codes, in.Operations); err != nil {
			return nil, err
		}
		if !ok {
			next.Classes = was.Classes
		}
		u := tx.ChangeTemplate.UpdateOne(was)
		store.Set(was.Name, next.Name, u.SetName)
		store.Set(was.Description, next.Description, u.SetDescription)
		store.Set(was.Justification, next.Justification, u.SetJustification)
		store.Set(was.Plan, next.Plan, u.SetPlan)
		store.Set(was.BackoutPlan, next.BackoutPlan, u.SetBackoutPlan)
		store.Set(was.TestPlan, next.TestPlan, u.SetTestPlan)
		store.Set(was.MayTakeDown, next.MayTakeDown, u.SetMayTakeDown)
		store.SetNillable(was.LongestSeconds, next.LongestSeconds, u.SetLongestSeconds, u.ClearLongestSeconds)
		store.SetNillable(was.CalendarID, next.CalendarID, u.SetCalendarID, u.ClearCalendarID)
		if !slices.Equal(was.Classes, next.Classes) {
			u.SetClasses(next.Classes)
		}
		switch {
		case samePlan(was.Operations, next.Operations):
		case len(next.Operations) == 0:
			u.ClearOperations()
		default:
			u.SetOperations(next.Operations)
		}
		if store.IsIdle(u.Mutation()) {
			return was, nil
		}
		return u.AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
	})
}

// RetireTemplate ends a template: nothing is drafted from it or scheduled by it any more. One that is retired stays so.
func (p *Practice) RetireTemplate(ctx context.Context, in RetireTemplate) (*ent.ChangeTemplate, error) {
	return auth.Write(ctx, p.store, "change_template.retire", func(ctx context.Context, tx *store.Tx) (*ent.ChangeTemplate, error) {
		was, err := lockTemplate(ctx, tx, in.ID, in.ExpectedVersion)
		if err != nil || was.RetiredAt != nil {
			return was, err
		}
		return tx.ChangeTemplate.UpdateOne(was).SetRetiredAt(tx.Now).AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
	})
}

// checkTemplate refuses what nothing could be drafted from, classes and a calendar that are not there, and a name that
// another has.
func checkTemplate(
	ctx context.Context, tx *store.Tx, t *ent.ChangeTemplate, longest *time.Duration, codes []string, operations graphql.Omittable[[]PlannedOperation],
) error {
	var f form.Form
	t.Name = f.Text("name", t.Name, 1, ticket.LongestWord)
	t.Plan = f.Text("plan", t.Plan, 1, ticket.LongestText)
	t.Description = f.Text("description", t.Description, 0, ticket.LongestText)
	t.Justification = f.Text("justification", t.Justification, 0, ticket.LongestText)
	t.BackoutPlan = f.Text("backoutPlan", t.BackoutPlan, 0, ticket.LongestText)
	t.TestPlan = f.Text("testPlan", t.TestPlan, 0, ticket.LongestText)
	t.LongestSeconds = nil
	if longest != nil {
		if *longest < time.Minute || *longest > longestWindow || *longest%time.Second != 0 {
			f.Fault(errs.New(errs.Invalid, "the longest window is %s: it is whole seconds, from PT1M to PT8784H", *longest).At("longestWindow"))
		}
		seconds := int64(*longest / time.Second)
		t.LongestSeconds = &seconds
	}
	if t.CalendarID != nil {
		found, err := tx.Calendar.Query().Where(calendar.ID(*t.CalendarID)).Exist(ctx)
		if err == nil && !found {
			err = errs.New(errs.NotFound, "there is no calendar %s", *t.CalendarID).At("calendar")
		}
		f.Fault(err)
	}
	if said, ok := operations.ValueOK(); ok {
		planned, err := forTemplate(ctx, tx, said)
		f.Fault(err)
		t.Operations = planned
	}
	if err := readClasses(ctx, tx, &f, t, codes); err != nil {
		return err
	}
	if err := f.Err(); err != nil {
		return err
	}
	taken, err := tx.ChangeTemplate.Query().Where(changetemplate.Name(t.Name), changetemplate.IDNEQ(t.ID)).Exist(ctx)
	if taken {
		return errs.New(errs.AlreadyExists, "there is a template %q already", t.Name).At("name")
	}
	return err
}

func readClasses(ctx context.Context, tx *store.Tx, f *form.Form, t *ent.ChangeTemplate, codes []string) error {
	t.Classes = []ident.ID{}
	if len(codes) == 0 {
		return nil
	}
	if len(codes) > mostClasses {
		f.Fault(errs.New(errs.Invalid, "%d classes: at most %d", len(codes), mostClasses).At("classes"))
		return nil
	}
	found, err := tx.CIClass.Query().Where(ciclass.CodeIn(codes...)).All(ctx)
	if err != nil {
		return err
	}
	for i, code := range codes {
		at := slices.IndexFunc(found, func(c *ent.CIClass) bool { return c.Code == code })
		if at < 0 {
			f.Fault(errs.New(errs.NotFound, "there is no class %q", code).At("classes", strconv.Itoa(i)))
			continue
		}
		t.Classes = append(t.Classes, found[at].ID)
	}
	slices.Sort(t.Classes)
	t.Classes = slices.Compact(t.Classes)
	return nil
}

// lockTemplate reads a template and keeps others from writing it until the transaction ends.
func lockTemplate(ctx context.Context, tx *store.Tx, id ident.ID, expected *int) (*ent.ChangeTemplate, error) {
	found, err := form.Lock(ctx, tx, tx.ChangeTemplate.Query().Where(changetemplate.ID(id)), ident.ChangeTemplate, id, "id")
	if err != nil {
		return nil, err
	}
	return found, valid.Stale(expected, found.Version)
}

func length(seconds *int64) *time.Duration {
	if seconds == nil {
		return nil
	}
	d := time.Duration(*seconds) * time.Second
	return &d
}
