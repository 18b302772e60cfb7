package identity

import (
	"context"
	"strings"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/apitoken"
	"github.com/linchpin-cmdb/linchpin/ent/rolebinding"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
	"github.com/linchpin-cmdb/linchpin/internal/auth/session"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Bounds of tokens; a server may set a lower one than LongestTerm.
const (
	mostTokens   = 50 // of an account
	usualTerm    = 90 * 24 * time.Hour
	ShortestTerm = 24 * time.Hour
	LongestTerm  = 366 * 24 * time.Hour
	shownRoles   = ", "
	nobodysRoles = "no role"
)

// CreateToken is a new API token: for a program, or for oneself.
type CreateToken struct {
	Account   *ident.ID // one's own if it is absent
	Name      string
	Roles     []auth.Role
	ExpiresIn *time.Duration
}

// RevokeToken names the token that ends.
type RevokeToken struct{ ID ident.ID }

// CreateToken makes an API token of one's own account or, for an admin, of a service account. It narrows what the
// account may: it never has a role that the account has not.
func (p *Practice) CreateToken(ctx context.Context, in CreateToken) (made Made[*ent.APIToken], err error) {
	if p.keys == nil {
		return made, errNoKeys
	}
	made.Record, err = auth.Write(ctx, p.store, "account.create_token", func(ctx context.Context, tx *store.Tx) (*ent.APIToken, error) {
		text := secret.New(secret.Token)
		made.Secret = &text
		return p.token(ctx, tx, in, ready{p.keys.Code(text), secret.LastFour(text)})
	})
	if err != nil {
		made.Secret = nil
	}
	return made, err
}

// ready is a secret that is made already: the code to keep it by, and its end.
type ready struct {
	code     []byte
	lastFour string
}

// token makes a token of a secret.
func (p *Practice) token(ctx context.Context, tx *store.Tx, in CreateToken, of ready) (*ent.APIToken, error) {
	account, by, err := holder(ctx, tx, in.Account)
	if err != nil {
		return nil, err
	}
	var f form.Form
	called := f.Text("name", in.Name, 1, longestName)
	lasts := form.Or(in.ExpiresIn, min(usualTerm, p.LongestToken))
	if lasts < ShortestTerm || lasts > p.LongestToken {
		f.Fault(errs.New(errs.Invalid, "%v is out of range: P1D to P%dD", lasts, p.LongestToken/ShortestTerm).At("expiresIn"))
	}
	given := roles(in.Roles)
	if len(given) == 0 {
		f.Fault(errs.New(errs.Required, "a token without a role may do nothing: name one").At("roles"))
	}
	if err := beyond(ctx, tx, account, given); err != nil {
		f.Fault(err)
	}
	n, err := tx.APIToken.Query().Where(apitoken.AccountID(account.ID), apitoken.RevokedAtIsNil(), apitoken.ExpiresAtGT(tx.Now)).Count(ctx)
	if err != nil {
		return nil, err
	}
	if n >= mostTokens {
		f.Fault(errs.New(errs.Invalid, "%s has %d tokens, and no more may be: revoke those that nobody uses", account.Name, n).At("account"))
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	names := make([]string, len(given))
	for i, role := range given {
		names[i] = string(role)
	}
	expires := tx.Now.Add(lasts)
	token, err := tx.APIToken.Create().SetAccountID(account.ID).SetName(called).SetRoles(names).SetLastFour(of.lastFour).SetCreatedByID(by).
		SetExpiresAt(expires).SetCreatedAt(tx.Now).Save(ctx)
	if err != nil {
		return nil, err
	}
	_, err = session.Keep(ctx, tx, p.keys, session.Kept{Kind: secret.Token, Code: of.code, Account: &account.ID, Token: &token.ID, Expires: expires})
	return token, err
}

// holder returns the account that a token is for, and that of who makes it. A person's token is made by that person.
func holder(ctx context.Context, tx *store.Tx, named *ident.ID) (of *ent.Account, by ident.ID, err error) {
	author, err := tx.Author(ctx)
	if err != nil {
		return nil, 0, err
	}
	switch {
	case named == nil && author == nil:
		return nil, 0, errs.New(errs.Required, "a command has no account: name one").At("account")
	case named == nil:
		named = author
	}
	if of, err = lock(ctx, tx, *named, "account"); err != nil {
		return nil, 0, err
	}
	if of.State != domain.AccountActive {
		return nil, 0, errs.New(errs.Invalid, "the account of %s is %s", of.Name, of.State).At("account")
	}
	if author == nil { // a command, for a service account
		author = &of.ID
	}
	if of.ID != *author || tx.Via() == domain.ViaCLI {
		if err := mayActFor(ctx, of.ID, "make tokens"); err != nil {
			return nil, 0, err
		}
		if of.Kind != domain.ServiceAccount {
			return nil, 0, errs.New(errs.Invalid, "%s is a person: they make their own tokens", of.Name).At("account")
		}
	}
	return of, *author, nil
}

// beyond refuses roles that the account of a token has not.
func beyond(ctx context.Context, tx *store.Tx, of *ent.Account, given []auth.Role) error {
	bound, err := tx.RoleBinding.Query().Where(rolebinding.AccountID(of.ID), rolebinding.Or(rolebinding.ExpiresAtIsNil(), rolebinding.ExpiresAtGT(tx.Now))).All(ctx)
	if err != nil {
		return err
	}
	a, has := auth.Actor{}, []string{}
	for _, b := range bound {
		has = append(has, b.Role)
		if b.TeamID != nil {
			a.InTeams = append(a.InTeams, auth.InTeam{Role: auth.Role(b.Role), Team: *b.TeamID})
		} else {
			a.Roles = append(a.Roles, auth.Role(b.Role))
		}
	}
	for _, role := range given {
		if !a.Has(role) && len(a.TeamsWith(role)) == 0 {
			if len(has) == 0 {
				has = []string{nobodysRoles}
			}
			return errs.New(errs.Invalid, "%s has %s and not %s, and a token has no more than its account", of.Name, strings.Join(has, shownRoles), role).At("roles")
		}
	}
	return nil
}

// RevokeToken ends a token at once. A token that has ended stays as it is.
func (p *Practice) RevokeToken(ctx context.Context, in RevokeToken) (*ent.APIToken, error) {
	return auth.Write(ctx, p.store, "account.revoke_token", func(ctx context.Context, tx *store.Tx) (*ent.APIToken, error) {
		if err := form.Kind(in.ID, ident.APIToken, "id"); err != nil {
			return nil, err
		}
		was, err := lockToken(ctx, tx, in.ID)
		if err != nil {
			return nil, err
		}
		if err := mayActFor(ctx, was.AccountID, "revoke tokens"); err != nil {
			return nil, err
		}
		return revoke(ctx, tx, was)
	})
}

// lockToken reads a token and keeps others from writing it until the transaction ends.
func lockToken(ctx context.Context, tx *store.Tx, id ident.ID) (*ent.APIToken, error) {
	was, err := store.Lock(ctx, tx, tx.APIToken.Query().Where(apitoken.ID(id)))
	if ent.IsNotFound(err) {
		return nil, form.Missing(id, "id")
	}
	return was, err
}

// revoke ends a token, unless it has ended.
func revoke(ctx context.Context, tx *store.Tx, was *ent.APIToken) (*ent.APIToken, error) {
	if was.RevokedAt != nil {
		return was, nil
	}
	if err := session.End(ctx, tx, session.Ended{Token: &was.ID}); err != nil {
		return nil, err
	}
	return tx.APIToken.UpdateOne(was).SetRevokedAt(tx.Now).Save(ctx)
}
