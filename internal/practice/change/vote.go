package change

import (
	"context"
	"strconv"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/approval"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

const mostApprovers = 20

// RequestApproval asks for votes: ASSESS to AUTHORIZE, or NEW to AUTHORIZE for an EMERGENCY change.
func (p *Practice) RequestApproval(ctx context.Context, in RequestApproval) (*ent.Change, error) {
	return p.desk.Move(ctx, "requestChangeApproval", ticket.Seen(in.ID, in.ExpectedVersion),
		func(ctx context.Context, tx *store.Tx, was *ent.Change, _ *ent.ChangeUpdateOne) (string, error) {
			if missing := missingForApproval(was); len(missing) > 0 {
				return "", refused(was, "cannot be approved: missing: %s", list(missing)).At("id")
			}
			involved, err := involvedIn(ctx, tx.Client(), []*ent.Change{was})
			if err != nil {
				return "", err
			}
			required, err := p.requirements(ctx, tx, was)
			if err != nil {
				return "", err
			}
			names, err := approvers(in.Approvers, involved[was.ID], required)
			if err != nil || len(names) == 0 {
				return askedBy(required), err
			}
			asked := make([]*ent.ApprovalCreate, len(names))
			for i, name := range names {
				asked[i] = tx.Approval.Create().SetChangeID(was.ID).SetApprover(name).SetCreatedAt(tx.Now)
			}
			return strings.TrimSpace("Asked: " + list(names) + ". " + askedBy(required)), tx.Approval.CreateBulk(asked...).Exec(ctx)
		})
}

// askedBy tells what policies ask for; nothing where none applies.
func askedBy(required []Requirement) string {
	var said []string
	for _, r := range required {
		if r.Policy != nil {
			said = append(said, r.Summary()+".")
		}
	}
	return strings.Join(said, " ")
}

// approvers checks the names of the actors to ask: nobody has to be named where policies say who is.
func approvers(asked []string, involved map[string]string, required []Requirement) ([]string, error) {
	var f form.Form
	least := 1
	if len(required) > 0 && required[0].Policy != nil {
		least = 0
	}
	switch {
	case len(asked) < least:
		f.Fault(errs.New(errs.Invalid, "no approval policy applies to the change: name 1 to %d approvers", mostApprovers).At("approvers"))
		return nil, f.Err()
	case len(asked) > mostApprovers:
		f.Fault(errs.New(errs.Invalid, "%d approvers: 1 to %d are asked", len(asked), mostApprovers).At("approvers"))
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
		if role, is := involved[folded]; is {
			f.Fault(errs.New(errs.Invalid, "%s %s: somebody else must approve it", names[i], role).At("approvers", at))
		}
		if seen[folded] && folded != "" {
			f.Fault(errs.New(errs.Invalid, "%s is named twice", names[i]).At("approvers", at))
		}
		seen[folded] = true
	}
	return names, f.Err()
}

// Approve says yes to a change in AUTHORIZE. The drafter and the requester have no vote; anybody else who may call this has one, asked or not.
func (p *Practice) Approve(ctx context.Context, in Approve) (*ent.Change, error) {
	return p.vote(ctx, "change.approve", ticket.Seen(in.ID, in.ExpectedVersion), domain.Approved,
		func(f *form.Form) string {
			return f.Text("comment", form.Or(in.Comment, ""), 0, ticket.LongestText)
		})
}

// Reject says no to a change in AUTHORIZE, and why. The change stays there until it is returned, canceled, or the vote becomes a yes.
func (p *Practice) Reject(ctx context.Context, in Reject) (*ent.Change, error) {
	return p.vote(ctx, "change.reject", ticket.Seen(in.ID, in.ExpectedVersion), domain.Rejected,
		func(f *form.Form) string { return f.Text("comment", in.Comment, 1, ticket.LongestText) })
}

func (p *Practice) vote(ctx context.Context, verb string, of ticket.Target, decision domain.Decision, said func(*form.Form) string) (*ent.Change, error) {
	return p.desk.Edit(ctx, verb, of, func(ctx context.Context, tx *store.Tx, was *ent.Change, u *ent.ChangeUpdateOne) error {
		if was.State != domain.ChangeAuthorize {
			if was.Type == domain.Standard {
				return refused(was, "is STANDARD: its template approves it, and nobody votes on it").At("id")
			}
			return refused(was, "is in %s: votes are taken in %s, where requestChangeApproval leads", was.State, domain.ChangeAuthorize).At("id")
		}
		involved, err := involvedIn(ctx, tx.Client(), []*ent.Change{was})
		if err != nil {
			return err
		}
		if role, is := involved[was.ID][strings.ToLower(tx.Actor)]; is {
			return refused(was, "needs the vote of somebody else: %s %s", tx.Actor, role).At("id")
		}
		var f form.Form
		comment := said(&f)
		if err := f.Err(); err != nil {
			return err
		}
		votes, err := votesOn(ctx, tx, was)
		if err != nil {
			return err
		}
		teams, roles, err := standing(ctx, tx.Client())
		if err != nil {
			return err
		}
		u.SetUpdatedAt(tx.Now) // whoever has seen the change without this vote has not seen it as it is
		for _, v := range votes {
			if v.Approver == tx.Actor {
				return tx.Approval.UpdateOne(v).SetDecision(decision).SetComment(comment).SetTeams(teams).SetRoles(roles).SetDecidedAt(tx.Now).Exec(ctx)
			}
		}
		return tx.Approval.Create().SetChangeID(was.ID).SetApprover(tx.Actor).SetDecision(decision).SetComment(comment).
			SetTeams(teams).SetRoles(roles).SetCreatedAt(tx.Now).SetDecidedAt(tx.Now).Exec(ctx)
	})
}

// votesOn lists the votes that count, asked for or given, the oldest first.
func votesOn(ctx context.Context, tx *store.Tx, c *ent.Change) ([]*ent.Approval, error) {
	return tx.Approval.Query().Where(approval.ChangeID(c.ID), approval.DecisionNEQ(domain.Voided)).
		Order(ent.Asc(approval.FieldID)).All(ctx)
}

// voidVotes takes back what was voted, and says why it no longer counts.
func voidVotes(ctx context.Context, tx *store.Tx, c *ent.Change, because string) error {
	votes, err := votesOn(ctx, tx, c)
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

// openVotes says what stands between a change and its approval; nothing for a STANDARD one.
func openVotes(ctx context.Context, tx *store.Tx, c *ent.Change, required []Requirement) ([]string, error) {
	if c.Type == domain.Standard {
		return nil, nil
	}
	votes, err := votesOn(ctx, tx, c)
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
		open = append(open, "approvals are awaited of "+list(silent))
	}
	if len(against) > 0 {
		open = append(open, "it was rejected by "+list(against))
	}
	return open, nil
}
