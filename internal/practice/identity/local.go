package identity

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/rolebinding"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/session"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// LocalSignIn says who may sign in by a password that this server keeps. The zero value is LocalOn.
type LocalSignIn string

// Whom a server lets sign in by a password.
const (
	LocalOn     LocalSignIn = "on"
	LocalAdmins LocalSignIn = "admins"
	LocalOff    LocalSignIn = "off"
)

// ErrNotLocal says that a link leads to no password here.
var ErrNotLocal = errs.New(errs.Forbidden, "people sign in by a provider here: no password is set")

// isLocal reports whether an account may sign in by a password. Roles of a provider's groups do not count.
func (p *Practice) isLocal(ctx context.Context, c *ent.Client, of *ent.Account) (bool, error) {
	switch p.Local {
	case LocalOff:
		return false, nil
	case LocalAdmins:
		return c.RoleBinding.Query().Where(rolebinding.AccountID(of.ID), rolebinding.Role(string(auth.Admin)), rolebinding.TeamIDIsNil(),
			rolebinding.Or(rolebinding.ExpiresAtIsNil(), rolebinding.ExpiresAtGT(p.store.Now(ctx)))).Exist(ctx)
	case LocalOn:
	}
	return true, nil
}

// mayClaim returns an error if a link may not lead to a password. Those that were made by somebody who has the database
// or the machine in hand always do.
func (p *Practice) mayClaim(ctx context.Context, tx *store.Tx, of *ent.Account, method session.Method) error {
	if method == session.SetUp || method == session.BreakGlass {
		return nil
	}
	ok, err := p.isLocal(ctx, tx.Client(), of)
	if err == nil && !ok {
		err = ErrNotLocal
	}
	return err
}
