package identity

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/account"
	"github.com/linchpin-cmdb/linchpin/ent/externalidentity"
	"github.com/linchpin-cmdb/linchpin/ent/rolebinding"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/provider"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
	"github.com/linchpin-cmdb/linchpin/internal/auth/session"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// ErrNoRole says that somebody is who they say they are, and that nothing gives them a role.
var ErrNoRole = errs.New(errs.Forbidden, "nothing gives you a role here: ask an admin")

// SignInBy begins the session of a person whom a provider knows, and ends the one that their browser had. The account
// is found by issuer and subject alone. It is made when a binding of a group gives it a role. The session is as fresh
// as the provider says. Failures: ErrNoRole.
func (p *Practice) SignInBy(ctx context.Context, who provider.Person, network, before string) (newSession string, err error) {
	return store.Write(ctx, p.store, auth.System.By("account.sign_in"), func(ctx context.Context, tx *store.Tx) (string, error) {
		a, err := known(ctx, tx, who)
		if err != nil {
			return "", err
		}
		for _, code := range p.keys.Codes(before) {
			if _, err := tx.ExecContext(ctx, "DELETE FROM x_secret WHERE kind = $1 AND mac = $2", string(secret.Session), code); err != nil {
				return "", err
			}
		}
		if err := noteSignIn(ctx, tx, "OK", a.ID, session.OIDC, network); err != nil {
			return "", err
		}
		return session.Keep(ctx, tx, p.keys, session.Kept{
			Kind: secret.Session, Account: &a.ID, Method: session.OIDC, Expires: tx.Now.Add(session.Length), Groups: who.Groups, SID: who.SID,
			SignedIn: who.SignedIn,
		})
	})
}

// known returns the account of a person whom a provider or a proxy knows. It is found by issuer and subject alone, and
// made when a binding of a group gives it a role. Failures: ErrNoRole.
func known(ctx context.Context, tx *store.Tx, who provider.Person) (*ent.Account, error) {
	a, err := tx.Account.Query().Where(account.Issuer(who.Issuer), account.Subject(who.Subject)).Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return nil, err
	}
	hasRole, err := hasRole(ctx, tx, a, who)
	switch {
	case err != nil:
		return nil, err
	case !hasRole, a != nil && a.State != domain.AccountActive:
		return nil, ErrNoRole
	}
	person, err := personOf(ctx, tx, a, who.Known)
	if err != nil {
		return nil, err
	}
	if a == nil {
		return tx.Account.Create().SetName(shownName(who)).SetEmail(who.Email).SetIssuer(who.Issuer).SetSubject(who.Subject).SetNillablePersonID(person).
			SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
	}
	if person == nil {
		return a, nil
	}
	return tx.Account.UpdateOne(a).SetPersonID(*person).AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
}

// personOf returns the person whom a provider knows by a key, for an account that is nobody's yet. If there is none, or
// if they have an account already, it returns nil: linkAccount says whose it is.
func personOf(ctx context.Context, tx *store.Tx, a *ent.Account, known domain.ExternalKey) (*ident.ID, error) {
	if known.ExternalID == "" || a != nil && a.PersonID != nil {
		return nil, nil
	}
	keys, err := tx.ExternalIdentity.Query().Where(externalidentity.Source(known.Source), externalidentity.ExternalID(known.ExternalID), externalidentity.IsEvent(false)).Limit(2).All(ctx)
	if err != nil || len(keys) != 1 || keys[0].RecordID.Kind() != ident.Person {
		return nil, err
	}
	of := keys[0].RecordID
	taken, err := tx.Account.Query().Where(account.PersonID(of)).Exist(ctx)
	if err != nil || taken {
		return nil, err
	}
	return &of, nil
}

// hasRole reports whether a binding gives a role to an account that may not be there yet, or to a group of the person.
func hasRole(ctx context.Context, tx *store.Tx, a *ent.Account, who provider.Person) (bool, error) {
	bindings, err := tx.RoleBinding.Query().Where(rolebinding.Issuer(who.Issuer), rolebinding.GroupNameNotNil(),
		rolebinding.Or(rolebinding.ExpiresAtIsNil(), rolebinding.ExpiresAtGT(tx.Now))).All(ctx)
	if err != nil {
		return false, err
	}
	isMember := slices.ContainsFunc(bindings, func(b *ent.RoleBinding) bool { return slices.Contains(who.Groups, *b.GroupName) })
	if isMember || a == nil {
		return isMember, nil
	}
	return tx.RoleBinding.Query().Where(rolebinding.AccountID(a.ID), rolebinding.Or(rolebinding.ExpiresAtIsNil(), rolebinding.ExpiresAtGT(tx.Now))).Exist(ctx)
}

// shownName returns the name that an account is shown by: never one of the program.
func shownName(who provider.Person) string {
	name := strings.TrimSpace(who.Name)
	if name == "" || auth.IsReserved(name) || name == "dev" {
		name = "account " + who.Subject
	}
	if letters := []rune(name); len(letters) > longestName {
		name = string(letters[:longestName])
	}
	return name
}

// BindGroup gives a role to the members of a group of an issuer, unless they have it. It is for commands.
func (p *Practice) BindGroup(ctx context.Context, issuer, group string, role auth.Role) (*ent.RoleBinding, error) {
	return auth.Write(ctx, p.store, "account.bind_role", func(ctx context.Context, tx *store.Tx) (*ent.RoleBinding, error) {
		found, err := tx.RoleBinding.Query().Where(rolebinding.Issuer(issuer), rolebinding.GroupName(group), rolebinding.Role(string(role)), rolebinding.ExpiresAtIsNil()).First(ctx)
		if !ent.IsNotFound(err) {
			return found, err
		}
		return tx.RoleBinding.Create().SetIssuer(issuer).SetGroupName(group).SetRole(string(role)).SetCreatedAt(tx.Now).Save(ctx)
	})
}

// Ended ends the sessions that a provider says have ended, if they began before it said so.
func (p *Practice) Ended(ctx context.Context, issuer string, e provider.Ended) error {
	by := e.At.Add(time.Second) // it is told in whole seconds
	_, err := store.Write(ctx, p.store, auth.System.By("account.sign_out"), func(ctx context.Context, tx *store.Tx) (int, error) {
		if e.Subject == "" {
			return 0, session.EndNamed(ctx, tx, issuer, e.SID, by)
		}
		a, err := tx.Account.Query().Where(account.Issuer(issuer), account.Subject(e.Subject)).Only(ctx)
		if ent.IsNotFound(err) {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		return 0, session.EndOf(ctx, tx, a.ID, e.SID, by)
	})
	return err
}
