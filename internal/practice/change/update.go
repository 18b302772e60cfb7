package change

import (
	"context"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/rule/lifecycle"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Update changes what a change says. A new scope or window voids the votes on it and sends it back; once the change is being
// carried out neither can change any more.
func (p *Practice) Update(ctx context.Context, in Update) (*ent.Change, error) {
	return p.edit(ctx, "change.update", target{in.ID, in.ExpectedVersion}, func(ctx context.Context, tx *store.Tx, was *ent.Change, u *ent.ChangeUpdateOne) error {
		if !was.State.IsOpen() {
			return refused(was, "is %s: it can be commented on, not edited", was.State).At("id")
		}
		rows, err := scopeOf(ctx, tx, was.ID)
		if err != nil {
			return err
		}
		var f ticket.Form
		is := *was
		is.Title = f.Text("title", ticket.Or(in.Title, was.Title, ""), 1, ticket.LongestTitle)
		is.Description = f.Text("description", ticket.Or(in.Description, was.Description, ""), 0, ticket.LongestText)
		is.Justification = f.Text("justification", ticket.Or(in.Justification, was.Justification, ""), 0, ticket.LongestText)
		is.Plan = f.Text("plan", ticket.Or(in.Plan, was.Plan, ""), 0, ticket.LongestText)
		is.BackoutPlan = f.Text("backoutPlan", ticket.Or(in.BackoutPlan, was.BackoutPlan, ""), 0, ticket.LongestText)
		is.TestPlan = f.Text("testPlan", ticket.Or(in.TestPlan, was.TestPlan, ""), 0, ticket.LongestText)
		is.Type = kind(&f, in, was)
		is.PlannedStart, is.PlannedEnd = planned(in.PlannedStart, was.PlannedStart), planned(in.PlannedEnd, was.PlannedEnd)
		window(&f, is.PlannedStart, is.PlannedEnd)
		is.RequesterID = f.ReferenceOr(ctx, tx, "requester", ident.Person, in.Requester, was.RequesterID)
		is.AssigneeID = f.ReferenceOr(ctx, tx, "assignee", ident.Person, in.Assignee, was.AssigneeID)
		is.AssignmentTeamID = f.ReferenceOr(ctx, tx, "assignmentTeam", ident.Team, in.AssignmentTeam, was.AssignmentTeamID)
		scope := cisOf(rows)
		if said, isSaid := in.Scope.ValueOK(); isSaid {
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
				return refused(was, "is in %s: %s cannot be taken away", was.State, list(missing)).At("id")
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
	ticket.Set(was.Title, is.Title, u.SetTitle)
	ticket.Set(was.Description, is.Description, u.SetDescription)
	ticket.Set(was.Justification, is.Justification, u.SetJustification)
	ticket.Set(was.Plan, is.Plan, u.SetPlan)
	ticket.Set(was.BackoutPlan, is.BackoutPlan, u.SetBackoutPlan)
	ticket.Set(was.TestPlan, is.TestPlan, u.SetTestPlan)
	ticket.Set(was.Type, is.Type, u.SetType)
	ticket.SetOptional(was.PlannedStart, is.PlannedStart, time.Time.Equal, u.SetPlannedStart, u.ClearPlannedStart)
	ticket.SetOptional(was.PlannedEnd, is.PlannedEnd, time.Time.Equal, u.SetPlannedEnd, u.ClearPlannedEnd)
	ticket.SetReference(was.RequesterID, is.RequesterID, u.SetRequesterID, u.ClearRequesterID)
	ticket.SetReference(was.AssigneeID, is.AssigneeID, u.SetAssigneeID, u.ClearAssigneeID)
	ticket.SetReference(was.AssignmentTeamID, is.AssignmentTeamID, u.SetAssignmentTeamID, u.ClearAssignmentTeamID)
	ticket.SetReference(was.TemplateID, is.TemplateID, u.SetTemplateID, u.ClearTemplateID)
}

// kind is the type an update asks for, which can change only in NEW.
func kind(f *ticket.Form, in Update, was *ent.Change) domain.ChangeType {
	said, isSaid := in.Type.ValueOK()
	switch {
	case !isSaid:
		return was.Type
	case said == nil:
		f.Fault(errs.New(errs.Required, "a change has a type").At("type"))
		return was.Type
	case *said != was.Type && was.State != domain.ChangeNew:
		f.Fault(refused(was, "is in %s: its type can change only in %s", was.State, domain.ChangeNew).At("type"))
	}
	return ticket.OneOf(f, "type", *said)
}
