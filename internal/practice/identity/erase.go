package identity

import (
	"context"
	"errors"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/account"
	"github.com/linchpin-cmdb/linchpin/ent/apitoken"
	"github.com/linchpin-cmdb/linchpin/ent/rolebinding"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/session"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// EraseAccount names the account whose person nobody is to know any more, and why.
type EraseAccount struct {
	ID     ident.ID
	Reason string
}

const longestReason = 1000

// Erase takes the name and the address of an account and of its person out of all that is kept of them, for good: out
// of both records and their past, and out of what the account wrote or signed. It ends what the account may do. The
// acts of the account stay, under its id, and so do texts that people wrote, and names in them. An erasure that was cut
// short goes on if it is asked for again.
func (p *Practice) Erase(ctx context.Context, in EraseAccount) (*ent.Account, error) {
	erased, err := auth.Write(ctx, p.store, store.EraseVerb, func(ctx context.Context, tx *store.Tx) (is *ent.Account, err error) {
		err = keepAnAdmin(ctx, tx, func() error { is, err = erase(ctx, tx, in); return err })
		return is, err
	})
	for isMore := err == nil; isMore && err == nil; {
		isMore, err = auth.Write(ctx, p.store, store.EraseVerb, func(ctx context.Context, tx *store.Tx) (bool, error) {
			return tx.EraseName(ctx, in.ID, in.Reason)
		})
	}
	return erased, err
}

// erase does what is to be done at once.
func erase(ctx context.Context, tx *store.Tx, in EraseAccount) (*ent.Account, error) {
	var f form.Form
	reason := f.Text("reason", in.Reason, 1, longestReason)
	if actor, _ := auth.From(ctx); actor.Account != nil && *actor.Account == in.ID {
		f.Fault(errs.New(errs.Invalid, "nobody erases their own account, which would have to tell of it: ask another admin").At("id"))
	}
	if err := errors.Join(f.Err(), form.Kind(in.ID, ident.Account, "id"), tx.MayChangeJournal(ctx)); err != nil {
		return nil, err
	}
	was, err := store.Lock(ctx, tx, tx.Account.Query().Where(account.ID(in.ID)))
	switch {
	case ent.IsNotFound(err):
		return nil, form.Missing(in.ID, "id")
	case err != nil || was.State == domain.AccountErased:
		return was, err
	}
	tokens, err := tx.APIToken.Query().Where(apitoken.AccountID(was.ID)).All(ctx)
	if err != nil {
		return nil, err
	}
	records := []ident.ID{was.ID}
	for _, t := range tokens {
		records = append(records, t.ID)
	}
	if was.PersonID != nil {
		records = append(records, *was.PersonID)
	}
	for _, record := range records {
		if _, err := tx.Redact(ctx, record, reason); err != nil && errs.CodeOf(err) != errs.NotFound {
			return nil, err
		}
		tx.Forget(record)
	}
	if err := endAll(ctx, tx, was, tokens); err != nil {
		return nil, err
	}
	if was.PersonID != nil {
		if err := tx.Person.UpdateOneID(*was.PersonID).SetName(store.Erased).SetEmail("").AddVersion(1).SetUpdatedAt(tx.Now).Exec(ctx); err != nil {
			return nil, err
		}
	}
	return tx.Account.UpdateOne(was).SetName(store.Erased).SetEmail("").ClearIssuer().ClearSubject().ClearLocalName().ClearPersonID().
		SetState(domain.AccountErased).AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
}

// endAll ends all that an account may do, and forgets how it signed in, and from where.
func endAll(ctx context.Context, tx *store.Tx, of *ent.Account, tokens []*ent.APIToken) error {
	if err := session.End(ctx, tx, session.Ended{Account: &of.ID}); err != nil {
		return err
	}
	for _, statement := range []string{"DELETE FROM x_password WHERE account_id = $1", "DELETE FROM x_sign_in WHERE account_id = $1"} {
		if _, err := tx.ExecContext(ctx, statement, int64(of.ID)); err != nil {
			return err
		}
	}
	for _, t := range tokens {
		u := tx.APIToken.UpdateOne(t).SetName(store.Erased)
		if t.RevokedAt == nil {
			u.SetRevokedAt(tx.Now)
		}
		if err := u.Exec(ctx); err != nil {
			return err
		}
	}
	given, err := tx.RoleBinding.Query().Where(rolebinding.AccountID(of.ID)).All(ctx)
	for _, b := range given {
		err = errors.Join(err, tx.RoleBinding.DeleteOne(b).Exec(ctx))
	}
	return err
}
