package approval

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/approval"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Ask asks accounts for their votes on a locked record. It returns what to say about it in the timeline.
func Ask(ctx context.Context, tx *store.Tx, s Subject, asked Asked, required []Requirement) (said string, err error) {
	accounts, err := checkApprovers(ctx, tx, asked, s, required)
	if err != nil || len(accounts) == 0 {
		return Said(required), err
	}
	names := make([]string, len(accounts))
	requests := make([]*ent.ApprovalCreate, len(accounts))
	for i, a := range accounts {
		names[i] = a.Name
		requests[i] = tx.Approval.Create().SetRecordID(s.ID).SetApprover(a.Name).SetApproverID(a.ID).SetCreatedAt(tx.Now)
	}
	return strings.TrimSpace("Asked: " + form.List(names, "and") + ". " + Said(required)), tx.Approval.CreateBulk(requests...).Exec(ctx)
}

// Said tells what policies ask for; nothing where none applies.
func Said(required []Requirement) string {
	var said []string
	for _, r := range required {
		if r.Policy != nil {
			said = append(said, r.Summary()+".")
		}
	}
	return strings.Join(said, " ")
}

// Vote writes down the vote of the actor on a locked record, in place of one that they gave before. An actor who is
// involved has no vote, and no program has one; who is not asked by name has one if required, what approvals the record
// needs, asks their team or role. A rejection needs its reason.
func Vote(ctx context.Context, tx *store.Tx, s Subject, required []Requirement, decision domain.Decision, comment string) error {
	voter, err := voterOf(ctx, tx)
	if err != nil {
		return err
	}
	if role, ok := s.involves(voter); ok {
		return errs.New(errs.TransitionRefused, "%s needs the vote of somebody else: %s %s", s.Number, tx.Actor, role).At("id")
	}
	least := 0
	if decision == domain.Rejected {
		least = 1
	}
	var f form.Form
	comment = f.Text("comment", comment, least, ticket.LongestText)
	if err := f.Err(); err != nil {
		return err
	}
	votes, err := votesOn(ctx, tx, s.ID)
	if err != nil {
		return err
	}
	teams, roles, err := standing(ctx, tx.Client(), voter)
	if err != nil {
		return err
	}
	isNamed := slices.ContainsFunc(votes, func(v *ent.Approval) bool { return v.ApproverID != nil && *v.ApproverID == voter.account })
	if !isNamed && !isLet(required, teams, roles) {
		return errs.New(errs.TransitionRefused, "%s needs no vote of %s: nobody has asked for it, and no approval policy asks their teams or roles", s.Number, tx.Actor).At("id")
	}
	for _, v := range votes {
		if v.ApproverID != nil && *v.ApproverID == voter.account {
			return tx.Approval.UpdateOne(v).SetDecision(decision).SetComment(comment).SetTeams(teams).SetRoles(roles).SetDecidedAt(tx.Now).Exec(ctx)
		}
	}
	return tx.Approval.Create().SetRecordID(s.ID).SetApprover(tx.Actor).SetApproverID(voter.account).SetDecision(decision).SetComment(comment).
		SetTeams(teams).SetRoles(roles).SetCreatedAt(tx.Now).SetDecidedAt(tx.Now).Exec(ctx)
}

// votesOn lists the votes that count, asked for or given, the oldest first.
func votesOn(ctx context.Context, tx *store.Tx, record ident.ID) ([]*ent.Approval, error) {
	return tx.Approval.Query().Where(approval.RecordID(record), approval.DecisionNEQ(domain.Voided)).
		Order(ent.Asc(approval.FieldID)).All(ctx)
}

// Void takes back what was voted on a locked record, and says why it no longer counts.
func Void(ctx context.Context, tx *store.Tx, record ident.ID, because string) error {
	votes, err := votesOn(ctx, tx, record)
	if err != nil {
		return err
	}
	for _, v := range votes {
		if err := tx.Approval.UpdateOne(v).SetDecision(domain.Voided).SetVoidedBecause(because).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// VoidOwn takes back the votes on a locked record of those that are involved in it, and returns their names. If votes
// may not be taken back any more, it only returns the names of those that voted.
func VoidOwn(ctx context.Context, tx *store.Tx, s Subject, mayVoid bool) (names []string, err error) {
	votes, err := votesOn(ctx, tx, s.ID)
	if err != nil {
		return nil, err
	}
	var accounts []ident.ID
	for _, v := range votes {
		if v.ApproverID != nil {
			accounts = append(accounts, *v.ApproverID)
		}
	}
	people, err := auth.People(ctx, tx.Client(), accounts)
	if err != nil {
		return nil, err
	}
	for _, v := range votes {
		if v.ApproverID == nil {
			continue
		}
		why, ok := s.involves(voter{*v.ApproverID, people[*v.ApproverID]})
		if !ok || !mayVoid && v.Decision == domain.Requested {
			continue
		}
		names = append(names, v.Approver)
		if mayVoid {
			because := fmt.Sprintf("%s %s: nobody approves their own.", v.Approver, why)
			if err := tx.Approval.UpdateOne(v).SetDecision(domain.Voided).SetVoidedBecause(because).Exec(ctx); err != nil {
				return nil, err
			}
		}
	}
	return names, nil
}

// Open says what stands between a record and its approval.
func Open(ctx context.Context, tx *store.Tx, record ident.ID, required []Requirement) ([]string, error) {
	votes, err := votesOn(ctx, tx, record)
	if err != nil {
		return nil, err
	}
	var open, silent, against []string
	for _, r := range required {
		if !r.IsMet() {
			open = append(open, r.Summary())
		}
	}
	for _, v := range votes {
		switch v.Decision {
		case domain.Requested:
			silent = append(silent, v.Approver)
		case domain.Rejected:
			against = append(against, v.Approver)
		case domain.Approved, domain.Voided:
		}
	}
	if len(silent) > 0 {
		open = append(open, "approvals are awaited of "+form.List(silent, "and"))
	}
	if len(against) > 0 {
		open = append(open, "it was rejected by "+form.List(against, "and"))
	}
	return open, nil
}
