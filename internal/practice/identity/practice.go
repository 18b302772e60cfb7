// Package identity owns accounts, the roles they are given, their tokens, and the ways in which people prove who they
// are. It refuses to let the last admin go, and to keep a secret where it could be read.
package identity

import (
	"context"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/account"
	"github.com/linchpin-cmdb/linchpin/ent/rolebinding"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/issuer"
	"github.com/linchpin-cmdb/linchpin/internal/auth/password"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
	"github.com/linchpin-cmdb/linchpin/internal/auth/session"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Practice holds the verbs. The records they return belong to a closed transaction: read their fields only.
type Practice struct {
	store  *store.Store
	keys   *secret.Keys // nil if nobody signs in: no secret is made
	hasher *password.Hasher

	// Local says who may sign in by a password.
	Local LocalSignIn
	// LongestToken bounds for how long a token holds: a day to 366 days.
	LongestToken time.Duration
	// Issuers are trusted to sign who calls; nil: none is.
	Issuers *issuer.Issuers
}

// New makes the practice over a database.
func New(s *store.Store, keys *secret.Keys) *Practice {
	return &Practice{store: s, keys: keys, hasher: password.NewHasher(), LongestToken: LongestTerm}
}

const longestName = 100

// errNoKeys refuses a secret where there is no key to keep its code by.
var errNoKeys = errs.New(errs.Forbidden, "secrets are not made here: there is no root key, which a server has that people sign in to")

// name reads a name that an account is shown by.
func name(f *form.Form, given string) string {
	text := f.Text("name", given, 1, longestName)
	if auth.IsReserved(text) || text == "dev" {
		f.Fault(errs.New(errs.Invalid, "%q names the program, not an account: choose another name", text).At("name"))
	}
	return text
}

// lock reads an account and keeps others from writing it until the transaction ends.
func lock(ctx context.Context, tx *store.Tx, id ident.ID, field string) (*ent.Account, error) {
	if err := form.Kind(id, ident.Account, field); err != nil {
		return nil, err
	}
	found, err := store.Lock(ctx, tx, tx.Account.Query().Where(account.ID(id)))
	switch {
	case ent.IsNotFound(err):
		return nil, form.Missing(id, field)
	case err != nil:
		return nil, err
	case found.State == domain.AccountErased:
		return nil, errs.New(errs.Invalid, "the account %s is erased", id).At(field)
	}
	return found, nil
}

// roles reads a list of roles.
func roles(given []auth.Role) []auth.Role {
	var all []auth.Role
	for _, role := range auth.AllRoles {
		for _, g := range given {
			if g == role {
				all = append(all, role)
				break
			}
		}
	}
	return all
}

// keepAnAdmin runs take, and refuses to go on if nobody is left who looks after accounts, and there was somebody.
// Before it locks the head, so that two that take each other's role stand in line.
func keepAnAdmin(ctx context.Context, tx *store.Tx, take func() error) error {
	if err := session.Taken(ctx, tx); err != nil {
		return err
	}
	had, err := hasAdmin(ctx, tx.Client())
	if err != nil {
		return err
	}
	if err := take(); err != nil {
		return err
	}
	left, err := hasAdmin(ctx, tx.Client())
	if err != nil || left || !had {
		return err
	}
	return errs.New(errs.LastAdmin, "no person with the role ADMIN would be left, and nobody could look after accounts: give it to somebody else first").At("id")
}

// hasAdmin reports whether there is a person who looks after accounts.
func hasAdmin(ctx context.Context, c *ent.Client) (bool, error) {
	return c.RoleBinding.Query().Where(rolebinding.Role(string(auth.Admin)), rolebinding.TeamIDIsNil(), rolebinding.ExpiresAtIsNil(),
		rolebinding.HasAccountWith(account.StateEQ(domain.AccountActive), account.KindEQ(domain.PersonAccount))).Exist(ctx)
}

// mayActFor returns an error if the actor may do a thing of an account: it is their own, or they are an admin.
func mayActFor(ctx context.Context, of ident.ID, what string) error {
	actor, _ := auth.From(ctx)
	if actor.Has(auth.Admin) || actor.Account != nil && *actor.Account == of {
		return nil
	}
	return errs.New(errs.Forbidden, "%s may not %s of others: it takes the role %s", actor.Name, what, auth.Admin)
}
