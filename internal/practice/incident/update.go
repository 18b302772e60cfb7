package incident

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/rule/priority"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// longestProblem is how long a reference to a problem may be, in characters: a number, or a URL.
const longestProblem = 500

// Update changes what an incident says. An impact level of null gives way to the one the graph suggests.
func (p *Practice) Update(ctx context.Context, in Update) (*ent.Incident, error) {
	return p.desk.Edit(ctx, "incident.update", ticket.Seen(in.ID, in.ExpectedVersion), func(ctx context.Context, tx *store.Tx, was *ent.Incident, u *ent.IncidentUpdateOne) error {
		if err := editable(was); err != nil {
			return err
		}
		var f form.Form
		store.Set(was.Title, f.Text("title", form.Kept(in.Title, was.Title, ""), 1, ticket.LongestTitle), u.SetTitle)
		store.Set(was.Description, f.Text("description", form.Kept(in.Description, was.Description, ""), 0, ticket.LongestText), u.SetDescription)
		store.Set(was.Category, f.Text("category", form.Kept(in.Category, was.Category, ""), 0, ticket.LongestWord), u.SetCategory)
		store.Set(was.Problem, f.Text("problem", form.Kept(in.Problem, was.Problem, ""), 0, longestProblem), u.SetProblem)
		store.Set(was.Channel, form.OneOf(&f, "channel", form.Kept(in.Channel, was.Channel, domain.ChannelPortal)), u.SetChannel)
		store.Set(was.IsMajor, form.Kept(in.IsMajor, was.IsMajor, false), u.SetIsMajor)
		store.SetNillable(was.CallerID, ticket.ReferenceOr(ctx, tx, &f, "caller", ident.Person, in.Caller, was.CallerID), u.SetCallerID, u.ClearCallerID)
		store.SetNillable(was.CausedByChangeID, ticket.ReferenceOr(ctx, tx, &f, "causedByChange", ident.Change, in.CausedByChange, was.CausedByChangeID),
			u.SetCausedByChangeID, u.ClearCausedByChangeID)
		store.SetNillable(was.FixedByChangeID, ticket.ReferenceOr(ctx, tx, &f, "fixedByChange", ident.Change, in.FixedByChange, was.FixedByChangeID),
			u.SetFixedByChangeID, u.ClearFixedByChangeID)
		store.SetNillable(was.ParentID, p.parent(ctx, tx, &f, in, was), u.SetParentID, u.ClearParentID)
		urgency := f.Number("urgency", form.Kept(in.Urgency, was.Urgency, defaultUrgency), priority.Most, priority.LeastLevel)
		level := f.Number("impactLevel", form.Kept(in.ImpactLevel, was.Impact, was.Impact), priority.Most, priority.LeastLevel)
		if err := f.Err(); err != nil {
			return err
		}
		if set, ok := in.ImpactLevel.ValueOK(); ok {
			store.Set(was.IsImpactOverridden, set != nil, u.SetIsImpactOverridden)
			if set == nil {
				found, err := p.find(ctx, tx, was.ID)
				if err != nil {
					return err
				}
				level = found.suggestion.Level
			}
		}
		return weigh(ctx, tx, was, u, level, urgency)
	})
}

// weigh sets impact level, urgency and the priority that follows, where they are others than before.
func weigh(ctx context.Context, tx *store.Tx, was *ent.Incident, u *ent.IncidentUpdateOne, level, urgency int) error {
	if level == was.Impact && urgency == was.Urgency {
		return nil
	}
	pressing, err := priorityOf(ctx, tx, level, urgency)
	if err != nil {
		return err
	}
	store.Set(was.Impact, level, u.SetImpact)
	store.Set(was.Urgency, urgency, u.SetUrgency)
	store.Set(was.Priority, pressing, u.SetPriority)
	return tellPriority(ctx, tx, was, level, urgency, pressing)
}

const deepest = 50

// parent checks that an incident does not become part of itself. The ancestors are locked, so that two edits at once
// cannot close a circle between them.
func (p *Practice) parent(ctx context.Context, tx *store.Tx, f *form.Form, in Update, was *ent.Incident) *ident.ID {
	id, ok := in.Parent.ValueOK()
	if !ok {
		return was.ParentID
	}
	next := id
	for depth := 0; next != nil; depth++ {
		switch {
		case *next == was.ID:
			f.Fault(errs.New(errs.Invalid, "%s would be part of itself: choose a parent outside of it", Number(was.ID)).At("parent"))
			return id
		case depth == deepest:
			f.Fault(errs.New(errs.Invalid, "%s would lie more than %d incidents deep: choose a parent nearer to the top", Number(was.ID), deepest).At("parent"))
			return id
		}
		ancestor, err := p.desk.Take(ctx, tx, "parent", *next)
		if err != nil {
			f.Fault(err)
			return id
		}
		next = ancestor.ParentID
	}
	return id
}

// Assign gives an incident to a team or a person. It counts as a reassignment when somebody had it and somebody else
// gets it.
func (p *Practice) Assign(ctx context.Context, in Assign) (*ent.Incident, error) {
	return p.desk.Edit(ctx, "incident.assign", ticket.Seen(in.ID, in.ExpectedVersion), func(ctx context.Context, tx *store.Tx, was *ent.Incident, u *ent.IncidentUpdateOne) error {
		if err := editable(was); err != nil {
			return err
		}
		var f form.Form
		team := ticket.ReferenceOr(ctx, tx, &f, "assignmentTeam", ident.Team, in.AssignmentTeam, was.AssignmentTeamID)
		assignee := ticket.ReferenceOr(ctx, tx, &f, "assignee", ident.Person, in.Assignee, was.AssigneeID)
		if err := f.Err(); err != nil {
			return err
		}
		store.SetNillable(was.AssignmentTeamID, team, u.SetAssignmentTeamID, u.ClearAssignmentTeamID)
		store.SetNillable(was.AssigneeID, assignee, u.SetAssigneeID, u.ClearAssigneeID)
		isDropped := loses(was.AssignmentTeamID, team) || loses(was.AssigneeID, assignee)
		isTaken := loses(team, was.AssignmentTeamID) || loses(assignee, was.AssigneeID)
		if isDropped && isTaken {
			u.SetReassignmentCount(was.ReassignmentCount + 1)
		}
		if isDropped || isTaken {
			return tellAssigned(ctx, tx, was, team, assignee)
		}
		return nil
	})
}

// loses reports whether a record is named before and not after.
func loses(before, after *ident.ID) bool {
	return before != nil && (after == nil || *after != *before)
}
