package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/issuer"
	"github.com/linchpin-cmdb/linchpin/internal/auth/provider/providertest"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/identity"
)

// embassy is a house that trusts an issuer for tokens of each profile.
type embassy struct {
	front
	p *providertest.Provider
	// importer is the account of a workload, an INTEGRATOR of the source kubernetes.
	importer ident.ID
}

func embassies(t *testing.T, test func(e embassy)) {
	houses(t, func(h house) {
		t, cli := h.t, auth.With(h.t.Context(), auth.Command("test"))
		e := embassy{newFront(h), providertest.New(t), 0}
		program, err := h.Identity.CreateServiceAccount(cli, identity.CreateServiceAccount{Name: "importer"})
		if err != nil {
			t.Fatal(err)
		}
		e.importer = program.ID
		if _, err := h.Identity.BindRole(cli, identity.BindRole{Account: program.ID, Role: auth.Integrator, Sources: []string{"kubernetes"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Identity.BindGroup(cli, e.p.URL, "ops", auth.Operator); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "issuers.json")
		text := fmt.Sprintf(`[
			{"issuer": %q, "profile": "access-token", "jwks": %q},
			{"issuer": %[1]q, "profile": "workload", "jwks": %[2]q, "bindings": [{"subject": "system:serviceaccount:ops:importer", "account": %[3]q}]},
			{"issuer": %[1]q, "profile": "proxy", "jwks": %[2]q, "header": "X-Signed", "groupsClaim": "groups"}
		]`, e.p.URL, e.p.URL+"/keys", program.ID)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if h.Identity.Issuers, err = issuer.Read(file, "https://cmdb.example.org", ""); err != nil {
			t.Fatal(err)
		}
		test(e)
	})
}

// signs signs claims for the server, with others in their place.
func (e embassy) signs(kind string, claims map[string]any) string {
	all := map[string]any{"iss": e.p.URL, "aud": "https://cmdb.example.org", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix()}
	for name, value := range claims {
		all[name] = value
	}
	text, err := json.Marshal(all)
	if err != nil {
		e.t.Fatal(err)
	}
	return e.p.Sign(text, jose.ContentType(kind))
}

func (e embassy) asks(operation string, headers ...string) *httptest.ResponseRecorder {
	e.t.Helper()
	if strings.HasPrefix(operation, "mutation") {
		body, err := json.Marshal(map[string]string{"query": operation})
		if err != nil {
			e.t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(e.t.Context(), http.MethodPost, "https://cmdb.example.org/graphql", strings.NewReader(string(body)))
		r.RemoteAddr, r.Host = "10.1.2.3:4711", "cmdb.example.org"
		r.Header.Set("Content-Type", "application/json")
		for _, header := range headers {
			name, value, _ := strings.Cut(header, ": ")
			r.Header.Add(name, value)
		}
		w := httptest.NewRecorder()
		e.handler.ServeHTTP(w, r)
		return w
	}
	return e.from("10.1.2.3", http.MethodGet, "cmdb.example.org", "/graphql?query="+url.QueryEscape(operation), nil, headers...)
}

const whoCalls = `{viewer{name via roles grants{role} account{id}}}`

func Test10AWorkloadActsAsTheAccountThatItsWholeSubjectIsBoundTo(t *testing.T) {
	embassies(t, func(e embassy) {
		t := e.t
		subject := map[string]any{"sub": "system:serviceaccount:ops:importer"}
		bearer := "Authorization: Bearer " + e.signs("JWT", subject)
		if got := e.asks(whoCalls, bearer).Body.String(); !strings.Contains(got, `"name":"importer","via":"WORKLOAD"`) || !strings.Contains(got, e.importer.String()) {
			t.Fatal(got)
		}
		open := func(source string) string {
			return e.asks(fmt.Sprintf(`mutation { openIncident(input: {title: "down", externalIdentity: {source: %q, externalId: "1"}}) { incident { number } userErrors { message } } }`, source), bearer).Body.String()
		}
		if got := open("kubernetes"); !strings.Contains(got, `"number":"INC0000001"`) {
			t.Errorf("its own source: %s", got)
		}
		if got := open("manual"); !strings.Contains(got, "FORBIDDEN") {
			t.Errorf("another source: %s", got)
		}
		for name, token := range map[string]string{
			"another subject": e.signs("JWT", map[string]any{"sub": "system:serviceaccount:ops:importer2"}),
			"wrong audience":  e.signs("JWT", map[string]any{"sub": "system:serviceaccount:ops:importer", "aud": "https://cmdb.example.org/graphql"}),
			"for 25 hours":    e.signs("JWT", map[string]any{"sub": "system:serviceaccount:ops:importer", "exp": time.Now().Add(25 * time.Hour).Unix()}),
			"an ID token":     e.signs("JWT", map[string]any{"sub": "1", "nonce": "n", "aud": "linchpin"}),
			"of nobody here":  e.signs("at+jwt", map[string]any{"sub": "1", "client_id": "x", "aud": "https://cmdb.example.org/graphql", "scope": "ADMIN"}),
		} {
			// A cookie beside it changes nothing: a bearer that fails is nobody.
			if w := e.asks(whoCalls, "Authorization: Bearer "+token, e.cookie); w.Code != http.StatusUnauthorized {
				t.Errorf("%s: %d %s", name, w.Code, w.Body)
			}
		}
		if _, err := e.Identity.Disable(auth.With(t.Context(), auth.Command("test")), identity.DisableAccount{ID: e.importer}); err != nil {
			t.Fatal(err)
		}
		if w := e.asks(whoCalls, bearer); w.Code != http.StatusUnauthorized {
			t.Errorf("a disabled account: %d %s", w.Code, w.Body)
		}
	})
}

func TestAProxySignsPeopleInAndAnAccessTokenNarrowsThem(t *testing.T) {
	embassies(t, func(e embassy) {
		t := e.t
		grace := map[string]any{"sub": "grace", "name": "Grace", "groups": []string{"ops"}, "auth_time": time.Now().Unix()}
		signed := "X-Signed: " + e.signs("JWT", grace)
		for range 2 { // her account is made with the first request, and once
			if got := e.asks(whoCalls, signed).Body.String(); !strings.Contains(got, `"name":"Grace","via":"SESSION","roles":["OPERATOR"]`) {
				t.Fatal(got)
			}
		}
		if n := len(e.Store.Read.Account.Query().AllX(t.Context())); n != 3 { // root, importer and she
			t.Errorf("%d accounts", n)
		}
		if w := e.asks(whoCalls, "X-Signed: "+e.signs("JWT", map[string]any{"sub": "mallory", "name": "Grace", "groups": []string{"staff"}})); w.Code != http.StatusUnauthorized {
			t.Errorf("somebody whom nothing gives a role: %d %s", w.Code, w.Body)
		}
		// A header that a proxy adds to each request of a browser is no better than a cookie against pages of others.
		const write = `mutation { openIncident(input: {title: "down"}) { incident { openedBy } userErrors { message } } }`
		if w := e.asks(write, signed, "Sec-Fetch-Site: cross-site"); w.Code != http.StatusForbidden {
			t.Errorf("from another site: %d %s", w.Code, w.Body)
		}
		if w := e.asks(write, signed, "Sec-Fetch-Site: same-origin"); !strings.Contains(w.Body.String(), `"openedBy":"Grace"`) {
			t.Errorf("from its own page: %d %s", w.Code, w.Body)
		}
		for name, headers := range map[string][]string{
			"two of them":        {signed, signed},
			"somebody's own":     {"X-Signed: grace"},
			"the proxy's bearer": {"Authorization: Bearer " + e.signs("JWT", grace)},
		} {
			if w := e.asks(whoCalls, append(headers, e.cookie)...); w.Code != http.StatusUnauthorized {
				t.Errorf("%s: %d %s", name, w.Code, w.Body)
			}
		}
		of := e.Store.Read.Account.Query().Order().AllX(t.Context())[2].ID
		if _, err := e.Identity.BindRole(auth.With(t.Context(), auth.Command("test")), identity.BindRole{Account: of, Role: auth.CatalogEditor}); err != nil {
			t.Fatal(err)
		}
		access := func(scope string) string {
			return "Authorization: Bearer " + e.signs("at+jwt", map[string]any{"sub": "grace", "client_id": "portal", "scope": scope, "aud": "https://cmdb.example.org/graphql"})
		}
		if got := e.asks(whoCalls, access("openid catalog_editor ADMIN")).Body.String(); !strings.Contains(got, `"via":"WORKLOAD","roles":["CATALOG_EDITOR"]`) {
			t.Errorf("a scope narrows: %s", got)
		}
		if got := e.asks(whoCalls, access("openid profile")).Body.String(); !strings.Contains(got, "FORBIDDEN") {
			t.Errorf("a scope without roles: %s", got)
		}
		if got := e.asks(`mutation { createApiToken(input: {name: "x", roles: [VIEWER]}) { secret } }`, access("catalog_editor admin")).Body.String(); !strings.Contains(got, "no token may do it") {
			t.Errorf("a token makes a token: %s", got)
		}
	})
}
