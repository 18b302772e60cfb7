package identity

import (
	"context"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/session"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// ViewAs returns an account as an actor that reads what the account reads now, with the groups of its newest session.
// It is for admins who signed in not long ago, as long as that holds; the sign-in log has it under the account.
// Failures: errs.Forbidden, and errs.Forbidden for an account that is not there or may not act.
func (p *Practice) ViewAs(ctx context.Context, by auth.Actor, id string) (a auth.Actor, err error) {
	now := p.store.Now(ctx)
	if !by.Has(auth.Admin) || !by.IsFresh(now) {
		return a, errs.New(errs.Forbidden, "Linchpin-View-As is for an admin who signed in within the last %.0f minutes: sign in again", auth.FreshFor.Minutes())
	}
	of, err := ident.Parse(id)
	if err != nil || of.Kind() != ident.Account {
		return a, errs.New(errs.Forbidden, "Linchpin-View-As: %.40q is no id of an account, such as acc_1", id)
	}
	groups, err := session.GroupsOf(ctx, p.store, of)
	if err != nil {
		return a, err
	}
	a, ok, err := session.FindKnown(ctx, p.store, session.Known{Account: of, Groups: groups}, domain.ViaSession, auth.Pass{Expires: by.Pass.SignedIn.Add(auth.FreshFor)})
	if err != nil {
		return a, err
	}
	if !ok {
		return a, errs.New(errs.Forbidden, "Linchpin-View-As: there is no account %s that may act", of)
	}
	a.IsViewed = true
	_, err = store.Write(ctx, p.store, auth.System.By("account.view"), func(ctx context.Context, tx *store.Tx) (time.Time, error) {
		return tx.Now, noteSignIn(ctx, tx, "OK", of, session.View, "by "+by.Key())
	})
	return a, err
}
