package server_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/provider"
	"github.com/linchpin-cmdb/linchpin/internal/auth/provider/providertest"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/server/signin"
)

// twoInns runs a test on the same house by two providers, staff and partners.
func twoInns(t *testing.T, test func(staff, partners inn)) {
	houses(t, func(h house) {
		var at [2]inn
		var all []*provider.Provider
		for i, alias := range []string{"staff", "partners"} {
			p := providertest.New(h.t)
			at[i] = inn{front{house: h}, p, alias}
			all = append(all, provider.New(provider.Config{
				Alias: alias, Issuer: p.URL, ClientID: providertest.ClientID, ClientSecret: providertest.ClientSecret, GroupsClaim: "groups", PersonClaim: "employee_id",
				Redirect: "http://127.0.0.1" + signin.CallbackPath(alias), Home: "http://127.0.0.1/auth/sign-in",
			}, houseKeys(h.t)))
			if _, err := h.Identity.BindGroup(auth.With(h.t.Context(), auth.Command("test")), p.URL, "crew", auth.Operator); err != nil {
				h.t.Fatal(err)
			}
		}
		public, _, err := h.Handler(app.Serving{Providers: all})
		if err != nil {
			h.t.Fatal(err)
		}
		at[0].handler, at[1].handler = public, public
		test(at[0], at[1])
	})
}

func TestEachProviderAnswersForItsOwnPeople(t *testing.T) {
	twoInns(t, func(staff, partners inn) {
		t := staff.t
		page := staff.from("127.0.0.1", http.MethodGet, "127.0.0.1", "/auth/sign-in?return=/x", nil).Body.String()
		for _, n := range []inn{staff, partners} {
			if want := fmt.Sprintf(`href="/auth/login?provider=%s&amp;return=%%2fx">Sign in by %s<`, n.alias, strings.TrimPrefix(n.p.URL, "http://")); !strings.Contains(page, want) {
				t.Errorf("the page has no %s: %s", want, page)
			}
			n.p.SignsIn(map[string]any{"sub": "1", "name": "Ada of " + n.alias, "groups": []string{"crew"}}, nil)
		}
		cookies := map[string]string{}
		for _, n := range []inn{staff, partners} {
			_, cookies[n.alias] = n.arrive("/")
			if got := n.who(cookies[n.alias]); !strings.Contains(got, `"name":"Ada of `+n.alias+`"`) {
				t.Errorf("%s: %s", n.alias, got)
			}
		}
		if all := staff.Store.Read.Account.Query().AllX(t.Context()); len(all) != 2 || *all[0].Issuer == *all[1].Issuer {
			t.Errorf("one subject of two providers: %v", all)
		}
		// An answer of one passes for none of the other, whoever mixes them up.
		path, kept := staff.visit("/")
		unnamed := strings.Replace(path, "iss=", "issuer=", 1) // as providers answer that do not say who they are
		told := partners.p.Told()
		if w := staff.callback(strings.Replace(unnamed, "/callback/staff", "/callback/partners", 1), kept); w.Code != http.StatusBadRequest || partners.p.Told() != told {
			t.Errorf("the code of one provider is told to another: %d", w.Code)
		}
		for _, wrong := range []string{strings.Replace(path, "/callback/staff", "/callback/partners", 1), strings.Replace(path, "/callback/staff", "/callback", 1), strings.Replace(path, "/callback/staff", "/callback/nobody", 1)} {
			if w := staff.callback(wrong, kept); w.Code != http.StatusBadRequest && w.Code != http.StatusNotFound {
				t.Errorf("%s: %d", wrong, w.Code)
			}
		}
		_, other := partners.visit("/")
		if w := staff.callback(path, other); w.Code != http.StatusBadRequest {
			t.Errorf("the cookie of the other: %d", w.Code)
		}
		if w := staff.callback(path, kept); w.Code != http.StatusSeeOther {
			t.Errorf("the right one: %d", w.Code)
		}
		if w := staff.from("127.0.0.1", http.MethodGet, "127.0.0.1", "/auth/login?provider=nobody", nil); w.Code != http.StatusNotFound {
			t.Errorf("a provider that is none: %d", w.Code)
		}
		token := func(of inn) string {
			return of.p.Sign([]byte(fmt.Sprintf(`{"iss": %q, "aud": "linchpin", "iat": %d, "sub": "1", "events": {"http://schemas.openid.net/event/backchannel-logout": {}}}`, of.p.URL, time.Now().Unix())), "logout+jwt")
		}
		tell := func(alias, token string) int {
			return staff.from("127.0.0.1", http.MethodPost, "127.0.0.1", "/auth/backchannel-logout/"+alias, url.Values{"logout_token": {token}}).Code
		}
		if code := tell("staff", token(partners)); code != http.StatusBadRequest || strings.Contains(staff.who(cookies["staff"]), "UNAUTHENTICATED") {
			t.Errorf("the other's word that a session has ended: %d", code)
		}
		if code := tell("partners", token(partners)); code != http.StatusOK || !strings.Contains(partners.who(cookies["partners"]), "UNAUTHENTICATED") || strings.Contains(staff.who(cookies["staff"]), "UNAUTHENTICATED") {
			t.Errorf("its own word: %d", code)
		}
		out := staff.from("127.0.0.1", http.MethodPost, "127.0.0.1", "/auth/sign-out", url.Values{}, cookies["staff"])
		if to := out.Header().Get("Location"); !strings.HasPrefix(to, staff.p.URL+"/end?") {
			t.Errorf("signing out leads to %s", to)
		}
	})
}

// people is a source of people.
type people []importer.Person

func (people) Name() string { return "hr" }

func (p people) Rows(context.Context) iter.Seq2[importer.Row, error] {
	return func(yield func(importer.Row, error) bool) {
		for i := range p {
			if !yield(importer.Row{Person: &p[i]}, nil) {
				return
			}
		}
	}
}

func TestAPersonIsKnownByAClaimThatNeverChangesAndByNothingElse(t *testing.T) {
	twoInns(t, func(staff, partners inn) {
		t := staff.t
		ctx := auth.With(t.Context(), auth.Command("test"))
		plan, err := importer.NewPlan(ctx, staff.Store, importer.Named(people{{ExternalID: "e-17", Name: "Ada", Email: "ada@example.org"}, {ExternalID: "e-18", Name: "Bo"}}, provider.Source("staff")), importer.Options{})
		if err == nil {
			_, err = plan.Apply(ctx, staff.Store, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		persons := func(n inn, claims map[string]any) string {
			t.Helper()
			claims["groups"] = []string{"crew"}
			n.p.SignsIn(claims, nil)
			_, cookie := n.arrive("/")
			w := n.from("127.0.0.1", http.MethodGet, "127.0.0.1", "/graphql?query="+url.QueryEscape(`{viewer{person{name}}}`), nil, cookie)
			return between(t, w.Body.String(), `"person":`, `}}`)
		}
		for _, c := range []struct {
			what string
			by   inn
			as   map[string]any
			want string
		}{
			{"her name and e-mail", staff, map[string]any{"sub": "9", "name": "Ada", "email": "ada@example.org", "email_verified": true}, "null"},
			{"the other provider's word", partners, map[string]any{"sub": "1", "employee_id": "e-17"}, "null"},
			{"the claim", staff, map[string]any{"sub": "1", "name": "A.", "employee_id": "e-17"}, `{"name":"Ada"`},
			{"a second account", staff, map[string]any{"sub": "2", "employee_id": "e-17"}, "null"},
			{"the claim of somebody else, later", staff, map[string]any{"sub": "1", "employee_id": "e-18"}, `{"name":"Ada"`},
			{"a number", staff, map[string]any{"sub": "3", "employee_id": 18}, "null"},
			{"nothing", staff, map[string]any{"sub": "4", "employee_id": " "}, "null"},
			{"an account from before", staff, map[string]any{"sub": "9", "employee_id": "e-18"}, `{"name":"Bo"`},
		} {
			if got := persons(c.by, c.as); got != c.want {
				t.Errorf("%s: it is %s, want %s", c.what, got, c.want)
			}
		}
	})
}
