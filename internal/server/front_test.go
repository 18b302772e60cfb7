package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/session"
	"github.com/linchpin-cmdb/linchpin/internal/server"
)

func TestAPublicURLIsASchemeAndAHost(t *testing.T) {
	for text, want := range map[string]string{"https://cmdb.example.org": "https://cmdb.example.org", "https://CMDB.example.org:8443/": "https://cmdb.example.org:8443", "http://localhost": "http://localhost"} {
		if u, err := server.PublicURL(text); err != nil || u.String() != want {
			t.Errorf("%s: %v %v", text, u, err)
		}
	}
	for _, text := range []string{"", "cmdb.example.org", "ftp://x", "https://", "https://x/path", "https://u:p@x", "https://x?y", "https://x#y", "//x"} {
		if u, err := server.PublicURL(text); err == nil {
			t.Errorf("%s is taken for %s", text, u)
		}
	}
}

// front is a house as clients reach it through a proxy.
type front struct {
	house
	handler http.Handler
	cookie  string
}

func newFront(h house) front {
	public, err := server.PublicURL("https://cmdb.example.org")
	if err != nil {
		h.t.Fatal(err)
	}
	handler, _, err := h.Handler(app.Serving{Front: server.Front{Public: public, Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}})
	if err != nil {
		h.t.Fatal(err)
	}
	return front{h, handler, h.setUp()}
}

// from asks as a peer does.
func (f front) from(peer, method, host, path string, body url.Values, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(f.t.Context(), method, "https://"+host+path, strings.NewReader(body.Encode()))
	r.RemoteAddr, r.Host = peer+":4711", host
	if body != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	return w
}

func TestAServerAnswersUnderItsOwnNamesToItsProxies(t *testing.T) {
	houses(t, func(h house) {
		f := newFront(h)
		const query = "/graphql?query=%7Bviewer%7Bname%7D%7D"
		for _, c := range []struct {
			peer, host, path string
			want             int
			headers          []string
		}{
			{"10.1.2.3", "cmdb.example.org", query, http.StatusOK, nil},
			{"10.1.2.3", "CMDB.example.org:443", query, http.StatusOK, nil},
			{"10.1.2.3", "127.0.0.1:8080", query, http.StatusOK, nil}, // as a proxy that passes on no host
			{"10.1.2.3", "evil.example", query, http.StatusMisdirectedRequest, nil},
			{"10.1.2.3", "cmdb.example.org.evil.example", query, http.StatusMisdirectedRequest, nil},
			{"10.1.2.3", "cmdb.example.org:8080", query, http.StatusMisdirectedRequest, nil},
			{"10.1.2.3", "evil.example", query, http.StatusMisdirectedRequest, []string{"X-Forwarded-Host: cmdb.example.org", "Forwarded: host=cmdb.example.org", "X-Original-Host: cmdb.example.org"}},
			{"192.0.2.1", "cmdb.example.org", query, http.StatusForbidden, nil},
			{"192.0.2.1", "cmdb.example.org", query, http.StatusForbidden, []string{"X-Forwarded-For: 10.0.0.1", "X-Real-IP: 10.0.0.1", "Forwarded: for=10.0.0.1"}},
			{"127.0.0.1", "cmdb.example.org", query, http.StatusForbidden, nil},
			{"192.0.2.1", "10.0.0.9", "/readyz", http.StatusOK, nil},
			{"192.0.2.1", "10.0.0.9", "/healthz", http.StatusOK, nil},
		} {
			w := f.from(c.peer, http.MethodGet, c.host, c.path, nil, append(c.headers, f.cookie)...)
			if w.Code != c.want {
				t.Errorf("%s asks %s%s with %v: %d %s", c.peer, c.host, c.path, c.headers, w.Code, w.Body)
			}
			if w.Code == http.StatusOK && c.path == query && w.Header().Get("Strict-Transport-Security") == "" {
				t.Errorf("%s is not told to come by TLS", c.host)
			}
		}
		// No header but those of the doors says who calls.
		for _, header := range []string{"X-Forwarded-User", "X-Remote-User", "Remote-User", "X-Auth-Request-User", "X-Forwarded-Email", "Linchpin-Actor", "Linchpin-Roles", "X-Webauth-User"} {
			if w := f.from("10.1.2.3", http.MethodGet, "cmdb.example.org", query, nil, header+": root"); w.Code != http.StatusUnauthorized {
				t.Errorf("%s: %d %s", header, w.Code, w.Body)
			}
		}
		// Own pages are those of the public URL, whatever host the proxy passes on.
		for from, want := range map[string]int{"https://cmdb.example.org": http.StatusUnauthorized, "http://cmdb.example.org": http.StatusForbidden, "https://cmdb.example.org:8443": http.StatusForbidden, "https://evil.example": http.StatusForbidden, "null": http.StatusForbidden} {
			for _, host := range []string{"cmdb.example.org", "localhost:8080"} {
				w := f.from("10.1.2.3", http.MethodPost, host, "/auth/sign-in", url.Values{"name": {"root"}, "password": {"wrong"}}, "Origin: "+from)
				if isSame := from == "http://cmdb.example.org" && host == "cmdb.example.org"; w.Code != want && !isSame && w.Code != http.StatusTooManyRequests {
					t.Errorf("a form of %s to %s: %d", from, host, w.Code)
				}
			}
		}
	})
}

func TestAClientIsTheLastThatTheProxiesName(t *testing.T) {
	houses(t, func(h house) {
		f := newFront(h)
		for given, network := range map[string]string{
			"198.51.100.7":                       "198.51.100.0/24",
			"6.6.6.6, 198.51.101.7":              "198.51.101.0/24",
			"6.6.6.6, 198.51.102.7, 10.9.9.9":    "198.51.102.0/24",
			"6.6.6.6, 2001:db8:1:2::7, 10.9.9.9": "2001:db8:1::/56",
			"6.6.6.6, nonsense":                  "10.1.2.0/24",
			"":                                   "10.1.2.0/24",
			"::ffff:198.51.103.7":                "198.51.103.0/24",
		} {
			f.from("10.1.2.3", http.MethodPost, "cmdb.example.org", "/auth/sign-in", url.Values{"name": {"root"}, "password": {"wrong"}}, "X-Forwarded-For: "+given)
			all, err := session.SignIns(t.Context(), h.Store, 100)
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, one := range all {
				found = found || one.Network == network && one.Outcome == "REFUSED"
			}
			if !found {
				t.Errorf("X-Forwarded-For %q: %v, want %s", given, all, network)
			}
		}
	})
}

func TestOperatorsElsewhereBringAnAdminsToken(t *testing.T) {
	houses(t, func(h house) {
		root := h.setUp()
		m := &matrixWorld{house: h}
		_, admin, err := h.Handler(app.Serving{})
		if err != nil {
			t.Fatal(err)
		}
		token := func(role auth.Role) string {
			return "Authorization: Bearer " + m.mutate([]string{root}, "createApiToken", fmt.Sprintf(`{name: "x", roles: [%s]}`, role), "secret")["secret"].(string)
		}
		f := front{house: h, handler: admin}
		for _, c := range []struct {
			peer, host, path string
			want             int
			headers          []string
		}{
			{"127.0.0.1", "127.0.0.1:9090", "/metrics", http.StatusOK, nil},
			{"127.0.0.1", "evil.example", "/metrics", http.StatusMisdirectedRequest, nil},
			{"127.0.0.1", "127.0.0.1:9090", "/metrics", http.StatusForbidden, []string{"Sec-Fetch-Site: cross-site"}},
			{"192.0.2.1", "linchpin:9090", "/metrics", http.StatusUnauthorized, nil},
			{"192.0.2.1", "127.0.0.1:9090", "/debug/pprof/", http.StatusUnauthorized, nil},
			{"192.0.2.1", "linchpin:9090", "/metrics", http.StatusUnauthorized, []string{root}},
			{"192.0.2.1", "linchpin:9090", "/metrics", http.StatusUnauthorized, []string{token(auth.Auditor)}},
			{"192.0.2.1", "linchpin:9090", "/metrics", http.StatusOK, []string{token(auth.Admin)}},
			{"192.0.2.1", "linchpin:9090", "/readyz", http.StatusOK, nil},
		} {
			if w := f.from(c.peer, http.MethodGet, c.host, c.path, nil, c.headers...); w.Code != c.want {
				t.Errorf("%s asks %s%s: %d, want %d", c.peer, c.host, c.path, w.Code, c.want)
			}
		}
	})
}
