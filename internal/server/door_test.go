package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
	"github.com/linchpin-cmdb/linchpin/internal/practice/identity"
	"github.com/linchpin-cmdb/linchpin/internal/server"
	"github.com/linchpin-cmdb/linchpin/internal/server/signin"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

const phrase = "correct horse battery staple"

// house is a server that people sign in to.
type house struct {
	*world
	t *testing.T
}

func houses(t *testing.T, test func(h house)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(newHouse(t, "sqlite:"+filepath.Join(t.TempDir(), "linchpin.db")))
	})
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(newHouse(t, storetest.PostgresAddress(t))) })
}

func newHouse(t *testing.T, address string) house {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	a, err := app.Open(t.Context(), address, log)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Trust(houseKeys(t)); err != nil {
		t.Fatal(err)
	}
	public, _, err := a.Handler(app.Serving{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := server.Listen(t.Context(), "127.0.0.1:0", true)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, l, public, time.Minute, 0, log) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return house{&world{App: a, host: l.Addr().String()}, t}
}

// houseKeys returns the keys of a house.
func houseKeys(t *testing.T) *secret.Keys {
	t.Helper()
	keys, err := secret.NewKeys(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// reply is an answer that was read to its end.
type reply struct {
	Status     string
	StatusCode int
	Header     http.Header
	Cookies    []*http.Cookie
	Text       string
}

// post sends a form as a page of this server does, and returns the answer without following it.
func (h house) post(path string, form url.Values, headers ...string) reply {
	h.t.Helper()
	return h.do(http.MethodPost, path, "application/x-www-form-urlencoded", form.Encode(), headers...)
}

func (h house) do(method, path, kind, body string, headers ...string) reply {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, "http://"+h.host+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return reply{response.Status, response.StatusCode, response.Header, response.Cookies(), string(text)}
}

// graphql answers an operation as text.
func (h house) graphql(query string, headers ...string) (status int, text string) {
	h.t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		h.t.Fatal(err)
	}
	response := h.do(http.MethodPost, "/graphql", "application/json", string(body), headers...)
	return response.StatusCode, response.Text
}

// cookieOf returns the header with the cookie that an answer sets.
func cookieOf(t *testing.T, r reply) string {
	t.Helper()
	for _, c := range r.Cookies {
		if c.Name == signin.Cookie && c.Secure && c.HttpOnly && c.Path == "/" && c.Domain == "" && c.SameSite == http.SameSiteLaxMode {
			return "Cookie: " + c.Name + "=" + c.Value
		}
	}
	t.Fatalf("no cookie of a session: %s %v", r.Status, r.Header)
	return ""
}

// setUp uses the setup link as a browser does, and returns the header with the session's cookie.
func (h house) setUp() string {
	h.t.Helper()
	link, err := h.Identity.SetUpLink(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	done := h.post("/auth/link", url.Values{"link": {link}, "name": {"root"}, "password": {phrase}}, "Sec-Fetch-Site: same-origin")
	if done.StatusCode != http.StatusSeeOther || done.Header.Get("Location") != "/" {
		h.t.Fatal(done.Status, done.Header)
	}
	return cookieOf(h.t, done)
}

// invited returns the header with the session of a new account.
func (h house) invited(name string, roles ...auth.Role) (cookie string, account auth.Actor) {
	h.t.Helper()
	made, err := h.Identity.Invite(auth.With(h.t.Context(), auth.Command("test")), identity.InviteAccount{Name: &name, Roles: roles})
	if err != nil {
		h.t.Fatal(err)
	}
	cookie = cookieOf(h.t, h.post("/auth/link", url.Values{"link": {*made.Secret}, "name": {name}, "password": {phrase}}))
	_, text, _ := strings.Cut(cookie, "=")
	account, _, err = h.Identity.Find(h.t.Context(), secret.Session, text)
	if err != nil {
		h.t.Fatal(err)
	}
	return cookie, account
}

const who = `{ viewer { name via roles isFresh tokenName account { name localName } } }`

func Test1AndTheDoorsAreOpenToThoseWhoSignIn(t *testing.T) {
	houses(t, func(h house) {
		t := h.t
		if status, text := h.graphql(who); status != http.StatusUnauthorized || !strings.Contains(text, "UNAUTHENTICATED") {
			t.Errorf("a stranger: %d %s", status, text)
		}
		if r := h.do(http.MethodGet, "/", "", "", "Accept: text/html"); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/auth/sign-in?return=/" {
			t.Errorf("a stranger's browser: %s %v", r.Status, r.Header)
		}
		if r := h.post("/auth/link", url.Values{"link": {secret.New(secret.Link)}, "name": {"eve"}, "password": {phrase}}); r.StatusCode != http.StatusNotFound {
			t.Errorf("a link that was never made: %s", r.Status)
		}
		cookie := h.setUp()
		if status, text := h.graphql(who, cookie); status != http.StatusOK || !strings.HasPrefix(text, `{"data":{"viewer":{"name":"root","via":"SESSION","roles":["ADMIN"],"isFresh":true,"tokenName":null,"account":{"name":"root","localName":"root"}}},"extensions":{"revision":2,"revisionToken":"2-`) {
			t.Errorf("root: %d %s", status, text)
		}
		if r := h.do(http.MethodGet, "/", "", "", cookie); r.StatusCode != http.StatusOK {
			t.Errorf("GraphiQL: %s", r.Status)
		}
		status, text := h.graphql(`mutation { createApiToken(input: {name: "cli", roles: [OPERATOR]}) { apiToken { id lastFour } secret userErrors { message } } }`, cookie, "Idempotency-Key: once")
		made := struct {
			Data struct{ CreateApiToken struct{ Secret string } }
		}{}
		if err := json.Unmarshal([]byte(text), &made); err != nil || status != http.StatusOK || !secret.IsWhole(secret.Token, made.Data.CreateApiToken.Secret) {
			t.Fatal(status, text, err)
		}
		if _, again := h.graphql(`mutation { createApiToken(input: {name: "cli", roles: [OPERATOR]}) { apiToken { id lastFour } secret userErrors { message } } }`, cookie, "Idempotency-Key: once"); !strings.Contains(again, `"secret":null`) || !strings.Contains(again, `"id":"tok_1"`) {
			t.Errorf("a retry: %s", again)
		}
		bearer := "Authorization: Bearer " + made.Data.CreateApiToken.Secret
		if status, text := h.graphql(who, bearer); status != http.StatusOK || !strings.Contains(text, `"via":"TOKEN","roles":["OPERATOR"],"isFresh":false,"tokenName":"cli"`) {
			t.Errorf("by token: %d %s", status, text)
		}
		for name, mutation := range map[string]string{
			"createCI":       `mutation { createCI(input: {class: "server", name: "x"}) { ci { id } } }`,
			"createApiToken": `mutation { createApiToken(input: {name: "x", roles: [OPERATOR]}) { secret } }`,
		} {
			if _, text := h.graphql(mutation, bearer); !strings.Contains(text, `"FORBIDDEN"`) {
				t.Errorf("%s by a token of an operator: %s", name, text)
			}
		}
		if _, text := h.graphql(`mutation { openIncident(input: {title: "late", urgency: 1, impactLevel: 3}) { incident { openedBy } userErrors { message } } }`, bearer); !strings.Contains(text, `"openedBy":"root"`) {
			t.Errorf("an operator's token: %s", text)
		}
		for _, wrong := range []string{"Bearer x", "Bearer " + secret.New(secret.Token), "Basic cm9vdDp4", "Bearer"} {
			if status, _ := h.graphql(who, "Authorization: "+wrong, cookie); status != http.StatusUnauthorized {
				t.Errorf("%s with a cookie that holds: %d", wrong, status)
			}
		}
		if status, _ := h.graphql(who, cookie+"; "+signin.Cookie+"=planted"); status != http.StatusUnauthorized {
			t.Errorf("two cookies: %d", status)
		}
		if r := h.post("/auth/sign-out", nil, cookie); r.StatusCode != http.StatusSeeOther {
			t.Errorf("sign out: %s", r.Status)
		}
		if status, _ := h.graphql(who, cookie); status != http.StatusUnauthorized {
			t.Errorf("after signing out: %d", status)
		}
		wrong := h.post("/auth/sign-in", url.Values{"name": {"root"}, "password": {"wrong horse battery staple"}})
		if wrong.StatusCode != http.StatusUnauthorized || len(wrong.Cookies) > 0 {
			t.Errorf("a wrong password: %s", wrong.Status)
		}
		right := h.post("/auth/sign-in", url.Values{"name": {"root"}, "password": {phrase}, "return": {"/?query=%7Bviewer%7D"}})
		if right.StatusCode != http.StatusSeeOther || right.Header.Get("Location") != "/?query=%7Bviewer%7D" {
			t.Errorf("the right one: %s %v", right.Status, right.Header)
		}
	})
}

func TestATokenSaysBeforeItEnds(t *testing.T) {
	houses(t, func(h house) {
		m := &matrixWorld{house: h}
		root := h.setUp()
		for days, want := range map[int]bool{7: true, 13: true, 15: false, 90: false} {
			made := m.mutate([]string{root}, "createApiToken", fmt.Sprintf(`{name: "x", roles: [VIEWER], expiresIn: "P%dD"}`, days), "secret")
			_, text := h.graphql(who, "Authorization: Bearer "+made["secret"].(string))
			if got := strings.Contains(text, `"tokenExpiresAt":"`); got != want {
				h.t.Errorf("%d days before: %s", days, text)
			}
		}
		if _, text := h.graphql(who, root); strings.Contains(text, "tokenExpiresAt") {
			h.t.Errorf("a session: %s", text)
		}
	})
}

func Test6OtherSitesAndPortsActForNobody(t *testing.T) {
	houses(t, func(h house) {
		t := h.t
		cookie := h.setUp()
		for _, from := range []string{"cross-site", "same-site"} {
			if status, _ := h.graphql(who, cookie, "Sec-Fetch-Site: "+from, "Origin: http://127.0.0.1:1"); status != http.StatusForbidden {
				t.Errorf("GraphQL from %s: %d", from, status)
			}
			for _, path := range []string{"/auth/sign-in", "/auth/link", "/auth/sign-out"} {
				if r := h.post(path, url.Values{"name": {"root"}, "password": {phrase}}, cookie, "Sec-Fetch-Site: "+from); r.StatusCode != http.StatusForbidden {
					t.Errorf("%s from %s: %s", path, from, r.Status)
				}
			}
		}
		if _, status, err := h.tryDial(t, protocol, cookie, "Origin: http://127.0.0.1:1"); err == nil || status != http.StatusForbidden {
			t.Errorf("a socket of another port: %d %v", status, err)
		}
		if status, _ := h.graphql(who, cookie, "Sec-Fetch-Site: same-origin"); status != http.StatusOK {
			t.Errorf("an own page: %d", status)
		}
	})
}

func Test9SocketsAndStreamsEndWithWhatIsTakenAway(t *testing.T) {
	houses(t, func(h house) {
		t := h.t
		ctx := auth.With(t.Context(), auth.Command("test"))
		h.setUp()
		cookie, ada := h.invited("ada", auth.Operator)
		graceCookie, grace := h.invited("grace", auth.Operator)
		const journal = `subscription { journal { revision } }`
		socket, other := h.connect(t, cookie), h.connect(t, graceCookie)
		socket.ask("1", journal)
		stream := h.follow(t.Context(), t, journal, cookie)
		begin := time.Now()
		if _, err := h.Identity.Disable(ctx, identity.DisableAccount{ID: *ada.Account}); err != nil {
			t.Fatal(err)
		}
		if code := socket.closed(); code != 4401 {
			t.Errorf("the socket of a disabled account: %d", code)
		}
		if rest := stream.all(); !strings.Contains(rest, `"UNAUTHENTICATED"`) || !strings.HasSuffix(rest, "event: complete\ndata: \n\n") {
			t.Errorf("the stream of a disabled account: %q", rest)
		}
		took := time.Since(begin)
		t.Logf("both ended within %s", took)
		if took > 10*time.Second { // it is 2 s on a machine that is not busy
			t.Errorf("it took %s", took)
		}
		if status, _ := h.graphql(who, cookie); status != http.StatusUnauthorized {
			t.Errorf("its next request: %d", status)
		}
		// Another's socket stays, until its account has other roles: then it comes again.
		other.ask("1", `{ viewer { name } }`)
		other.expect("next")
		other.expect("complete")
		if _, err := h.Identity.BindRole(ctx, identity.BindRole{Account: *grace.Account, Role: auth.ChangeManager}); err != nil {
			t.Fatal(err)
		}
		bindings, err := h.Store.Read.RoleBinding.Query().All(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range bindings {
			if *b.AccountID == *grace.Account && b.Role == string(auth.Operator) {
				if _, err := h.Identity.UnbindRole(ctx, identity.UnbindRole{ID: b.ID}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if code := other.closed(); code != 4403 {
			t.Errorf("the socket of an account with other roles: %d", code)
		}
	})
}

func TestAccountsAreToldToThoseWhoLookAfterThem(t *testing.T) {
	houses(t, func(h house) {
		t := h.t
		root := h.setUp()
		cookie, ada := h.invited("ada", auth.Viewer)
		h.invited("grace", auth.Viewer)
		const all = `{ accounts { nodes { name email state localName roleBindings { id } tokens { id } } } journal(first: 100) { nodes { recordId } } nodes(ids: ["rbd_1", "rbd_2"]) { id } }`
		_, shown := h.graphql(all, cookie)
		if strings.Contains(shown, `"localName":"grace"`) || strings.Contains(shown, `"localName":"root"`) || !strings.Contains(shown, `{"name":"grace","email":null,"state":null,"localName":null,"roleBindings":null,"tokens":null}`) {
			t.Errorf("a viewer sees of others: %s", shown)
		}
		if !strings.Contains(shown, `"localName":"ada"`) || !strings.Contains(shown, `"nodes":[null,{"id":"rbd_2"}]`) || !strings.Contains(shown, fmt.Sprintf(`"recordId":%q`, *ada.Account)) || strings.Contains(shown, `"recordId":"acc_1"`) {
			t.Errorf("a viewer sees of their own: %s", shown)
		}
		if _, shown := h.graphql(all, root); !strings.Contains(shown, `"localName":"grace"`) || !strings.Contains(shown, `"recordId":"acc_1"`) {
			t.Errorf("an admin sees: %s", shown)
		}
	})
}
