package change

import (
	"context"
	"strconv"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/approval"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

const mostApprovers = 20

// RequestApproval asks for votes: ASSESS to AUTHORIZE, or NEW to AUTHORIZE for an EMERGENCY change.
func (p *Practice) RequestApproval(ctx context.Context, in RequestApproval) (*ent.Change, error) {
	return p.move(ctx, "requestChangeApproval", target{in.ID, in.ExpectedVersion},
		func(ctx context.Context, tx *store.Tx, was *ent.Change, _ *ent.ChangeUpdateOne) (string, error) {
			if missing := missingForApproval(was); len(missing) > 0 {
				return "", refused(was, "cannot be approved: missing: %s", list(missing))
			}
			involved, err := involvedIn(ctx, tx, was)
			if err != nil {
				return "", err
			}
			names, err := approvers(in.Approvers, involved)
			if err != nil {
				return "", err
			}
			asked := make([]*ent.ApprovalCreate, len(names))
			for i, name := range names {
				asked[i] = tx.Approval.Create().SetChangeID(was.ID).SetApprover(name).SetCreatedAt(tx.Now)
			}
			return "Asked: " + list(names) + ".", tx.Approval.CreateBulk(asked...).Exec(ctx)
		})
}

// approvers checks the names of the actors to ask.
func approvers(asked []string, involved map[string]string) ([]string, error) {
	var f ticket.Form
	if len(asked) < 1 || len(asked) > mostApprovers {
		f.Fault(errs.New(errs.Invalid, "%d approvers: 1 to %d are asked", len(asked), mostApprovers).At("approvers"))
		return nil, f.Err()
	}
	seen := map[string]bool{}
	names := make([]string, len(asked))
	for i, name := range asked {
		at := strconv.Itoa(i)
		var one ticket.Form
		names[i] = one.Text(at, name, 1, ticket.LongestWord)
		f.Below(&one, "approvers")
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

// involvedIn names, in lower case, who cannot vote on a change, and why.
func involvedIn(ctx context.Context, tx *store.Tx, c *ent.Change) (map[string]string, error) {
	involved := map[string]string{}
	if c.RequesterID != nil {
		requester, err := tx.Person.Get(ctx, *c.RequesterID)
		if err != nil {
			return nil, err
		}
		involved[strings.ToLower(requester.Name)] = "asked for the change"
	}
	involved[strings.ToLower(c.RequestedBy)] = "drafted the change"
	return involved, nil
}

// Approve says yes to a change in AUTHORIZE. The drafter and the requester have no vote; anybody else who may call this has one, asked or not.
func (p *Practice) Approve(ctx context.Context, in Approve) (*ent.Change, error) {
	return p.vote(ctx, "change.approve", target{in.ID, in.ExpectedVersion}, domain.Approved,
		func(f *ticket.Form) string {
			return f.Text("comment", ticket.Given(in.Comment, ""), 0, ticket.LongestText)
		})
}

// Reject says no to a change in AUTHORIZE, and why. The change stays there until it is returned, canceled, or the vote becomes a yes.
func (p *Practice) Reject(ctx context.Context, in Reject) (*ent.Change, error) {
	return p.vote(ctx, "change.reject", target{in.ID, in.ExpectedVersion}, domain.Rejected,
		func(f *ticket.Form) string { return f.Text("comment", in.Comment, 1, ticket.LongestText) })
}

func (p *Practice) vote(ctx context.Context, verb string, of target, decision domain.Decision, said func(*ticket.Form) string) (*ent.Change, error) {
	return p.edit(ctx, verb, of, func(ctx context.Context, tx *store.Tx, was *ent.Change, u *ent.ChangeUpdateOne) error {
		if was.State != domain.ChangeAuthorize {
			return refused(was, "is in %s: votes are taken in %s", was.State, domain.ChangeAuthorize)
		}
		involved, err := involvedIn(ctx, tx, was)
		if err != nil {
			return err
		}
		if role, is := involved[strings.ToLower(tx.Actor)]; is {
			return refused(was, "needs the vote of somebody else: %s %s", tx.Actor, role)
		}
		var f ticket.Form
		comment := said(&f)
		if err := f.Err(); err != nil {
			return err
		}
		votes, err := votesOn(ctx, tx, was)
		if err != nil {
			return err
		}
		u.SetUpdatedAt(tx.Now) // whoever has seen the change without this vote has not seen it as it is
		for _, v := range votes {
			if v.Approver == tx.Actor {
				return tx.Approval.UpdateOne(v).SetDecision(decision).SetComment(comment).SetDecidedAt(tx.Now).Exec(ctx)
			}
		}
		return tx.Approval.Create().SetChangeID(was.ID).SetApprover(tx.Actor).SetDecision(decision).SetComment(comment).
			SetCreatedAt(tx.Now).SetDecidedAt(tx.Now).Exec(ctx)
	})
}

// votesOn lists the votes that count, asked for or given, the oldest first.
func votesOn(ctx context.Context, tx *store.Tx, c *ent.Change) ([]*ent.Approval, error) {
	return tx.Approval.Query().Where(approval.ChangeID(c.ID), approval.DecisionNEQ(domain.Voided)).
		Order(ent.Asc(approval.FieldID)).All(ctx)
}

// voidVotes takes back what was voted, since it was about something else.
func voidVotes(ctx context.Context, tx *store.Tx, c *ent.Change) error {
	votes, err := votesOn(ctx, tx, c)
	if err != nil {
		return err
	}
	for _, v := range votes {
		if err := tx.Approval.UpdateOne(v).SetDecision(domain.Voided).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// openVotes says what stands between a change and its approval; nothing for a STANDARD one.
func openVotes(ctx context.Context, tx *store.Tx, c *ent.Change) ([]string, error) {
	if c.Type == domain.Standard {
		return nil, nil
	}
	votes, err := votesOn(ctx, tx, c)
	if err != nil {
		return nil, err
	}
	var open, silent, against []string
	approved := 0
	for _, v := range votes {
		switch v.Decision {
		case domain.Approved:
			approved++
		case domain.Requested:
			silent = append(silent, v.Approver)
		case domain.Rejected:
			against = append(against, v.Approver)
		case domain.Voided:
		}
	}
	if approved == 0 {
		open = append(open, "nobody has approved it")
	}
	if len(silent) > 0 {
		open = append(open, "approvals are awaited of "+list(silent))
	}
	if len(against) > 0 {
		open = append(open, "it was rejected by "+list(against))
	}
	return open, nil
}
