package server_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/server"
)

func TestAnOriginIsASchemeAndAHost(t *testing.T) {
	for text, want := range map[string]string{"https://Portal.example.org": "https://portal.example.org", "https://portal.example.org:443": "https://portal.example.org", "http://localhost:5173": "http://localhost:5173"} {
		if got, err := server.Origin(text); err != nil || got != want {
			t.Errorf("%s: %s %v", text, got, err)
		}
	}
	for _, text := range []string{"", "*", "null", "portal.example.org", "https://*.example.org", "https://portal.example.org/", "https://portal.example.org/app", "https://u@portal.example.org", "file://x"} {
		if got, err := server.Origin(text); err == nil {
			t.Errorf("%s is taken for %s", text, got)
		}
	}
}

func TestPagesOfNamedOriginsAskAsTheUserAndNoOthers(t *testing.T) {
	houses(t, func(h house) {
		cookie := h.setUp()
		handler, _, err := h.Handler(app.Serving{Front: server.Front{Origins: []string{"https://portal.example.org"}}})
		if err != nil {
			h.t.Fatal(err)
		}
		s := httptest.NewServer(handler)
		defer s.Close()
		page := h
		page.world = &world{App: h.App, host: strings.TrimPrefix(s.URL, "http://")}
		const body, named = `{"query": "{ viewer { name } }"}`, "Origin: https://portal.example.org"
		ask := func(headers ...string) reply {
			return page.do(http.MethodPost, "/graphql", "application/json", body, append(headers, "Sec-Fetch-Site: cross-site")...)
		}
		allowed := func(r reply) string { return r.Header.Get("Access-Control-Allow-Origin") }

		before := page.do(http.MethodOptions, "/graphql", "", "", named, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type,idempotency-key")
		for header, want := range map[string]string{
			"Access-Control-Allow-Origin": "https://portal.example.org", "Access-Control-Allow-Credentials": "true", "Access-Control-Allow-Methods": "POST",
			"Access-Control-Allow-Headers": "Idempotency-Key", "Vary": "Origin",
		} {
			if got := strings.Join(before.Header.Values(header), ", "); before.StatusCode != http.StatusNoContent || !strings.Contains(got, want) {
				h.t.Errorf("preflight: %s, %s is %q, want %q", before.Status, header, got, want)
			}
		}
		if got := ask(named, cookie); got.StatusCode != http.StatusOK || !strings.Contains(got.Text, `"name":"root"`) || allowed(got) != "https://portal.example.org" || got.Header.Get("Access-Control-Allow-Credentials") != "true" {
			h.t.Errorf("a named page: %s %s %v", got.Status, got.Text, got.Header)
		}
		if got := ask(named); got.StatusCode != http.StatusUnauthorized || allowed(got) == "" {
			h.t.Errorf("a named page cannot read why it is refused: %s %v", got.Status, got.Header)
		}
		for _, origin := range []string{
			"https://portal.example.org.evil.test", "https://evil.test", "http://portal.example.org", "https://portal.example.org:8443", "https://Portal.example.org", "https://example.org", "null", "*",
		} {
			if got := ask("Origin: "+origin, cookie); got.StatusCode != http.StatusForbidden || allowed(got) != "" || got.Header.Get("Access-Control-Allow-Credentials") != "" {
				h.t.Errorf("a page of %s: %s %s %v", origin, got.Status, got.Text, got.Header)
			}
			if got := page.do(http.MethodOptions, "/graphql", "", "", "Origin: "+origin, "Access-Control-Request-Method: POST"); allowed(got) != "" {
				h.t.Errorf("a preflight of %s: %v", origin, got.Header)
			}
		}
		if got := page.do(http.MethodPost, "/auth/sign-out", "application/x-www-form-urlencoded", "", named, cookie); got.StatusCode != http.StatusForbidden || allowed(got) != "" {
			h.t.Errorf("a named page signs its user out: %s", got.Status)
		}
		if got := page.do(http.MethodGet, "/", "", "", named, cookie, "Accept: text/html"); allowed(got) != "" {
			h.t.Errorf("a named page reads GraphiQL: %v", got.Header)
		}
		for origin, want := range map[string]int{"https://portal.example.org": http.StatusSwitchingProtocols, "https://evil.test": http.StatusForbidden} {
			conn, response, err := websocket.Dial(h.t.Context(), strings.Replace(s.URL, "http", "ws", 1)+"/graphql", &websocket.DialOptions{ //nolint:bodyclose // a socket has none
				Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: http.Header{"Origin": {origin}, "Sec-Fetch-Site": {"cross-site"}, "Cookie": {strings.TrimPrefix(cookie, "Cookie: ")}},
			})
			if response == nil || response.StatusCode != want {
				h.t.Errorf("a socket of %s: %+v %v", origin, response, err)
			}
			if conn != nil {
				_ = conn.CloseNow()
			}
		}
		// Without named origins nothing is said of any.
		if got := h.do(http.MethodPost, "/graphql", "application/json", body, named, cookie, "Sec-Fetch-Site: cross-site"); got.StatusCode != http.StatusForbidden || allowed(got) != "" {
			h.t.Errorf("nobody is named: %s %v", got.Status, got.Header)
		}
	})
}
