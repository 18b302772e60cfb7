package change

import (
	"context"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/approval"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/rule/lifecycle"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// The parts of a change that people vote on beside the texts, in the words of the timeline.
const (
	theScope      = "scope"
	theWindow     = "window"
	theOperations = "planned operations"
)

// edit is what an update alters of a change, in the words of its timeline.
type edit struct {
	bounds []string // scope, window and planned operations: what is done, and when
	texts  []string // those that people vote on
	rest   []string // all else
}

// compare returns what a change says otherwise than before, beside its scope and operations.
func compare(was, is *ent.Change) (e edit) {
	note := func(in *[]string, isOther bool, words string) {
		if isOther {
			*in = append(*in, words)
		}
	}
	note(&e.bounds, !equal(was.PlannedStart, is.PlannedStart) || !equal(was.PlannedEnd, is.PlannedEnd), theWindow)
	note(&e.texts, was.Plan != is.Plan, "plan")
	note(&e.texts, was.BackoutPlan != is.BackoutPlan, "backout plan")
	note(&e.texts, was.TestPlan != is.TestPlan, "test plan")
	note(&e.texts, was.Justification != is.Justification, "justification")
	note(&e.rest, was.Title != is.Title, "title, which was "+was.Title)
	note(&e.rest, was.Description != is.Description, "description")
	note(&e.rest, was.Type != is.Type, "type, which was "+string(was.Type))
	note(&e.rest, !sameID(was.TemplateID, is.TemplateID), "template")
	note(&e.rest, !sameID(was.RequesterID, is.RequesterID), "requester")
	note(&e.rest, !sameID(was.AssigneeID, is.AssigneeID), "assignee")
	note(&e.rest, !sameID(was.AssignmentTeamID, is.AssignmentTeamID), "assignment team")
	return e
}

// voted lists what people vote on.
func (e edit) voted() []string { return append(append([]string(nil), e.bounds...), e.texts...) }

// refused refuses what the state of a change does not let be edited: once it is carried out, what is done and when;
// before that, all that people voted on, unless they still vote. Nobody votes on a STANDARD change: its template
// approves it as long as it covers it.
func (e edit) refused(was *ent.Change) error {
	switch voted := e.voted(); {
	case !was.State.IsOpen():
		return refused(was, "is %s: it can be commented on, not edited", was.State).At("id")
	case len(e.bounds) > 0 && (was.State == domain.ChangeImplement || was.State == domain.ChangeReview):
		return refused(was, "is in %s: its %s cannot change any more; cancel it, or finish it, and draft another", was.State, form.List(e.bounds, "and")).At("id")
	case len(voted) > 0 && was.State == domain.ChangeScheduled && was.Type != domain.Standard:
		return refused(was, "is in %s, and people voted on its %s: send it back to %s by returnChange, edit it there, and have it approved anew",
			was.State, form.List(voted, "and"), domain.ChangeNew).At("id")
	}
	return nil
}

// voidOwn takes back the vote of the new requester of a change: nobody approves their own. Once the votes were counted,
// a requester that voted is refused.
func (e *edit) voidOwn(ctx context.Context, tx *store.Tx, was, is *ent.Change) error {
	of, err := subject(ctx, tx, is)
	if err != nil {
		return err
	}
	isCounted := was.State == domain.ChangeScheduled || was.State == domain.ChangeImplement || was.State == domain.ChangeReview
	voters, err := approval.VoidOwn(ctx, tx, of, !isCounted)
	if err != nil || len(voters) == 0 {
		return err
	}
	if isCounted {
		return refused(was, "is in %s, and %s voted on it: somebody that did not has to ask for it, or returnChange sends it back to be approved anew",
			was.State, form.List(voters, "and")).At("requester")
	}
	e.rest = append(e.rest, "the vote of "+form.List(voters, "and")+" no longer counts")
	return nil
}

// tell writes an edit into the timeline. It sends a change back whose votes were for what it said before.
func (e edit) tell(ctx context.Context, tx *store.Tx, was *ent.Change, u *ent.ChangeUpdateOne) error {
	voted, rest := e.voted(), e.rest
	to, isSetBack := lifecycle.SetBack(was.Type, was.State)
	if len(voted) == 0 || !isSetBack {
		rest = append(voted, rest...)
	}
	if len(rest) > 0 {
		if err := ticket.Edited(ctx, tx, was.ID, "Edited: "+strings.Join(rest, "; ")+"."); err != nil {
			return err
		}
	}
	if len(voted) == 0 || !isSetBack {
		return nil
	}
	verb := "is"
	if len(voted) > 1 || voted[0] == theOperations {
		verb = "are"
	}
	return setBack(ctx, tx, was, u, to, "The "+form.List(voted, "and")+" "+verb+" new: the votes no longer count.")
}

func sameID(a, b *ident.ID) bool { return a == b || a != nil && b != nil && *a == *b }
