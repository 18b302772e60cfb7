package identity

import (
	"context"
	"errors"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent/account"
	"github.com/linchpin-cmdb/linchpin/ent/rolebinding"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/issuer"
	"github.com/linchpin-cmdb/linchpin/internal/auth/provider"
	"github.com/linchpin-cmdb/linchpin/internal/auth/session"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Headers returns the headers in which proxies bring signed tokens.
func (p *Practice) Headers() []string { return p.Issuers.Headers() }

// FindSigned returns whom a token is about that an issuer signed and that came as a bearer or, if header is not empty,
// by a proxy in that header. It reports false if the token does not hold, or if its account may not act. A program's
// token is never a person's session; a proxy's is, and is as fresh as it says.
func (p *Practice) FindSigned(ctx context.Context, text, header string) (a auth.Actor, ok bool, err error) {
	c, err := p.Issuers.Know(ctx, text, header, p.store.Now(ctx))
	if errors.Is(err, issuer.ErrRefused) {
		return a, false, nil
	}
	if err != nil {
		return a, false, err
	}
	who, via, pass := session.Known{Account: c.Account, Issuer: c.Issuer, Subject: c.Subject, Groups: c.Groups}, domain.ViaWorkload, auth.Pass{Expires: c.Expires}
	switch c.Profile {
	case issuer.AccessToken:
		pass.Narrowed = append([]auth.Role{}, auth.Roles(strings.Join(c.Scope, ","))...) // not nil: none is none
	case issuer.Workload: // as the account may
	case issuer.Proxy:
		via, pass.SignedIn = domain.ViaSession, c.SignedIn
	}
	a, ok, err = session.FindKnown(ctx, p.store, who, via, pass)
	if err != nil || ok || c.Profile != issuer.Proxy {
		return a, ok && (c.Profile != issuer.Workload || a.IsService), err
	}
	// A person whom a group gives a role has an account from the first request on. An account that may not act begins no
	// transaction with each request.
	if isKnown, err := p.store.Read.Account.Query().Where(account.Issuer(c.Issuer), account.Subject(c.Subject)).Exist(ctx); err != nil || isKnown {
		return a, false, store.Translate(err)
	}
	if has, err := p.store.Read.RoleBinding.Query().Where(rolebinding.Issuer(c.Issuer), rolebinding.GroupNameIn(c.Groups...)).Exist(ctx); err != nil || !has {
		return a, false, store.Translate(err)
	}
	person := provider.Person{Issuer: c.Issuer, Subject: c.Subject, Name: c.Name, Email: c.Email, Groups: c.Groups}
	_, err = store.Write(ctx, p.store, auth.System.By("account.sign_in"), func(ctx context.Context, tx *store.Tx) (int, error) {
		_, err := known(ctx, tx, person)
		return 0, err
	})
	if errors.Is(err, ErrNoRole) {
		return a, false, nil
	}
	if err != nil {
		return a, false, err
	}
	return session.FindKnown(ctx, p.store, who, via, pass)
}
