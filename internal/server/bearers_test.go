package server_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
	"github.com/linchpin-cmdb/linchpin/internal/practice/identity"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func TestANetworkThatGuessesTokensWaitsAndNobodyElse(t *testing.T) {
	houses(t, func(h house) {
		t := h.t
		f, cli := newFront(h), auth.With(t.Context(), auth.Command("test"))
		program, err := h.Identity.CreateServiceAccount(cli, identity.CreateServiceAccount{Name: "portal", Roles: []auth.Role{auth.Viewer}})
		if err != nil {
			t.Fatal(err)
		}
		made, err := h.Identity.CreateToken(cli, identity.CreateToken{Account: &program.ID, Name: "x", Roles: []auth.Role{auth.Viewer}})
		if err != nil {
			t.Fatal(err)
		}
		holds := *made.Secret
		asks := func(from, bearer string) (status, statements int) {
			ctx, counted := store.CountStatements(t.Context())
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "https://cmdb.example.org/graphql?query="+url.QueryEscape("{viewer{name}}"), nil)
			r.RemoteAddr = from + ":4711"
			r.Header.Set("Authorization", "Bearer "+bearer)
			w := httptest.NewRecorder()
			f.handler.ServeHTTP(w, r)
			if w.Code == http.StatusTooManyRequests && w.Header().Get("Retry-After") == "" {
				t.Error("nobody says how long to wait")
			}
			return w.Code, len(counted.All())
		}
		// One with a typing error costs nothing, and does not count.
		typo := secret.New(secret.Token)
		typo = typo[:10] + strings.Map(func(r rune) rune {
			if r == 'x' {
				return 'y'
			}
			return 'x'
		}, typo[10:11]) + typo[11:]
		for range 100 {
			if status, statements := asks("10.9.9.9", typo); status != http.StatusUnauthorized || statements > 0 {
				t.Fatalf("a typing error is answered %d after %d statements", status, statements)
			}
		}
		if status, _ := asks("10.9.9.9", holds); status != http.StatusOK {
			t.Fatalf("a token that holds is answered %d", status)
		}
		looked := 0
		for n := range 200 {
			status, statements := asks("10.9.9.9", secret.New(secret.Token))
			if looked += statements; status != http.StatusUnauthorized && status != http.StatusTooManyRequests || (status == http.StatusTooManyRequests) != (n >= 60) {
				t.Fatalf("guess %d is answered %d", n, status)
			}
		}
		if looked > 60 {
			t.Errorf("200 guesses took %d statements", looked)
		}
		if status, _ := asks("10.9.9.8", holds); status != http.StatusOK {
			t.Errorf("a token that held before is answered %d in the network that guesses", status)
		}
		if status, _ := asks("10.9.8.9", secret.New(secret.Token)); status != http.StatusUnauthorized {
			t.Errorf("another network is answered %d", status)
		}
	})
}
