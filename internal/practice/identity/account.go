package identity

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/account"
	"github.com/linchpin-cmdb/linchpin/ent/rolebinding"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
	"github.com/linchpin-cmdb/linchpin/internal/auth/session"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// How long links hold.
const (
	invitationAge = 7 * 24 * time.Hour
	breakGlassAge = 10 * time.Minute
	setUpAge      = time.Hour
)

// CreateServiceAccount is the account of a program.
type CreateServiceAccount struct {
	Name    string
	Roles   []auth.Role
	Sources []string // of an INTEGRATOR
}

// InviteAccount is a person who is to sign in, new or known, and what they may do.
type InviteAccount struct {
	Account *ident.ID
	Name    *string
	Email   *string
	Person  *ident.ID
	Roles   []auth.Role
}

// DisableAccount names the account that may do nothing any more.
type DisableAccount struct{ ID ident.ID }

// EnableAccount names the account that may act again.
type EnableAccount struct{ ID ident.ID }

// EndSessions names the account whose sessions end.
type EndSessions struct{ Account *ident.ID }

// Made is a record with its secret, which stands nowhere else. If the step was taken before, there is none.
type Made[R any] struct {
	Record R
	Secret *string
}

// CreateServiceAccount makes the account of a program, with roles. It acts by tokens.
func (p *Practice) CreateServiceAccount(ctx context.Context, in CreateServiceAccount) (*ent.Account, error) {
	return auth.Write(ctx, p.store, "account.create", func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
		var f form.Form
		called := name(&f, in.Name)
		given := roles(in.Roles)
		sources := sourcesOf(&f, in.Sources, slices.Contains(given, auth.Integrator))
		if err := f.Err(); err != nil {
			return nil, err
		}
		made, err := tx.Account.Create().SetKind(domain.ServiceAccount).SetName(called).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
		if err != nil {
			return nil, err
		}
		for _, role := range given {
			given := Bound{Role: role}
			if role == auth.Integrator {
				given.Sources = sources
			}
			if _, err := bind(ctx, tx, made.ID, given); err != nil {
				return nil, err
			}
		}
		return made, nil
	})
}

// Invite makes an account for a person, or takes one that is there, gives it roles, and makes a link by which the
// person sets a password.
func (p *Practice) Invite(ctx context.Context, in InviteAccount) (Made[*ent.Account], error) {
	return p.linked(ctx, in, session.Invitation, invitationAge)
}

// BreakGlass makes a link by which the person of an account sets a password, for a short time: it is for a person who
// has the database in hand, whatever else works.
func (p *Practice) BreakGlass(ctx context.Context, id ident.ID) (Made[*ent.Account], error) {
	return p.linked(ctx, InviteAccount{Account: &id}, session.BreakGlass, breakGlassAge)
}

func (p *Practice) linked(ctx context.Context, in InviteAccount, method session.Method, age time.Duration) (made Made[*ent.Account], err error) {
	if p.keys == nil {
		return made, errNoKeys
	}
	made.Record, err = auth.Write(ctx, p.store, "account.invite", func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
		a, err := invited(ctx, tx, in)
		if err != nil {
			return nil, err
		}
		for _, role := range roles(in.Roles) {
			if role == auth.Integrator {
				return nil, errs.New(errs.Invalid, "%s is for the sources of a binding: give it by bindRole", role).At("roles")
			}
			if _, err := bind(ctx, tx, a.ID, Bound{Role: role}); err != nil {
				return nil, err
			}
		}
		link, err := session.Keep(ctx, tx, p.keys, session.Kept{Kind: secret.Link, Account: &a.ID, Method: method, Expires: tx.Now.Add(age)})
		made.Secret = &link
		return a, err
	})
	if err != nil {
		made.Secret = nil
	}
	return made, err
}

// invited returns the account that an invitation names or makes.
func invited(ctx context.Context, tx *store.Tx, in InviteAccount) (*ent.Account, error) {
	var f form.Form
	person, err := free(ctx, tx, &f, in.Person, in.Account)
	if err != nil {
		return nil, err
	}
	email := f.Text("email", form.Or(in.Email, ""), 0, longestName)
	if in.Account == nil {
		called := name(&f, form.Or(in.Name, ""))
		if err := f.Err(); err != nil {
			return nil, err
		}
		return tx.Account.Create().SetName(called).SetEmail(email).SetNillablePersonID(person).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
	}
	was, err := lock(ctx, tx, *in.Account, "account")
	if err != nil {
		return nil, err
	}
	switch {
	case was.Kind != domain.PersonAccount:
		f.Fault(errs.New(errs.Invalid, "%s is a service account: it acts by tokens, which createApiToken makes", was.Name).At("account"))
	case was.State != domain.AccountActive:
		f.Fault(errs.New(errs.Invalid, "the account of %s is %s: enable it first", was.Name, was.State).At("account"))
	case was.Issuer != nil && *was.Issuer != store.NameIssuer:
		f.Fault(errs.New(errs.Invalid, "%s signs in by %s, and has no password here", was.Name, *was.Issuer).At("account"))
	}
	u := tx.Account.UpdateOne(was)
	if in.Name != nil {
		store.Set(was.Name, name(&f, *in.Name), u.SetName)
	}
	if in.Email != nil {
		store.Set(was.Email, email, u.SetEmail)
	}
	if person != nil {
		store.SetNillable(was.PersonID, person, u.SetPersonID, u.ClearPersonID)
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	if store.IsIdle(u.Mutation()) {
		return was, nil
	}
	return u.AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
}

// LinkAccount says whose an account is: a person's, or nobody's.
type LinkAccount struct {
	Account ident.ID
	Person  *ident.ID
}

// Link says whose an account is. With the person come their teams, and with these what the account sees, owns and votes
// on; what was seen before is gone at once.
func (p *Practice) Link(ctx context.Context, in LinkAccount) (*ent.Account, error) {
	return auth.Write(ctx, p.store, "account.link", func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
		was, err := lock(ctx, tx, in.Account, "account")
		if err != nil {
			return nil, err
		}
		var f form.Form
		person, err := free(ctx, tx, &f, in.Person, &was.ID)
		if err != nil {
			return nil, err
		}
		if was.Kind != domain.PersonAccount && person != nil {
			f.Fault(errs.New(errs.Invalid, "%s is a service account, and is nobody's", was.Name).At("account"))
		}
		if err := f.Err(); err != nil {
			return nil, err
		}
		u := tx.Account.UpdateOne(was)
		store.SetNillable(was.PersonID, person, u.SetPersonID, u.ClearPersonID)
		if store.IsIdle(u.Mutation()) {
			return was, nil
		}
		if err := session.Taken(ctx, tx); err != nil {
			return nil, err
		}
		return u.AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
	})
}

// free returns the person that an input names, if no other account is theirs.
func free(ctx context.Context, tx *store.Tx, f *form.Form, named, of *ident.ID) (*ident.ID, error) {
	person := ticket.Reference(ctx, tx, f, "person", ident.Person, named)
	if person == nil || f.Err() != nil {
		return person, nil //nolint:nilerr // the form tells what is wrong with all the rest
	}
	q := tx.Account.Query().Where(account.PersonID(*person))
	if of != nil {
		q.Where(account.IDNEQ(*of))
	}
	taken, err := q.Exist(ctx)
	if taken {
		f.Fault(errs.New(errs.AlreadyExists, "%s has an account already: invite that", *person).At("person"))
	}
	return person, err
}

// Disable keeps an account from doing anything, and ends its sessions and tokens at once.
func (p *Practice) Disable(ctx context.Context, in DisableAccount) (*ent.Account, error) {
	return auth.Write(ctx, p.store, "account.disable", func(ctx context.Context, tx *store.Tx) (is *ent.Account, err error) {
		err = keepAnAdmin(ctx, tx, func() error {
			if is, err = lock(ctx, tx, in.ID, "id"); err != nil || is.State == domain.AccountDisabled {
				return err
			}
			if is, err = tx.Account.UpdateOne(is).SetState(domain.AccountDisabled).AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx); err != nil {
				return err
			}
			return errors.Join(
				session.End(ctx, tx, session.Ended{Account: &is.ID, Kind: secret.Session}),
				session.End(ctx, tx, session.Ended{Account: &is.ID, Kind: secret.Link}),
			)
		})
		return is, err
	})
}

// Enable lets a disabled account act again, by its password and its tokens.
func (p *Practice) Enable(ctx context.Context, in EnableAccount) (*ent.Account, error) {
	return auth.Write(ctx, p.store, "account.enable", func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
		was, err := lock(ctx, tx, in.ID, "id")
		if err != nil || was.State == domain.AccountActive {
			return was, err
		}
		return tx.Account.UpdateOne(was).SetState(domain.AccountActive).AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
	})
}

// EndSessions ends the sessions of an account, one's own if none is named. Its tokens stay.
func (p *Practice) EndSessions(ctx context.Context, in EndSessions) (*ent.Account, error) {
	return auth.Write(ctx, p.store, "account.end_sessions", func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
		of, err := own(ctx, in.Account)
		if err != nil {
			return nil, err
		}
		was, err := lock(ctx, tx, of, "account")
		if err != nil {
			return nil, err
		}
		return was, session.End(ctx, tx, session.Ended{Account: &was.ID, Kind: secret.Session})
	})
}

// own returns the account that is named, or the actor's own, if the actor may act for it.
func own(ctx context.Context, named *ident.ID) (ident.ID, error) {
	actor, _ := auth.From(ctx)
	switch {
	case named != nil:
		return *named, mayActFor(ctx, *named, "end the sessions")
	case actor.Account == nil:
		return 0, errs.New(errs.Required, "%s has no account: name one", actor.Name).At("account")
	}
	return *actor.Account, nil
}

// UnbindRole takes a role back.
func (p *Practice) UnbindRole(ctx context.Context, in UnbindRole) (ident.ID, error) {
	return auth.Write(ctx, p.store, "account.unbind_role", func(ctx context.Context, tx *store.Tx) (ident.ID, error) {
		if err := form.Kind(in.ID, ident.RoleBinding, "id"); err != nil {
			return 0, err
		}
		return in.ID, keepAnAdmin(ctx, tx, func() error {
			was, err := store.Lock(ctx, tx, tx.RoleBinding.Query().Where(rolebinding.ID(in.ID)))
			if ent.IsNotFound(err) {
				return form.Missing(in.ID, "id")
			}
			if err != nil {
				return err
			}
			return tx.RoleBinding.DeleteOne(was).Exec(ctx)
		})
	})
}
