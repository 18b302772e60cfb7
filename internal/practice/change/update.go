package change

import (
	"context"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/rule/lifecycle"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Update changes what a change says. A new scope or window voids the votes on it and sends it back; once the change is
// being carried out neither can change any more.
func (p *Practice) Update(ctx context.Context, in Update) (*ent.Change, error) {
	return p.desk.Edit(ctx, "change.update", ticket.Seen(in.ID, in.ExpectedVersion), func(ctx context.Context, tx *store.Tx, was *ent.Change, u *ent.ChangeUpdateOne) error {
		if !was.State.IsOpen() {
			return refused(was, "is %s: it can be commented on, not edited", was.State).At("id")
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
		isReplanned := !equal(was.PlannedStart, is.PlannedStart) || !equal(was.PlannedEnd, is.PlannedEnd)
		isMoved := isRescoped || isReplanned
		if isMoved || !sameID(was.TemplateID, is.TemplateID) {
			covered(ctx, tx, &f, template, scope, is.PlannedStart, is.PlannedEnd)
		}
		if err := f.Err(); err != nil {
			return err
		}
		if isMoved && (was.State == domain.ChangeImplement || was.State == domain.ChangeReview) {
			return refused(was, "is in %s: its scope and window cannot change any more; cancel it, or finish it, and draft another", was.State).At("id")
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
				u.SetUpdatedAt(tx.Now)
			}
		}
		if to, isSetBack := lifecycle.SetBack(was.Type, was.State); isMoved && isSetBack {
			return setBack(ctx, tx, was, u, to, whatIsNew(isRescoped, isReplanned)+" new: the votes no longer count.")
		}
		if was.State == domain.ChangeScheduled || was.State == domain.ChangeImplement || was.State == domain.ChangeReview {
			if missing := append(missingForWindow(&is, len(scope)), missingForApproval(&is)...); len(missing) > 0 {
				return refused(was, "is in %s: %s cannot be taken away", was.State, form.List(missing, "and")).At("id")
			}
		}
		return nil
	}, p.find)
}

// whatIsNew begins the sentence that says why votes no longer count.
func whatIsNew(scope, window bool) string {
	switch {
	case scope && window:
		return "The scope and the window are"
	case scope:
		return "The scope is"
	default:
		return "The window is"
	}
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
