package change

import (
	"context"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Draft drafts a change. Window and scope may be left for later. Fields that a STANDARD change leaves out are as its
// template says.
func (p *Practice) Draft(ctx context.Context, in Draft) (*ent.Change, error) {
	return auth.Write(ctx, p.store, "change.draft", func(ctx context.Context, tx *store.Tx) (*ent.Change, error) {
		var f form.Form
		template := templateOf(ctx, tx, &f, in.Type, in.Template)
		base := form.Or(template, ent.ChangeTemplate{}) // what the draft leaves out
		text := func(field string, s *string, otherwise string) string {
			return f.Text(field, form.Or(s, otherwise), 0, ticket.LongestText)
		}
		start, end := moment(in.PlannedStart), moment(in.PlannedEnd)
		window(&f, start, end)
		ahead(&f, tx, end)
		author, err := tx.Author(ctx)
		if err != nil {
			return nil, err
		}
		c := tx.Change.Create().SetRequestedBy(tx.Actor).SetNillableRequestedByID(author).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).
			SetType(form.OneOf(&f, "type", in.Type)).
			SetTitle(f.Text("title", in.Title, 1, ticket.LongestTitle)).
			SetDescription(text("description", in.Description, base.Description)).
			SetJustification(text("justification", in.Justification, base.Justification)).
			SetPlan(text("plan", in.Plan, base.Plan)).
			SetBackoutPlan(text("backoutPlan", in.BackoutPlan, base.BackoutPlan)).
			SetTestPlan(text("testPlan", in.TestPlan, base.TestPlan)).
			SetNillablePlannedStart(start).SetNillablePlannedEnd(end).
			SetNillableRequesterID(ticket.Reference(ctx, tx, &f, "requester", ident.Person, in.Requester)).
			SetNillableAssigneeID(ticket.Reference(ctx, tx, &f, "assignee", ident.Person, in.Assignee)).
			SetNillableAssignmentTeamID(ticket.Reference(ctx, tx, &f, "assignmentTeam", ident.Team, in.AssignmentTeam))
		if template != nil {
			c.SetTemplateID(template.ID)
		}
		scope := check(ctx, tx, &f, in.Scope, nil)
		covered(ctx, tx, &f, template, scope, start, end)
		planned, err := adopted(ctx, tx, template)
		f.Fault(err)
		if err := f.Err(); err != nil {
			return nil, err
		}
		of := auth.About{Teams: ticket.Teams(in.AssignmentTeam)}
		for _, c := range scope {
			of.CIs = append(of.CIs, c.ID)
		}
		if err := auth.Within(ctx, tx, of); err != nil {
			return nil, err
		}
		warnOfBegun(tx, start, "plannedStart")
		record, err := c.Save(ctx)
		if err != nil {
			return nil, err
		}
		if err := link(ctx, tx, record.ID, nil, scope); err != nil {
			return nil, err
		}
		return record, keep(ctx, tx, record.ID, planned)
	})
}

// moment returns t as databases keep it.
func moment(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	m := t.UTC().Truncate(time.Microsecond)
	return &m
}

// warnOfBegun warns if a window has begun already.
func warnOfBegun(tx *store.Tx, start *time.Time, field string) {
	if start != nil && start.Before(tx.Now) {
		tx.Warn(domain.WindowBegun, []string{field}, "the window of the change began at %s, before now", start.Format(time.RFC3339))
	}
}

// ahead refuses a window that has ended: nothing can be done in it any more.
func ahead(f *form.Form, tx *store.Tx, end *time.Time) {
	if end != nil && !end.After(tx.Now) {
		f.Fault(errs.New(errs.Invalid, "the window ended at %s, before now: choose one that ends later", end.Format(time.RFC3339)).At("plannedEnd"))
	}
}

func window(f *form.Form, start, end *time.Time) {
	if start != nil && end != nil && !end.After(*start) {
		f.Fault(errs.New(errs.Invalid, "plannedEnd must be after plannedStart").At("plannedEnd"))
	}
}
