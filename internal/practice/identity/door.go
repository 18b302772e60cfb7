package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/account"
	"github.com/linchpin-cmdb/linchpin/ent/rolebinding"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/password"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
	"github.com/linchpin-cmdb/linchpin/internal/auth/session"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// ErrNoLink says that a link does not hold: it was used, has expired, or was never made.
var ErrNoLink = errs.New(errs.NotFound, "the link does not hold: it was used before, or its time is over; ask for a new one")

// ErrSetUp says that the link that sets an installation up came too late.
var ErrSetUp = errs.New(errs.AlreadyExists, "somebody has set this installation up already: sign in, or ask an admin for an invitation")

// Claim is what a person says with a link.
type Claim struct {
	Link      string
	Name      string // of a new account: how it is shown
	LocalName string // to sign in with
	Password  string
}

// HasAccounts reports whether somebody could sign in: an account that is known by more than a name.
func HasAccounts(ctx context.Context, c *ent.Client) (bool, error) {
	found, err := c.Account.Query().Where(account.Or(account.IssuerIsNil(), account.IssuerNEQ(store.NameIssuer))).Exist(ctx)
	return found, store.Translate(err)
}

// SetUpLink makes a link for the person who sets an installation up. If there is an admin, it returns "".
func (p *Practice) SetUpLink(ctx context.Context) (string, error) {
	return store.Write(ctx, p.store, auth.System.By("account.offer_set_up"), func(ctx context.Context, tx *store.Tx) (string, error) {
		if has, err := hasAdmin(ctx, tx.Client()); has || err != nil {
			return "", err
		}
		if has, err := tx.RoleBinding.Query().Where(rolebinding.Role(string(auth.Admin)), rolebinding.GroupNameNotNil()).Exist(ctx); has || err != nil {
			return "", err // somebody of the group signs in
		}
		return session.Keep(ctx, tx, p.keys, session.Kept{Kind: secret.Link, Method: session.SetUp, Expires: tx.Now.Add(setUpAge)})
	})
}

// Claim uses a link: it makes the account of the person who sets the installation up, or takes the one that is
// invited, gives it a password, and signs it in. Sessions that the account had end. Failures: ErrNoLink, ErrSetUp, and
// what is wrong with the name or the password.
func (p *Practice) Claim(ctx context.Context, in Claim) (newSession string, err error) {
	// The link first, so that a caller without one learns nothing else, and no password is hashed for them.
	if !secret.IsWhole(secret.Link, in.Link) {
		return "", ErrNoLink
	}
	if ok, err := p.holds(ctx, in.Link); err != nil || !ok {
		return "", errors.Join(err, noLink(ok))
	}
	var f form.Form
	called := password.Fold(f.Text("localName", in.LocalName, 1, longestName))
	if auth.IsReserved(called) || called == "dev" {
		f.Fault(errs.New(errs.Invalid, "%q names the program: choose another name to sign in with", called).At("localName"))
	}
	if err := password.Check(in.Password, in.LocalName); err != nil {
		f.Fault(err, "password")
	}
	if err := f.Err(); err != nil {
		return "", err
	}
	hash, err := p.hasher.Hash(ctx, in.Password)
	if err != nil {
		return "", err
	}
	return store.Write(ctx, p.store, auth.System.By("account.claim"), func(ctx context.Context, tx *store.Tx) (string, error) {
		if err := session.Taken(ctx, tx); err != nil { // two that claim at once stand in line
			return "", err
		}
		l, ok, err := session.TakeLink(ctx, tx, p.keys, in.Link)
		if err != nil {
			return "", err
		}
		if !ok {
			return "", ErrNoLink
		}
		var a *ent.Account
		if l.Method == session.SetUp {
			a, err = setUp(ctx, tx, in)
		} else {
			a, err = lock(ctx, tx, l.Account, "account")
		}
		if err == nil {
			err = p.mayClaim(ctx, tx, a, l.Method)
		}
		if err != nil {
			return "", err
		}
		return p.admit(ctx, tx, a, called, hash, l.Method)
	})
}

func noLink(ok bool) error {
	if ok {
		return nil
	}
	return ErrNoLink
}

// holds reports whether a link may be used. One that sets an installation up holds until somebody has.
func (p *Practice) holds(ctx context.Context, link string) (ok bool, err error) {
	for _, code := range p.keys.Codes(link) {
		rows, err := p.store.Read.QueryContext(ctx, "SELECT 1 FROM x_secret WHERE kind = $1 AND mac = $2 AND expires_at > $3", string(secret.Link), code, p.store.Now(ctx))
		if err != nil {
			return false, store.Translate(err)
		}
		ok = ok || rows.Next()
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return false, store.Translate(err)
		}
	}
	return ok, nil
}

// setUp makes the first account, an admin's.
func setUp(ctx context.Context, tx *store.Tx, in Claim) (*ent.Account, error) {
	if has, err := hasAdmin(ctx, tx.Client()); has || err != nil {
		return nil, errors.Join(err, ErrSetUp)
	}
	var f form.Form
	shown := name(&f, in.Name)
	if err := f.Err(); err != nil {
		return nil, err
	}
	made, err := tx.Account.Create().SetName(shown).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
	if err != nil {
		return nil, err
	}
	_, err = bind(ctx, tx, made.ID, Bound{Role: auth.Admin})
	return made, err
}

// admit gives an account a name to sign in with, and a password, and signs it in.
func (p *Practice) admit(ctx context.Context, tx *store.Tx, a *ent.Account, called, hash string, method session.Method) (string, error) {
	if a.State != domain.AccountActive {
		return "", ErrNoLink
	}
	taken, err := tx.Account.Query().Where(account.LocalName(called), account.IDNEQ(a.ID)).Exist(ctx)
	if err != nil {
		return "", err
	}
	if taken {
		return "", errs.New(errs.AlreadyExists, "another account signs in as %q: choose another name", called).At("localName")
	}
	// A name alone leads to the account no longer.
	if err := tx.Account.UpdateOne(a).SetLocalName(called).ClearIssuer().ClearSubject().AddVersion(1).SetUpdatedAt(tx.Now).Exec(ctx); err != nil {
		return "", err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO x_password (account_id, phc, changed_at) VALUES ($1, $2, $3)
		ON CONFLICT (account_id) DO UPDATE SET phc = excluded.phc, changed_at = excluded.changed_at`, int64(a.ID), hash, tx.Now); err != nil {
		return "", err
	}
	for _, kind := range []secret.Kind{secret.Session, secret.Link} {
		if err := session.End(ctx, tx, session.Ended{Account: &a.ID, Kind: kind}); err != nil {
			return "", err
		}
	}
	return session.Keep(ctx, tx, p.keys, session.Kept{Kind: secret.Session, Account: &a.ID, Method: method, Expires: tx.Now.Add(session.Length)})
}

// TooManyError says how long to wait before the next attempt to sign in.
type TooManyError struct{ Wait time.Duration }

func (e TooManyError) Error() string {
	return fmt.Sprintf("too many attempts: wait %s", e.Wait.Round(time.Second))
}

// ErrWrong says that name and password do not belong together, and nothing else.
var ErrWrong = errs.New(errs.Unauthenticated, "name and password do not belong together")

// SignIn begins the session of a person who knows the password of a local account. The network is where they come from.
// Failures: ErrWrong, and TooManyError if that was said too often lately.
func (p *Practice) SignIn(ctx context.Context, localName, given, network string) (newSession string, err error) {
	called := password.Fold(localName)
	in := p.buckets(called, network)
	if err := p.begin(ctx, in); err != nil {
		return "", err
	}
	a, hash, err := p.local(ctx, called)
	if err != nil {
		return "", err
	}
	ok, err := p.hasher.Matches(ctx, given, hash)
	if err == nil && ok {
		ok, err = p.isLocal(ctx, p.store.Read, a)
	}
	switch {
	case err != nil:
		return "", err
	case !ok || a.State != domain.AccountActive:
		var of ident.ID
		if a != nil {
			of = a.ID
		}
		return "", errors.Join(ErrWrong, p.refused(ctx, of, network))
	}
	return store.Write(ctx, p.store, auth.Actor{Account: &a.ID, Name: a.Name, Via: domain.ViaSession}.By("account.sign_in"), func(ctx context.Context, tx *store.Tx) (string, error) {
		if err := succeeded(ctx, tx, in); err != nil {
			return "", err
		}
		if err := noteSignIn(ctx, tx, "OK", a.ID, session.Password, network); err != nil {
			return "", err
		}
		return session.Keep(ctx, tx, p.keys, session.Kept{Kind: secret.Session, Account: &a.ID, Method: session.Password, Expires: tx.Now.Add(session.Length)})
	})
}

// local returns the account that signs in by a name, and the hash of its password. If there is none, the hash is "".
func (p *Practice) local(ctx context.Context, called string) (*ent.Account, string, error) {
	a, err := p.store.Read.Account.Query().Where(account.LocalName(called)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", store.Translate(err)
	}
	rows, err := p.store.Read.QueryContext(ctx, "SELECT phc FROM x_password WHERE account_id = $1", int64(a.ID))
	if err != nil {
		return nil, "", store.Translate(err)
	}
	defer func() { _ = rows.Close() }()
	var hash string
	for rows.Next() {
		if err := rows.Scan(&hash); err != nil {
			return nil, "", store.Translate(err)
		}
	}
	return a, hash, store.Translate(errors.Join(rows.Err(), rows.Close()))
}

// SignOut ends a session, and returns how it had begun.
func (p *Practice) SignOut(ctx context.Context, text string) (issuer string, err error) {
	return store.Write(ctx, p.store, auth.System.By("account.sign_out"), func(ctx context.Context, tx *store.Tx) (issuer string, err error) {
		for _, code := range p.keys.Codes(text) {
			of, ok, err := one[int64](ctx, tx, "DELETE FROM x_secret WHERE kind = $1 AND mac = $2 RETURNING CASE WHEN method = $3 THEN account_id ELSE 0 END", string(secret.Session), code, string(session.OIDC))
			if err != nil {
				return "", err
			}
			if !ok || of == 0 {
				continue
			}
			a, err := tx.Account.Get(ctx, ident.ID(of))
			if err != nil {
				return "", err
			}
			issuer = form.Or(a.Issuer, "")
		}
		return issuer, session.Taken(ctx, tx)
	})
}

// Find returns who brings a secret: a session's, or an API token's.
func (p *Practice) Find(ctx context.Context, kind secret.Kind, text string) (auth.Actor, bool, error) {
	return session.Find(ctx, p.store, p.keys, kind, text)
}

// LinkPath returns the address of a link on the server. The secret stands behind a #, which no log and no other site
// gets to see.
func LinkPath(secret string) string { return "/auth/link#" + secret }

// Access returns the number of the last change that took something away from somebody.
func (p *Practice) Access(ctx context.Context) (int64, error) {
	return session.Access(ctx, p.store.Read)
}
