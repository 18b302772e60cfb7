package server_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/provider"
	"github.com/linchpin-cmdb/linchpin/internal/auth/provider/providertest"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/practice/identity"
)

// inn is a house to which people sign in by a provider, whose group cmdb-admins are admins.
type inn struct {
	front
	p     *providertest.Provider
	alias string // of the provider, if there are several
}

func newInn(h house, keys *secret.Keys) inn {
	t := h.t
	p := providertest.New(t)
	c := provider.Config{
		Issuer: p.URL, ClientID: providertest.ClientID, ClientSecret: providertest.ClientSecret, GroupsClaim: "groups",
		Redirect: "http://127.0.0.1/auth/callback", Home: "http://127.0.0.1/auth/sign-in",
	}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	public, _, err := h.Handler(app.Serving{Providers: []*provider.Provider{provider.New(c, keys)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Identity.BindGroup(auth.With(t.Context(), auth.Command("test")), p.URL, "cmdb-admins", auth.Admin); err != nil {
		t.Fatal(err)
	}
	return inn{front{house: h, handler: public}, p, ""}
}

func inns(t *testing.T, test func(n inn)) {
	houses(t, func(h house) { test(newInn(h, houseKeys(t))) })
}

// visit begins to sign in, and returns the path of the callback to which the provider sends the browser, and the cookie
// that the browser keeps.
func (n inn) visit(back string) (callback, kept string) {
	n.t.Helper()
	begun := n.from("127.0.0.1", http.MethodGet, "127.0.0.1", "/auth/login?"+url.Values{"return": {back}, "provider": {n.alias}}.Encode(), nil)
	if begun.Code != http.StatusSeeOther {
		n.t.Fatalf("%d %s", begun.Code, begun.Body)
	}
	for _, c := range begun.Result().Cookies() {
		if c.Name == "__Host-linchpin_login" && c.Secure && c.HttpOnly && c.Path == "/" {
			kept = c.Name + "=" + c.Value
		}
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := http.NewRequestWithContext(n.t.Context(), http.MethodGet, begun.Header().Get("Location"), nil)
	if err != nil {
		n.t.Fatal(err)
	}
	response, err := client.Do(r)
	if err != nil {
		n.t.Fatal(err)
	}
	_ = response.Body.Close()
	to, err := response.Location()
	if err != nil || kept == "" {
		n.t.Fatal(err, response.Status, begun.Header())
	}
	return to.RequestURI(), kept
}

func (n inn) callback(path string, cookies ...string) *httptest.ResponseRecorder {
	return n.from("127.0.0.1", http.MethodGet, "127.0.0.1", path, nil, "Cookie: "+strings.Join(cookies, "; "))
}

// arrive signs in and returns the answer, and the header with the session's cookie, if there is one.
func (n inn) arrive(back string) (w *httptest.ResponseRecorder, cookie string) {
	n.t.Helper()
	path, kept := n.visit(back)
	w = n.callback(path, kept)
	for _, c := range w.Result().Cookies() {
		if c.Name == "__Host-linchpin" {
			cookie = "Cookie: " + c.Name + "=" + c.Value
		}
	}
	return w, cookie
}

func (n inn) who(cookie string) string {
	w := n.from("127.0.0.1", http.MethodGet, "127.0.0.1", "/graphql?query="+url.QueryEscape(`{viewer{name via roles account{email}}}`), nil, cookie)
	return w.Body.String()
}

var ada = map[string]any{"sub": "1", "name": "Ada", "email": "ada@example.org", "groups": []string{"staff", "cmdb-admins"}, "sid": "s1"}

func Test3APersonIsWhoTheProviderSaysAndNotWhoTheySound(t *testing.T) {
	inns(t, func(n inn) {
		t := n.t
		n.p.SignsIn(ada, nil)
		w, cookie := n.arrive("/?query=%7Bviewer%7D")
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/?query=%7Bviewer%7D" {
			t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
		}
		if got := n.who(cookie); !strings.Contains(got, `{"name":"Ada","via":"SESSION","roles":["ADMIN"],"account":{"email":"ada@example.org"}}`) {
			t.Errorf("ada: %s", got)
		}
		// Her account has the role by itself now, and is still not its namesake's.
		of := n.Store.Read.Account.Query().OnlyX(t.Context()).ID
		if _, err := n.Identity.BindRole(auth.With(t.Context(), auth.Command("test")), identity.BindRole{Account: of, Role: auth.Admin}); err != nil {
			t.Fatal(err)
		}
		n.p.SignsIn(map[string]any{"sub": "2", "name": "Ada", "email": "ada@example.org", "email_verified": true, "preferred_username": "ada", "groups": []string{"staff"}}, nil)
		w, none := n.arrive("/")
		if w.Code != http.StatusForbidden || none != "" || !strings.Contains(w.Body.String(), "No role yet") {
			t.Errorf("mallory: %d %q %s", w.Code, none, w.Body)
		}
		if all := n.Store.Read.Account.Query().AllX(t.Context()); len(all) != 1 {
			t.Errorf("accounts: %v", all)
		}
		n.p.SignsIn(ada, nil)
		if _, again := n.arrive("//evil.example"); !strings.Contains(n.who(again), "ADMIN") {
			t.Error("ada does not come in again")
		}
		if all := n.Store.Read.Account.Query().AllX(t.Context()); len(all) != 1 {
			t.Errorf("who comes in twice has %d accounts", len(all))
		}
	})
}

func Test4GroupsThatAreNotToldGiveNothing(t *testing.T) {
	inns(t, func(n inn) {
		t := n.t
		n.p.SignsIn(ada, nil)
		_, cookie := n.arrive("/")
		a := n.Store.Read.Account.Query().OnlyX(t.Context())
		many := []string{}
		for range 299 {
			many = append(many, "other")
		}
		for name, c := range map[string]struct {
			claims map[string]any
			want   int
		}{
			"no claim":         {map[string]any{"groups": nil}, http.StatusForbidden},
			"told elsewhere":   {map[string]any{"groups": nil, "_claim_names": map[string]string{"groups": "src1"}, "_claim_sources": map[string]any{"src1": map[string]string{"endpoint": "https://id.example.org/groups"}}}, http.StatusForbidden},
			"another claim":    {map[string]any{"groups": nil, "roles": []string{"cmdb-admins"}}, http.StatusForbidden},
			"a text":           {map[string]any{"groups": "cmdb-admins"}, http.StatusForbidden},
			"300 of them":      {map[string]any{"groups": append(many, "cmdb-admins")}, http.StatusSeeOther},
			"a longer name":    {map[string]any{"groups": []string{"cmdb-admins2"}}, http.StatusForbidden},
			"a spelling of it": {map[string]any{"groups": []string{"CMDB-admins"}}, http.StatusForbidden},
		} {
			n.p.SignsIn(ada, func(claims map[string]any) {
				for name, value := range c.claims {
					claims[name] = value
				}
			})
			if w, _ := n.arrive("/"); w.Code != c.want {
				t.Errorf("%s: %d", name, w.Code)
			}
		}
		// A direct binding stays; what an account that is disabled has, does not.
		ctx := auth.With(t.Context(), auth.Command("test"))
		if _, err := n.Identity.BindRole(ctx, identity.BindRole{Account: a.ID, Role: auth.Viewer}); err != nil {
			t.Fatal(err)
		}
		n.p.SignsIn(map[string]any{"sub": "1", "name": "Ada"}, nil)
		if _, direct := n.arrive("/"); !strings.Contains(n.who(direct), `"roles":["VIEWER"]`) {
			t.Errorf("without groups: %s", n.who(direct))
		}
		if _, err := n.Identity.Disable(ctx, identity.DisableAccount{ID: a.ID}); err != nil {
			t.Fatal(err)
		}
		n.p.SignsIn(ada, nil)
		if w, _ := n.arrive("/"); w.Code != http.StatusForbidden {
			t.Errorf("a disabled account: %d", w.Code)
		}
		if got := n.who(cookie); !strings.Contains(got, "UNAUTHENTICATED") || a.State != domain.AccountActive {
			t.Errorf("its session: %s", got)
		}
	})
}

// TestASessionIsAsFreshAsTheProviderSays lets a person come in by a session that they have at the provider for long.
func TestASessionIsAsFreshAsTheProviderSays(t *testing.T) {
	inns(t, func(n inn) {
		t := n.t
		fresh := func(cookie string) string {
			return n.from("127.0.0.1", http.MethodGet, "127.0.0.1", "/graphql?query="+url.QueryEscape(`{viewer{isFresh}}`), nil, cookie).Body.String()
		}
		for name, c := range map[string]struct {
			at   any
			want string
		}{
			"it does not tell": {nil, `"isFresh":true`}, "just now": {time.Now().Unix(), `"isFresh":true`}, "by a clock that is ahead": {time.Now().Add(10 * time.Second).Unix(), `"isFresh":true`},
			"16 minutes ago": {time.Now().Add(-16 * time.Minute).Unix(), `"isFresh":false`}, "yesterday": {time.Now().Add(-24 * time.Hour).Unix(), `"isFresh":false`},
			"tomorrow": {time.Now().Add(24 * time.Hour).Unix(), "UNAUTHENTICATED"}, "a text": {"now", "UNAUTHENTICATED"},
		} {
			n.p.SignsIn(ada, func(claims map[string]any) {
				if c.at != nil {
					claims["auth_time"] = c.at
				}
			})
			if _, cookie := n.arrive("/"); !strings.Contains(fresh(cookie), c.want) {
				t.Errorf("%s: %s", name, fresh(cookie))
			}
		}
		// A person may have signed in there today to come in; one that is in and comes again is asked anew.
		n.p.SignsIn(ada, nil)
		_, in := n.arrive("/")
		for cookie, want := range map[string]string{"": "43200", "Cookie: __Host-linchpin=lps_nobodys": "43200", in: "900"} {
			w := n.from("127.0.0.1", http.MethodGet, "127.0.0.1", "/auth/login", nil, cookie)
			if to, err := w.Result().Location(); err != nil || to.Query().Get("max_age") != want {
				t.Errorf("by %q: %v, %v; want max_age %s", cookie, to, err, want)
			}
		}
	})
}

// with returns the path of a callback with another value of a parameter.
func with(u *url.URL, name, value string) string {
	q := u.Query()
	q.Set(name, value)
	return "/auth/callback?" + q.Encode()
}

func Test5ACallbackIsThatOfTheBrowserThatBegan(t *testing.T) {
	inns(t, func(n inn) {
		t := n.t
		n.p.SignsIn(ada, nil)
		_, before := n.arrive("/")
		session := strings.TrimPrefix(before, "Cookie: ")
		other, otherKept := n.visit("/")
		for name, come := range map[string]func(u *url.URL, kept string) *httptest.ResponseRecorder{
			"without the cookie": func(u *url.URL, _ string) *httptest.ResponseRecorder { return n.callback(u.RequestURI(), session) },
			"of another browser": func(u *url.URL, _ string) *httptest.ResponseRecorder {
				return n.callback(u.RequestURI(), session, otherKept)
			},
			"another state": func(u *url.URL, kept string) *httptest.ResponseRecorder {
				return n.callback(with(u, "state", "x"), session, kept)
			},
			"another issuer": func(u *url.URL, kept string) *httptest.ResponseRecorder {
				return n.callback(with(u, "iss", "https://id.evil.example"), session, kept)
			},
			"no code": func(u *url.URL, kept string) *httptest.ResponseRecorder {
				return n.callback("/auth/callback?error=access_denied&state="+u.Query().Get("state"), session, kept)
			},
			"a cookie made up": func(u *url.URL, _ string) *httptest.ResponseRecorder {
				return n.callback(u.RequestURI(), session, "__Host-linchpin_login=eyJTdGF0ZSI6IngifQ")
			},
			"two cookies": func(u *url.URL, kept string) *httptest.ResponseRecorder {
				return n.callback(u.RequestURI(), session, kept, kept)
			},
		} {
			path, kept := n.visit("/") // its own code, which would do
			u, err := url.Parse(path)
			if err != nil {
				t.Fatal(err)
			}
			if w := come(u, kept); w.Code != http.StatusBadRequest || strings.Contains(strings.Join(w.Header().Values("Set-Cookie"), "\n"), "__Host-linchpin=") {
				t.Errorf("%s: %d %v", name, w.Code, w.Header())
			}
		}
		if got := n.who(before); !strings.Contains(got, "Ada") {
			t.Errorf("the session that was there: %s", got)
		}
		if w := n.callback(other, session, otherKept); w.Code != http.StatusSeeOther {
			t.Errorf("the right one: %d %s", w.Code, w.Body)
		}
		if w := n.callback(other, session, otherKept); w.Code != http.StatusBadRequest {
			t.Errorf("used again: %d", w.Code)
		}
		if got := n.who(before); !strings.Contains(got, "UNAUTHENTICATED") { // fixation: the browser has a new one
			t.Errorf("the session before the new one: %s", got)
		}
		now := time.Now()
		for name, alter := range map[string]func(map[string]any){
			"another nonce":     func(c map[string]any) { c["nonce"] = "x" },
			"no nonce":          func(c map[string]any) { delete(c, "nonce") },
			"another audience":  func(c map[string]any) { c["aud"] = "other" },
			"for another party": func(c map[string]any) { c["aud"], c["azp"] = []string{providertest.ClientID, "other"}, "other" },
			"for two, unnamed":  func(c map[string]any) { c["aud"] = []string{providertest.ClientID, "other"} },
			"another issuer":    func(c map[string]any) { c["iss"] = "https://id.evil.example" },
			"an old token":      func(c map[string]any) { c["exp"] = now.Add(-time.Hour).Unix() },
			"nobody":            func(c map[string]any) { c["sub"] = "" },
		} {
			n.p.SignsIn(ada, alter)
			if w, cookie := n.arrive("/"); w.Code != http.StatusBadRequest || cookie != "" {
				t.Errorf("%s: %d %s", name, w.Code, cookie)
			}
		}
		n.p.SignsIn(ada, nil)
		for name, sign := range map[string]func([]byte) string{"signed by none": providertest.Unsigned, "by the public key": n.p.SignByPublicKey} {
			n.p.SignsBy(sign)
			if w, cookie := n.arrive("/"); w.Code != http.StatusBadRequest || cookie != "" {
				t.Errorf("%s: %d %s", name, w.Code, cookie)
			}
		}
	})
}

func TestAProviderEndsTheSessionsThatItBegan(t *testing.T) {
	inns(t, func(n inn) {
		t := n.t
		n.p.SignsIn(ada, nil)
		const event = "http://schemas.openid.net/event/backchannel-logout"
		claims := func(change map[string]any) []byte {
			c := map[string]any{
				"iss": n.p.URL, "aud": providertest.ClientID, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(), "jti": "x", "sub": "1", "sid": "s1",
				"events": map[string]any{event: map[string]any{}},
			}
			for name, value := range change {
				if c[name] = value; value == nil {
					delete(c, name)
				}
			}
			text, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		tell := func(token string) int {
			return n.from("127.0.0.1", http.MethodPost, "127.0.0.1", "/auth/backchannel-logout", url.Values{"logout_token": {token}}).Code
		}
		_, cookie := n.arrive("/")
		for name, token := range map[string]string{
			"with a nonce":      n.p.Sign(claims(map[string]any{"nonce": "x"}), "logout+jwt"),
			"without the event": n.p.Sign(claims(map[string]any{"events": nil}), "logout+jwt"),
			"of nobody":         n.p.Sign(claims(map[string]any{"sub": nil, "sid": nil}), "logout+jwt"),
			"of long ago":       n.p.Sign(claims(map[string]any{"iat": time.Now().Add(-time.Hour).Unix()}), "logout+jwt"),
			"another audience":  n.p.Sign(claims(map[string]any{"aud": "other"}), "logout+jwt"),
			"another type":      n.p.Sign(claims(nil), "at+jwt"),
			"signed by none":    providertest.Unsigned(claims(nil)),
			"no token":          "x",
		} {
			if code := tell(token); code != http.StatusBadRequest {
				t.Errorf("%s: %d", name, code)
			}
		}
		if code := tell(n.p.Sign(claims(map[string]any{"sid": "s2"}), "logout+jwt")); code != http.StatusOK || !strings.Contains(n.who(cookie), "Ada") {
			t.Errorf("the end of another session: %d, %s", code, n.who(cookie))
		}
		for name, change := range map[string]map[string]any{"by session": {"sub": nil}, "by person": {"sid": nil}, "by both": nil} {
			_, cookie := n.arrive("/")
			if code := tell(n.p.Sign(claims(change), jose.ContentType("logout+jwt"))); code != http.StatusOK || !strings.Contains(n.who(cookie), "UNAUTHENTICATED") {
				t.Errorf("%s: %d, %s", name, code, n.who(cookie))
			}
		}
		// Signing out here leads to signing out there.
		_, cookie = n.arrive("/")
		out := n.from("127.0.0.1", http.MethodPost, "127.0.0.1", "/auth/sign-out", url.Values{}, cookie)
		if to := out.Header().Get("Location"); out.Code != http.StatusSeeOther || !strings.HasPrefix(to, n.p.URL+"/end?") || !strings.Contains(to, "post_logout_redirect_uri=") {
			t.Errorf("signing out: %d %s", out.Code, to)
		}
		// A provider that is gone ends nothing.
		_, cookie = n.arrive("/")
		path, kept := n.visit("/")
		n.p.Close()
		if w := n.callback(path, kept); w.Code != http.StatusServiceUnavailable || !strings.Contains(n.who(cookie), "Ada") {
			t.Errorf("without the provider: %d, %s", w.Code, n.who(cookie))
		}
	})
}

func TestThePageAsksForAPasswordOfThoseWhoMayUseOne(t *testing.T) {
	houses(t, func(h house) {
		for mode, want := range map[identity.LocalSignIn][2]bool{identity.LocalOn: {true, false}, identity.LocalAdmins: {true, true}, identity.LocalOff: {false, false}} {
			h.Identity.Local = mode
			body := newInn(h, houseKeys(t)).from("127.0.0.1", http.MethodGet, "127.0.0.1", "/auth/sign-in", nil).Body.String()
			if got := [2]bool{strings.Contains(body, `type="password"`), strings.Contains(body, "Admins may")}; got != want || !strings.Contains(body, "Sign in by") {
				t.Errorf("%s: %s", mode, body)
			}
		}
	})
}
