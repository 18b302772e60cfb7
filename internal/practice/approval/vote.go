package approval

import (
	"context"
	"strconv"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/approval"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

const mostApprovers = 20

// Ask asks actors for their votes on a locked record. It returns what to say about it in the timeline.
func Ask(ctx context.Context, tx *store.Tx, s Subject, approvers []string, required []Requirement) (said string, err error) {
	names, err := checkApprovers(approvers, s, required)
	if err != nil || len(names) == 0 {
		return Said(required), err
	}
	asked := make([]*ent.ApprovalCreate, len(names))
	for i, name := range names {
		asked[i] = tx.Approval.Create().SetRecordID(s.ID).SetApprover(name).SetCreatedAt(tx.Now)
	}
	return strings.TrimSpace("Asked: " + form.List(names, "and") + ". " + Said(required)), tx.Approval.CreateBulk(asked...).Exec(ctx)
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

// checkApprovers checks the names of the actors to ask: if a policy applies, there may be none.
func checkApprovers(asked []string, s Subject, required []Requirement) ([]string, error) {
	var f form.Form
	least := 1
	if len(required) > 0 && required[0].Policy != nil {
		least = 0
	}
	switch {
	case len(asked) < least:
		f.Fault(errs.New(errs.Invalid, "no approval policy applies to the %s: name 1 to %d approvers", s.ID.Kind().Noun(), mostApprovers).At("approvers"))
		return nil, f.Err()
	case !f.Most("approvers", len(asked), mostApprovers):
		return nil, f.Err()
	}
	seen := map[string]bool{}
	names := make([]string, len(asked))
	for i, name := range asked {
		at := strconv.Itoa(i)
		var one form.Form
		names[i] = one.Text(at, name, 1, ticket.LongestWord)
		f.Fault(one.Err(), "approvers")
		folded := strings.ToLower(names[i])
		if role, ok := s.Involved[folded]; ok {
			f.Fault(errs.New(errs.Invalid, "%s %s: somebody else must approve it", names[i], role).At("approvers", at))
		}
		if seen[folded] && folded != "" {
			f.Fault(errs.New(errs.Invalid, "%s is named twice", names[i]).At("approvers", at))
		}
		seen[folded] = true
	}
	return names, f.Err()
}

// Vote writes down the vote of the actor on a locked record, in place of one that they gave before. An actor who is
// involved has no vote; anybody else has one, asked or not. A rejection needs its reason.
func Vote(ctx context.Context, tx *store.Tx, s Subject, decision domain.Decision, comment string) error {
	if role, ok := s.Involved[strings.ToLower(tx.Actor)]; ok {
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
	teams, roles, err := standing(ctx, tx.Client())
	if err != nil {
		return err
	}
	for _, v := range votes {
		if v.Approver == tx.Actor {
			return tx.Approval.UpdateOne(v).SetDecision(decision).SetComment(comment).SetTeams(teams).SetRoles(roles).SetDecidedAt(tx.Now).Exec(ctx)
		}
	}
	return tx.Approval.Create().SetRecordID(s.ID).SetApprover(tx.Actor).SetDecision(decision).SetComment(comment).
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
