package identity_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/identity"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket/tickettest"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

const phrase = "correct horse battery staple"

// world is an installation that root has set up.
type world struct {
	*identity.Practice
	t     *testing.T
	store *store.Store
	root  auth.Actor
}

func each(t *testing.T, test func(w world)) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		keys, err := secret.NewKeys(bytes.Repeat([]byte{7}, 32))
		if err != nil {
			t.Fatal(err)
		}
		w := world{Practice: identity.New(s, keys), t: t, store: s}
		link, err := w.SetUpLink(t.Context())
		if err != nil || link == "" {
			t.Fatal(link, err)
		}
		w.root = w.known(secret.Session, must(w.Claim(t.Context(), identity.Claim{Link: link, Name: "Root", LocalName: "root", Password: phrase})))
		test(w)
	})
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// known returns who brings a secret; nobody is an actor without a name.
func (w world) known(kind secret.Kind, text string) auth.Actor {
	w.t.Helper()
	a, ok, err := w.Find(w.t.Context(), kind, text)
	if err != nil || ok != (a.Name != "") {
		w.t.Fatal(a, ok, err)
	}
	return a
}

func (w world) as(a auth.Actor) context.Context { return auth.With(w.t.Context(), a) }

// invite makes an account with a password, and signs it in.
func (w world) invite(name string, roles ...auth.Role) auth.Actor {
	w.t.Helper()
	made := must(w.Invite(w.as(w.root), identity.InviteAccount{Name: &name, Roles: roles}))
	return w.known(secret.Session, must(w.Claim(w.t.Context(), identity.Claim{Link: *made.Secret, LocalName: name, Password: phrase})))
}

// aged returns an actor who signed in some time ago.
func aged(a auth.Actor, by time.Duration) auth.Actor {
	a.Pass.SignedIn = a.Pass.SignedIn.Add(-by)
	return a
}

func Test1TheSetUpLinkMakesOneAdminAndHoldsOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		keys := must(secret.NewKeys(bytes.Repeat([]byte{7}, 32)))
		p := identity.New(s, keys)
		first, second := must(p.SetUpLink(t.Context())), must(p.SetUpLink(t.Context()))
		claim := func(link, name string) error {
			_, err := p.Claim(t.Context(), identity.Claim{Link: link, Name: name, LocalName: name, Password: phrase})
			return err
		}
		if _, err := p.CreateServiceAccount(auth.With(t.Context(), auth.Command("root")), identity.CreateServiceAccount{Name: "robot", Roles: []auth.Role{auth.Admin}}); err != nil {
			t.Fatal(err) // a program, which sets nothing up
		}
		for _, wrong := range []string{"", "x", secret.New(secret.Link), secret.New(secret.Session)} {
			if err := claim(wrong, "eve"); !errors.Is(err, identity.ErrNoLink) {
				t.Errorf("%q: %v", wrong, err)
			}
		}
		_, err := p.Claim(t.Context(), identity.Claim{Link: first, Name: "linchpin", LocalName: "cli:x", Password: "short"})
		if got := tickettest.Faults(t, err); !maps.Equal(got, map[string]errs.Code{"localName": errs.Invalid, "password": errs.Invalid}) {
			t.Errorf("got %v", err)
		}
		failures := make([]error, 2)
		var wait sync.WaitGroup
		for i, link := range []string{first, second} { // two at once
			wait.Go(func() { failures[i] = claim(link, fmt.Sprint("admin", i)) })
		}
		wait.Wait()
		if failed := errors.Join(failures...); (failures[0] == nil) == (failures[1] == nil) || !errors.Is(failed, identity.ErrSetUp) {
			t.Errorf("of two at once: %v", failures)
		}
		for _, link := range []string{first, second} {
			if err := claim(link, "late"); err == nil {
				t.Errorf("a link holds again")
			}
		}
		if link, err := p.SetUpLink(t.Context()); link != "" || err != nil {
			t.Errorf("a link where there are accounts: %q %v", link, err)
		}
		if n := s.Read.Account.Query().CountX(t.Context()); n != 2 {
			t.Errorf("%d accounts", n)
		}
	})
}

func TestASessionIsThatOfWhoKnowsThePassword(t *testing.T) {
	each(t, func(w world) {
		t := w.t
		if w.root.Via != domain.ViaSession || !w.root.Has(auth.Admin) || !w.root.IsFresh(time.Now()) || w.root.Name != "Root" {
			t.Fatalf("%+v", w.root)
		}
		for _, given := range [][2]string{{"root", "wrong horse battery staple"}, {"nobody", phrase}, {"root", ""}} {
			if made, err := w.SignIn(t.Context(), given[0], given[1], "192.0.2.0/24"); made != "" || !errors.Is(err, identity.ErrWrong) {
				t.Errorf("%q: %v", given, err)
			}
		}
		again := must(w.SignIn(t.Context(), " ROOT ", phrase, "192.0.2.0/24"))
		if a := w.known(secret.Session, again); *a.Account != *w.root.Account {
			t.Errorf("%+v", a)
		}
		if a := w.known(secret.Token, again); a.Name != "" {
			t.Error("a session passes for a token")
		}
		if _, err := w.SignOut(t.Context(), again); err != nil {
			t.Fatal(err)
		}
		if a := w.known(secret.Session, again); a.Name != "" {
			t.Error("a session outlives its end")
		}
	})
}

func Test7ATokenNarrowsAndNeverMakesATokenOrABinding(t *testing.T) {
	each(t, func(w world) {
		t := w.t
		ctx := w.as(w.root)
		made := must(w.CreateToken(ctx, identity.CreateToken{Name: "ops", Roles: []auth.Role{auth.Operator}}))
		bearer := w.known(secret.Token, *made.Secret)
		if bearer.Via != domain.ViaToken || !bearer.Has(auth.Operator) || bearer.Has(auth.CatalogEditor) || bearer.Has(auth.Admin) || *bearer.Account != *w.root.Account {
			t.Errorf("%+v", bearer)
		}
		x := "x"
		whole := w.known(secret.Token, *must(w.CreateToken(ctx, identity.CreateToken{Name: "all", Roles: []auth.Role{auth.Admin}})).Secret)
		for name, try := range map[string]func(context.Context) error{
			"createApiToken": func(ctx context.Context) error {
				_, err := w.CreateToken(ctx, identity.CreateToken{Name: "x", Roles: []auth.Role{auth.Viewer}})
				return err
			},
			"bindRole": func(ctx context.Context) error {
				_, err := w.BindRole(ctx, identity.BindRole{Account: *w.root.Account, Role: auth.Admin})
				return err
			},
			"unbindRole": func(ctx context.Context) error {
				_, err := w.UnbindRole(ctx, identity.UnbindRole{ID: ident.New(ident.RoleBinding, 1)})
				return err
			},
			"inviteAccount": func(ctx context.Context) error { _, err := w.Invite(ctx, identity.InviteAccount{Name: &x}); return err },
			"createServiceAccount": func(ctx context.Context) error {
				_, err := w.CreateServiceAccount(ctx, identity.CreateServiceAccount{Name: "x"})
				return err
			},
			"disableAccount": func(ctx context.Context) error {
				_, err := w.Disable(ctx, identity.DisableAccount{ID: *w.root.Account})
				return err
			},
			"enableAccount": func(ctx context.Context) error {
				_, err := w.Enable(ctx, identity.EnableAccount{ID: *w.root.Account})
				return err
			},
			"revokeApiToken": func(ctx context.Context) error {
				_, err := w.RevokeToken(ctx, identity.RevokeToken{ID: made.Record.ID})
				return err
			},
			"endSessions": func(ctx context.Context) error { _, err := w.EndSessions(ctx, identity.EndSessions{}); return err },
		} {
			if err := try(w.as(whole)); errs.CodeOf(err) != errs.Forbidden {
				t.Errorf("%s by a token of an admin: %v", name, err)
			}
			if err := try(w.as(auth.Dev("eve", auth.Admin))); errs.CodeOf(err) != errs.Forbidden {
				t.Errorf("%s where nobody signs in: %v", name, err)
			}
		}
		ada := w.invite("ada", auth.Operator)
		_, err := w.CreateToken(w.as(ada), identity.CreateToken{Name: "wide", Roles: []auth.Role{auth.Admin}})
		if got := tickettest.Faults(t, err); !maps.Equal(got, map[string]errs.Code{"roles": errs.Invalid}) {
			t.Errorf("a token with more than its account: %v", err)
		}
		if _, err := w.CreateToken(w.as(ada), identity.CreateToken{Account: w.root.Account, Name: "x", Roles: []auth.Role{auth.Viewer}}); errs.CodeOf(err) != errs.Forbidden {
			t.Errorf("a token of somebody else: %v", err)
		}
		if _, err := w.CreateToken(ctx, identity.CreateToken{Account: ada.Account, Name: "x", Roles: []auth.Role{auth.Viewer}}); errs.CodeOf(err) != errs.Invalid {
			t.Errorf("an admin's token of a person: %v", err)
		}
		own := w.known(secret.Token, *must(w.CreateToken(w.as(ada), identity.CreateToken{Name: "own", Roles: []auth.Role{auth.Operator}})).Secret)
		if !own.Has(auth.Operator) || own.Has(auth.ChangeManager) {
			t.Errorf("%+v", own)
		}
		if _, err := w.RevokeToken(w.as(ada), identity.RevokeToken{ID: made.Record.ID}); errs.CodeOf(err) != errs.Forbidden {
			t.Errorf("somebody else's token is revoked: %v", err)
		}
		// To stop somebody is never too late.
		must(w.RevokeToken(w.as(aged(w.root, time.Hour)), identity.RevokeToken{ID: made.Record.ID}))
		if a := w.known(secret.Token, *made.Secret); a.Name != "" {
			t.Error("a revoked token is known")
		}
	})
}

func Test8LookingAfterAccountsAsksForAFreshSession(t *testing.T) {
	each(t, func(w world) {
		_, err := w.BindRole(w.as(aged(w.root, 16*time.Minute)), identity.BindRole{Account: *w.root.Account, Role: auth.Operator})
		known := (*errs.Error)(nil)
		if errs.CodeOf(err) != errs.Forbidden || !errors.As(err, &known) || !known.Reauthenticate {
			w.t.Errorf("got %v", err)
		}
		if _, err := w.BindRole(w.as(aged(w.root, 14*time.Minute)), identity.BindRole{Account: *w.root.Account, Role: auth.Operator}); err != nil {
			w.t.Error(err)
		}
	})
}

func Test9WhatIsTakenAwayIsGoneAtTheNextRequest(t *testing.T) {
	each(t, func(w world) {
		t := w.t
		name := "ada"
		link := must(w.Invite(w.as(w.root), identity.InviteAccount{Name: &name, Roles: []auth.Role{auth.Operator}}))
		session := must(w.Claim(t.Context(), identity.Claim{Link: *link.Secret, LocalName: name, Password: phrase}))
		ada := w.known(secret.Session, session)
		token := *must(w.CreateToken(w.as(ada), identity.CreateToken{Name: "cli", Roles: []auth.Role{auth.Operator}})).Secret
		before := must(w.Access(t.Context()))
		must(w.Disable(w.as(w.root), identity.DisableAccount{ID: *ada.Account}))
		if w.known(secret.Session, session).Name+w.known(secret.Token, token).Name != "" {
			t.Error("a disabled account is known")
		}
		if _, err := w.SignIn(t.Context(), name, phrase, "192.0.2.0/24"); !errors.Is(err, identity.ErrWrong) {
			t.Errorf("a disabled account signs in: %v", err)
		}
		if after := must(w.Access(t.Context())); after <= before {
			t.Errorf("access stays at %d", after)
		}
		must(w.Enable(w.as(w.root), identity.EnableAccount{ID: *ada.Account}))
		if w.known(secret.Token, token).Name != "ada" || w.known(secret.Session, session).Name != "" {
			t.Error("after it is enabled, its token holds and its session does not")
		}
		session = must(w.SignIn(t.Context(), name, phrase, "192.0.2.0/24"))
		must(w.EndSessions(w.as(w.root), identity.EndSessions{Account: ada.Account}))
		if w.known(secret.Session, session).Name != "" || w.known(secret.Token, token).Name == "" {
			t.Error("endSessions ends sessions, and leaves tokens")
		}
	})
}

func TestTheLastAdminStays(t *testing.T) {
	each(t, func(w world) {
		t := w.t
		binding := w.store.Read.RoleBinding.Query().OnlyX(t.Context())
		if _, err := w.Disable(w.as(w.root), identity.DisableAccount{ID: *w.root.Account}); errs.CodeOf(err) != errs.LastAdmin {
			t.Errorf("the last admin is disabled: %v", err)
		}
		if _, err := w.UnbindRole(w.as(w.root), identity.UnbindRole{ID: binding.ID}); errs.CodeOf(err) != errs.LastAdmin {
			t.Errorf("the last admin loses the role: %v", err)
		}
		robot := must(w.CreateServiceAccount(w.as(w.root), identity.CreateServiceAccount{Name: "robot", Roles: []auth.Role{auth.Admin}}))
		if _, err := w.Disable(w.as(w.root), identity.DisableAccount{ID: *w.root.Account}); robot == nil || errs.CodeOf(err) != errs.LastAdmin {
			t.Errorf("a program is left as admin: %v", err)
		}
		grace := w.invite("grace", auth.Admin)
		failures := make([]error, 2)
		var wait sync.WaitGroup
		for i, of := range []auth.Actor{w.root, grace} { // each disables the other, at once
			other := []auth.Actor{grace, w.root}[i]
			wait.Go(func() { _, failures[i] = w.Disable(w.as(of), identity.DisableAccount{ID: *other.Account}) })
		}
		wait.Wait()
		if (failures[0] == nil) == (failures[1] == nil) || errs.CodeOf(errors.Join(failures...)) != errs.LastAdmin {
			t.Errorf("of two admins who disable each other: %v", failures)
		}
	})
}

func Test12GuessesAreFewAndLockNobodyOut(t *testing.T) {
	each(t, func(w world) {
		t := w.t
		refused, waits := 0, 0
		for n := range 120 {
			name := "root"
			if n%2 == 1 { // and names that there are not
				name = fmt.Sprint("guess", n)
			}
			_, err := w.SignIn(t.Context(), name, "wrong horse battery staple", "198.51.100.0/24")
			tooMany := identity.TooManyError{}
			switch {
			case errors.As(err, &tooMany) && tooMany.Wait > 0 && tooMany.Wait <= 15*time.Minute:
				waits++
			case errors.Is(err, identity.ErrWrong):
				refused++
			default:
				t.Fatal(err)
			}
		}
		if refused > 70 || waits == 0 {
			t.Errorf("%d passwords were hashed, %d guesses had to wait", refused, waits)
		}
		if _, err := w.SignIn(t.Context(), "root", phrase, "203.0.113.0/24"); err != nil {
			t.Errorf("the right password from elsewhere: %v", err)
		}
		rows := must(w.store.Read.QueryContext(t.Context(), "SELECT count(*) FROM x_sign_in WHERE outcome = 'REFUSED'"))
		defer func() { _ = rows.Close() }()
		for n := 0; rows.Next(); {
			if err := rows.Scan(&n); err != nil || n > 4 {
				t.Errorf("%d rows of refusals, %v", n, err)
			}
		}
	})
}

func Test16ALinkOfTheCommandLineGivesANewPassword(t *testing.T) {
	each(t, func(w world) {
		t := w.t
		ada := w.invite("ada", auth.Operator)
		before := must(w.SignIn(t.Context(), "ada", phrase, "192.0.2.0/24"))
		made := must(w.BreakGlass(w.as(auth.Command("root")), *ada.Account))
		must(w.Claim(t.Context(), identity.Claim{Link: *made.Secret, LocalName: "ada", Password: "another horse battery staple"}))
		if w.known(secret.Session, before).Name != "" {
			t.Error("a session outlives the password")
		}
		if _, err := w.SignIn(t.Context(), "ada", phrase, "192.0.2.0/24"); !errors.Is(err, identity.ErrWrong) {
			t.Errorf("the old password: %v", err)
		}
		robot := must(w.CreateServiceAccount(w.as(w.root), identity.CreateServiceAccount{Name: "robot"}))
		_, err := w.BreakGlass(w.as(w.root), robot.ID)
		if errs.CodeOf(err) != errs.Invalid {
			t.Errorf("a link for a program: %v", err)
		}
	})
}

func TestNoSecretStandsInAnyTable(t *testing.T) {
	each(t, func(w world) {
		t := w.t
		name := "ada"
		invited := must(w.Invite(w.as(w.root), identity.InviteAccount{Name: &name}))
		session := must(w.SignIn(t.Context(), "root", phrase, "192.0.2.0/24"))
		key := store.Key{Actor: w.root.Key(), Name: "once"}
		var tokens []identity.Made[string]
		for range 2 { // the second is a retry with the same key
			made, err := w.CreateToken(store.Once(w.as(w.root), key, "token"), identity.CreateToken{Name: "cli", Roles: []auth.Role{auth.Viewer}})
			if err != nil {
				t.Fatal(err)
			}
			tokens = append(tokens, identity.Made[string]{Record: made.Record.ID.String(), Secret: made.Secret})
		}
		if tokens[0].Secret == nil || tokens[1].Secret != nil || tokens[0].Record != tokens[1].Record {
			t.Errorf("got %+v", tokens)
		}
		all := strings.Join(storetest.Dump(t, w.store), "\n")
		for what, text := range map[string]string{"an invitation": *invited.Secret, "a session": session, "a token": *tokens[0].Secret, "a password": phrase} {
			if strings.Contains(all, text) || strings.Contains(all, text[4:24]) {
				t.Errorf("%s stands in a table", what)
			}
		}
		if !strings.Contains(all, "argon2id") || len(all) < 1000 {
			t.Error("the dump misses tables")
		}
	})
}

func TestTokensHoldNoLongerThanTheServerLets(t *testing.T) {
	each(t, func(w world) {
		t := w.t
		w.LongestToken = 30 * 24 * time.Hour
		ctx := w.as(w.root)
		made := must(w.CreateToken(ctx, identity.CreateToken{Name: "usual", Roles: []auth.Role{auth.Viewer}})).Record
		if lasts := made.ExpiresAt.Sub(made.CreatedAt); lasts != 30*24*time.Hour {
			t.Errorf("one that says nothing holds %v", lasts)
		}
		_, err := w.CreateToken(ctx, identity.CreateToken{Name: "long", Roles: []auth.Role{auth.Viewer}, ExpiresIn: new(31 * 24 * time.Hour)})
		if err == nil || !strings.Contains(err.Error(), "P1D to P30D") {
			t.Errorf("31 days: %v", err)
		}
	})
}

func TestPasswordsLeadInWhomTheServerLets(t *testing.T) {
	each(t, func(w world) {
		t := w.t
		w.invite("eve", auth.Operator)
		ada := w.invite("ada", auth.Admin)
		leads := func(name string) bool {
			t.Helper()
			_, err := w.SignIn(t.Context(), name, phrase, "192.0.2.0/24")
			if err != nil && !errors.Is(err, identity.ErrWrong) {
				t.Fatal(err)
			}
			return err == nil
		}
		claims := func(name string, roles ...auth.Role) error {
			invited := must(w.Invite(w.as(w.root), identity.InviteAccount{Name: &name, Roles: roles}))
			_, err := w.Claim(t.Context(), identity.Claim{Link: *invited.Secret, LocalName: name, Password: phrase})
			return err
		}
		for mode, want := range map[identity.LocalSignIn]struct{ eve, ada bool }{
			identity.LocalOn: {true, true}, identity.LocalAdmins: {false, true}, identity.LocalOff: {false, false},
		} {
			w.Local = mode
			if leads("eve") != want.eve || leads("ada") != want.ada {
				t.Errorf("%s: eve and ada are not let in as they should be", mode)
			}
			if err := claims("of "+string(mode), auth.Viewer); want.eve != (err == nil) || err != nil && !errors.Is(err, identity.ErrNotLocal) {
				t.Errorf("%s: an invitation: %v", mode, err)
			}
			if err := claims("admin of "+string(mode), auth.Admin); want.ada != (err == nil) {
				t.Errorf("%s: an invitation of an admin: %v", mode, err)
			}
			link := must(w.BreakGlass(w.as(w.root), *ada.Account))
			if _, err := w.Claim(t.Context(), identity.Claim{Link: *link.Secret, LocalName: "ada", Password: phrase}); err != nil {
				t.Errorf("%s: a link of the command line: %v", mode, err)
			}
		}
	})
}
