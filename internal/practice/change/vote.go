package change

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/practice/approval"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// RequestApproval asks for votes: ASSESS to AUTHORIZE, or NEW to AUTHORIZE for an EMERGENCY change.
func (p *Practice) RequestApproval(ctx context.Context, in RequestApproval) (*ent.Change, error) {
	return p.desk.Move(ctx, "requestChangeApproval", ticket.Seen(in.ID, in.ExpectedVersion),
		func(ctx context.Context, tx *store.Tx, was *ent.Change, _ *ent.ChangeUpdateOne) (string, error) {
			if missing := missingForApproval(was); len(missing) > 0 {
				return "", refused(was, "cannot be approved: missing: %s", form.List(missing, "and")).At("id")
			}
			of, err := subject(ctx, tx, was)
			if err != nil {
				return "", err
			}
			required, err := p.requirements(ctx, tx, was)
			if err != nil {
				return "", err
			}
			return approval.Ask(ctx, tx, of, approval.Asked{Names: in.Approvers, Accounts: in.ApproverAccounts}, required)
		})
}

// Approve says yes to a change in AUTHORIZE. The drafter and the requester have no vote; anybody else who may call this
// has one, asked or not.
func (p *Practice) Approve(ctx context.Context, in Approve) (*ent.Change, error) {
	return p.vote(ctx, "change.approve", ticket.Seen(in.ID, in.ExpectedVersion), domain.Approved, form.Or(in.Comment, ""))
}

// Reject says no to a change in AUTHORIZE, and why. The change stays there until it is returned, canceled, or the vote
// becomes a yes.
func (p *Practice) Reject(ctx context.Context, in Reject) (*ent.Change, error) {
	return p.vote(ctx, "change.reject", ticket.Seen(in.ID, in.ExpectedVersion), domain.Rejected, in.Comment)
}

func (p *Practice) vote(ctx context.Context, verb string, of ticket.Target, decision domain.Decision, comment string) (*ent.Change, error) {
	return p.desk.Edit(ctx, verb, of, func(ctx context.Context, tx *store.Tx, was *ent.Change, u *ent.ChangeUpdateOne) error {
		if was.State != domain.ChangeAuthorize {
			if was.Type == domain.Standard {
				return refused(was, "is STANDARD: its template approves it, and nobody votes on it").At("id")
			}
			return refused(was, "is in %s: votes are taken in %s, where requestChangeApproval leads", was.State, domain.ChangeAuthorize).At("id")
		}
		of, err := subject(ctx, tx, was)
		if err != nil {
			return err
		}
		required, err := p.requirements(ctx, tx, was)
		if err != nil {
			return err
		}
		u.SetUpdatedAt(tx.Now) // a reader that saw the change without this vote has not seen it as it is
		return approval.Vote(ctx, tx, of, required, decision, comment)
	})
}
