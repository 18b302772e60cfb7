package server_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/linchpin-cmdb/linchpin/graph/exec"
	"github.com/linchpin-cmdb/linchpin/internal/server"
)

// TestOperatorsAreAnsweredOnThisMachineAlone asks without sign-in, in dev mode and beyond it.
func TestOperatorsAreAnsweredOnThisMachineAlone(t *testing.T) {
	for _, isDev := range []bool{false, true} {
		admin := server.Admin(server.Config{IsDev: isDev, Log: slog.New(slog.DiscardHandler)}, prometheus.NewRegistry())
		for request, want := range map[string]int{
			"127.0.0.1:9090": http.StatusOK, "localhost:9090": http.StatusOK, "[::1]:9090 same-origin": http.StatusOK, "127.0.0.1 none": http.StatusOK,
			"evil.example": http.StatusMisdirectedRequest, "10.0.0.1:9090": http.StatusMisdirectedRequest, "127.0.0.1.evil.example": http.StatusMisdirectedRequest,
			"127.0.0.1:9090 cross-site": http.StatusForbidden,
		} {
			for _, path := range []string{"/metrics", "/debug/pprof/"} {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
				r.RemoteAddr = "127.0.0.1:4711"
				host, site, _ := strings.Cut(request, " ")
				r.Host = host
				r.Header.Set("Sec-Fetch-Site", site)
				w := httptest.NewRecorder()
				if admin.ServeHTTP(w, r); w.Code != want {
					t.Errorf("%s of %s: %d, not %d", path, request, w.Code, want)
				}
			}
		}
	}
}

func TestAnAnswerNamesTheHeadersThatItDependsOn(t *testing.T) {
	handler := server.New(server.Config{Schema: exec.NewExecutableSchema(exec.Config{}), IsDev: true})
	for name, c := range map[string]struct{ method, accept, body string }{
		"an answer":            {http.MethodPost, "application/json", `{"query":"{ __typename }"}`},
		"an event stream":      {http.MethodPost, "text/event-stream", `{"query":"{ __typename }"}`},
		"a refused operation":  {http.MethodPost, "application/graphql-response+json", `{"query":"{ nothing }"}`},
		"no request":           {http.MethodPost, "application/json", `{`},
		"a method there is no": {http.MethodPut, "application/json", `{}`},
	} {
		r := httptest.NewRequestWithContext(t.Context(), c.method, "/graphql", strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", c.accept)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		said := strings.Split(w.Header().Get("Vary"), ", ")
		for _, header := range []string{"Accept", "Authorization", "Cookie", "Linchpin-Actor", "Linchpin-Roles", "Linchpin-Cost", "Linchpin-At-Least-Revision", "Linchpin-Max-Staleness"} {
			if !slices.Contains(said, header) {
				t.Errorf("%s: %d, Vary: %v without %s", name, w.Code, said, header)
			}
		}
	}
}
