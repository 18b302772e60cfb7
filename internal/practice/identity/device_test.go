package identity_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/practice/identity"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

var laptop = identity.Device{Host: "laptop\x1b[2J", Network: "192.0.2.0/24", Roles: []auth.Role{auth.Operator}}

func TestACommandLineIsLetInByWhoTypesItsCode(t *testing.T) {
	each(t, func(w world) {
		t := w.t
		asked := must(w.AskIn(t.Context(), laptop))
		if all := strings.Join(storetest.Dump(t, w.store), "\n"); strings.Contains(all, asked.Code) || strings.Contains(all, asked.Token[4:24]) {
			t.Error("a code or a token stands in a table")
		}
		is := func(want string) {
			t.Helper()
			_, isIn, isWaiting, err := w.IsIn(t.Context(), asked.Token)
			got := map[[2]bool]string{{true, false}: "in", {false, true}: "waiting", {false, false}: "out"}[[2]bool{isIn, isWaiting}]
			if got != want || err != nil {
				t.Errorf("it is %s, want %s: %v", got, want, err)
			}
		}
		is("waiting")
		if w.known(secret.Token, asked.Token).Name != "" {
			t.Error("it acts before anybody lets it in")
		}
		// It takes a person who has signed in just now: no token, nobody else.
		whole := w.known(secret.Token, *must(w.CreateToken(w.as(w.root), identity.CreateToken{Name: "all", Roles: []auth.Role{auth.Admin}})).Secret)
		for name, by := range map[string]auth.Actor{"a token": whole, "an old session": aged(w.root, time.Hour), "a name": auth.Dev("eve", auth.Admin), "no role": {Name: "nobody", Via: w.root.Via}} {
			if _, err := w.LetIn(w.as(by), asked.Code); errs.CodeOf(err) != errs.Forbidden {
				t.Errorf("%s lets it in: %v", name, err)
			}
			if _, err := w.Device(w.as(by), asked.Code); errs.CodeOf(err) != errs.Forbidden {
				t.Errorf("%s looks at it: %v", name, err)
			}
		}
		if _, err := w.LetIn(w.as(w.invite("vera", auth.Viewer)), asked.Code); errs.CodeOf(err) != errs.Invalid || !strings.Contains(err.Error(), "no more than its account") {
			t.Errorf("a viewer gives the role of an operator: %v", err)
		}
		is("waiting")
		typed := strings.ToLower(asked.Code[:4]) + " - " + asked.Code[4:]
		if d := must(w.Device(w.as(w.root), typed)); d.Host != "laptop[2J" || d.Network != laptop.Network || d.Roles[0] != auth.Operator {
			t.Errorf("got %+v", d)
		}
		token := must(w.LetIn(w.as(w.root), typed))
		if token.Name != "CLI on laptop[2J" || time.Until(token.ExpiresAt) > 30*24*time.Hour || time.Until(token.ExpiresAt) < 29*24*time.Hour {
			t.Errorf("got %v", token)
		}
		is("in")
		a := w.known(secret.Token, asked.Token)
		if *a.Account != *w.root.Account || !a.Has(auth.Operator) || a.Has(auth.Admin) {
			t.Errorf("got %+v", a)
		}
		if _, err := w.LetIn(w.as(w.root), asked.Code); !errors.Is(err, identity.ErrNoDevice) {
			t.Errorf("a code works twice: %v", err)
		}
		if err := w.EndOwnToken(w.as(a)); err != nil {
			t.Error(err)
		}
		is("out")
		if err := w.EndOwnToken(w.as(w.root)); errs.CodeOf(err) != errs.Unauthenticated {
			t.Errorf("a session ends no token: %v", err)
		}
	})
}

func TestACommandLineThatIsRefusedOrTooLateIsOut(t *testing.T) {
	each(t, func(w world) {
		t := w.t
		refused, late := must(w.AskIn(t.Context(), laptop)), must(w.AskIn(t.Context(), laptop))
		if err := w.Refuse(w.as(w.root), refused.Code); err != nil {
			t.Fatal(err)
		}
		_, err := store.Write(t.Context(), w.store, auth.System.By("test"), func(ctx context.Context, tx *store.Tx) (int, error) {
			_, err := tx.ExecContext(ctx, "UPDATE x_device SET expires_at = $1", tx.Now.Add(-time.Second))
			return 0, err
		})
		if err != nil {
			t.Fatal(err)
		}
		for name, asked := range map[string]identity.AskedDevice{"refused": refused, "late": late} {
			if _, err := w.LetIn(w.as(w.root), asked.Code); !errors.Is(err, identity.ErrNoDevice) {
				t.Errorf("%s: %v", name, err)
			}
			if _, isIn, isWaiting, err := w.IsIn(t.Context(), asked.Token); isIn || isWaiting || err != nil {
				t.Errorf("%s: it waits still: %v", name, err)
			}
		}
	})
}

func TestCodesOfCommandLinesAreNotGuessed(t *testing.T) {
	each(t, func(w world) {
		t := w.t
		asked := must(w.AskIn(t.Context(), laptop))
		wrong, waits := 0, 0
		for range 40 {
			_, err := w.Device(w.as(w.root), "BCDF-GHJK")
			tooMany := identity.TooManyError{}
			switch {
			case errors.As(err, &tooMany):
				waits++
			case errors.Is(err, identity.ErrNoDevice):
				wrong++
			default:
				t.Fatal(err)
			}
		}
		if wrong > 8 || waits == 0 {
			t.Errorf("%d codes were tried, %d had to wait", wrong, waits)
		}
		if _, err := w.LetIn(w.as(w.root), asked.Code); !errors.As(err, &identity.TooManyError{}) {
			t.Errorf("the right one among them: %v", err)
		}
		if _, err := w.LetIn(w.as(w.invite("ada", auth.Operator)), asked.Code); err != nil {
			t.Errorf("somebody else: %v", err)
		}
		// Nor do command lines that ask fill the table.
		kept := 0
		for range 60 {
			if _, err := w.AskIn(t.Context(), laptop); err == nil {
				kept++
			} else if !errors.As(err, &identity.TooManyError{}) {
				t.Fatal(err)
			}
		}
		if kept > 40 {
			t.Errorf("%d command lines of one network wait", kept)
		}
	})
}
