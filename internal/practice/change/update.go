package change

import (
	"context"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Update changes what a change says, and tells the timeline. An edit of what people vote on voids their votes and sends
// the change back; in SCHEDULED it is refused, unless the change is STANDARD and stays within its template. Once the
// change is being carried out only its texts can change.
func (p *Practice) Update(ctx context.Context, in Update) (*ent.Change, error) {
	return p.desk.Edit(ctx, "change.update", ticket.Seen(in.ID, in.ExpectedVersion), func(ctx context.Context, tx *store.Tx, was *ent.Change, u *ent.ChangeUpdateOne) error {
		if err := (edit{}).refused(was); err != nil {
			return err
		}
		rows, err := scopeOf(ctx, tx, was.ID)
		if err != nil {
			return err
		}
		var f form.Form
		is := *was
		is.Title = f.Text("title", form.Kept(in.Title, was.Title, ""), 1, ticket.LongestTitle)
		is.Description = f.Text("description", form.Kept(in.Description, was.Description, ""), 0, ticket.LongestText)
		is.Justification = f.Text("justification", form.Kept(in.Justification, was.Justification, ""), 0, ticket.LongestText)
		is.Plan = f.Text("plan", form.Kept(in.Plan, was.Plan, ""), 0, ticket.LongestText)
		is.BackoutPlan = f.Text("backoutPlan", form.Kept(in.BackoutPlan, was.BackoutPlan, ""), 0, ticket.LongestText)
		is.TestPlan = f.Text("testPlan", form.Kept(in.TestPlan, was.TestPlan, ""), 0, ticket.LongestText)
		is.Type = kind(&f, in, was)
		is.PlannedStart, is.PlannedEnd = planned(in.PlannedStart, was.PlannedStart), planned(in.PlannedEnd, was.PlannedEnd)
		window(&f, is.PlannedStart, is.PlannedEnd)
		is.RequesterID = ticket.ReferenceOr(ctx, tx, &f, "requester", ident.Person, in.Requester, was.RequesterID)
		is.AssigneeID = ticket.ReferenceOr(ctx, tx, &f, "assignee", ident.Person, in.Assignee, was.AssigneeID)
		is.AssignmentTeamID = ticket.ReferenceOr(ctx, tx, &f, "assignmentTeam", ident.Team, in.AssignmentTeam, was.AssignmentTeamID)
		scope := cisOf(rows)
		if said, ok := in.Scope.ValueOK(); ok {
			scope = check(ctx, tx, &f, said, scope)
		}
		template := retemplated(ctx, tx, &f, in.Template, was, &is)
		isRetemplated := template != nil && in.Template.IsSet() && (was.State == domain.ChangeNew || was.State == domain.ChangeScheduled)
		var planned []operation.Operation
		if isRetemplated {
			planned = readopt(ctx, tx, &f, was, template)
		}
		isRescoped := !ticket.Same(cisOf(rows), scope)
		e := compare(was, &is)
		isReplanned := len(e.bounds) > 0
		if isReplanned {
			ahead(&f, tx, is.PlannedEnd)
		}
		if isRescoped {
			e.bounds = append([]string{theScope}, e.bounds...)
		}
		if len(e.bounds) > 0 || !sameID(was.TemplateID, is.TemplateID) {
			covered(ctx, tx, &f, template, scope, is.PlannedStart, is.PlannedEnd)
		}
		if err := f.Err(); err != nil {
			return err
		}
		if err := e.refused(was); err != nil {
			return err
		}
		if !sameID(was.RequesterID, is.RequesterID) {
			if err := e.voidOwn(ctx, tx, was, &is); err != nil {
				return err
			}
		}
		if isReplanned {
			warnOfBegun(tx, is.PlannedStart, "plannedStart")
		}
		write(was, &is, u)
		if isRescoped {
			if err := link(ctx, tx, was.ID, rows, scope); err != nil {
				return err
			}
			u.SetUpdatedAt(tx.Now) // the change counts as written even where only its scope is new
		}
		if isRetemplated {
			isOther, err := replan(ctx, tx, was.ID, planned)
			if err != nil {
				return err
			}
			if isOther {
				e.bounds = append(e.bounds, theOperations)
				u.SetUpdatedAt(tx.Now)
			}
		}
		if was.State == domain.ChangeScheduled || was.State == domain.ChangeImplement || was.State == domain.ChangeReview {
			if missing := append(missingForWindow(&is, len(scope)), missingForApproval(&is)...); len(missing) > 0 {
				return refused(was, "is in %s: %s cannot be taken away", was.State, form.List(missing, "and")).At("id")
			}
		}
		if was.State == domain.ChangeScheduled && len(e.bounds) > 0 {
			if err := p.keepOutage(ctx, tx, was); err != nil {
				return err
			}
		}
		return e.tell(ctx, tx, was, u)
	}, p.find)
}

// write sets what is other than before.
func write(was, is *ent.Change, u *ent.ChangeUpdateOne) {
	store.Set(was.Title, is.Title, u.SetTitle)
	store.Set(was.Description, is.Description, u.SetDescription)
	store.Set(was.Justification, is.Justification, u.SetJustification)
	store.Set(was.Plan, is.Plan, u.SetPlan)
	store.Set(was.BackoutPlan, is.BackoutPlan, u.SetBackoutPlan)
	store.Set(was.TestPlan, is.TestPlan, u.SetTestPlan)
	store.Set(was.Type, is.Type, u.SetType)
	store.SetOptional(was.PlannedStart, is.PlannedStart, time.Time.Equal, u.SetPlannedStart, u.ClearPlannedStart)
	store.SetOptional(was.PlannedEnd, is.PlannedEnd, time.Time.Equal, u.SetPlannedEnd, u.ClearPlannedEnd)
	store.SetNillable(was.RequesterID, is.RequesterID, u.SetRequesterID, u.ClearRequesterID)
	store.SetNillable(was.AssigneeID, is.AssigneeID, u.SetAssigneeID, u.ClearAssigneeID)
	store.SetNillable(was.AssignmentTeamID, is.AssignmentTeamID, u.SetAssignmentTeamID, u.ClearAssignmentTeamID)
	store.SetNillable(was.TemplateID, is.TemplateID, u.SetTemplateID, u.ClearTemplateID)
}

// kind returns the type an update asks for, which can change only in NEW.
func kind(f *form.Form, in Update, was *ent.Change) domain.ChangeType {
	said := form.Given(f, "type", in.Type)
	switch {
	case said == nil:
		return was.Type
	case *said != was.Type && was.State != domain.ChangeNew:
		f.Fault(refused(was, "is in %s: its type can change only in %s", was.State, domain.ChangeNew).At("type"))
	}
	return form.OneOf(f, "type", *said)
}
