package benchmark_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
	"github.com/linchpin-cmdb/linchpin/internal/server/persisted"
)

// whatBreaks is what a page shows of an impact.
const whatBreaks = `query($ci: ID!) { ci(id: $ci) { name impact {
	affected(first: 50) { totalCount nodes { ci { name class { code } owner { name } } state distance } }
	services(first: 20) { nodes { service { name } state } }
	completeness { isPartial reason } } } }`

// overHTTP asks whole servers, SQLite below, of a tenth of the estate and of all of it: for answers of one size the size of the
// estate should not matter.
func overHTTP(t *testing.T, b *table) {
	b.head("Impact by GraphQL over HTTP: the first 50 of 50 to 500 affected CIs with class and owner, the services, completeness", "estate", "measured", "÷ the smaller", "bar")
	var smaller float64
	for _, n := range []int{*httpCIs / 10, *httpCIs} {
		took := askServer(t, n)
		ratio := ""
		if middle := float64(at(took.wall, .5)); smaller > 0 {
			ratio = fmt.Sprintf("%.2f", middle/smaller)
		} else {
			smaller = middle
		}
		b.row(fmt.Sprintf("%d CIs", n), took, ratio, "2 between 10 k and 1 M")
	}
}

func askServer(t *testing.T, n int) *times {
	ctx := auth.With(t.Context(), auth.System)
	log := slog.New(slog.DiscardHandler)
	address := "sqlite:" + filepath.Join(t.TempDir(), "estate.db")
	a, err := app.Open(ctx, address, log)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.Generate(ctx, a.Store, n, 1, nil); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if a, err = app.Open(ctx, address, log); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	handler, _, err := a.Handler(true, guard.Default, persisted.New(persisted.Off))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	a.Graph.Compact()
	s := a.Graph.Snapshot()
	r := rand.New(rand.NewPCG(5, 6))
	var took times
	for tries := 0; len(took.wall) < 60 && tries < 1<<16; tries++ {
		ci := ident.New(ident.CI, 1+r.Int64N(int64(n)))
		known, err := impact.Of(t.Context(), s, impact.Question{Failed: []impact.Failure{{CI: ci, State: impact.Down}}})
		if err != nil {
			t.Fatal(err)
		}
		if total := known.Counts(impact.Filter{}).Total; total < 50 || total > 500 {
			continue
		}
		body, err := json.Marshal(map[string]any{"query": whatBreaks, "variables": map[string]any{"ci": ci.String()}})
		if err != nil {
			t.Fatal(err)
		}
		var answer string
		ask := func() {
			response, err := http.Post(server.URL+"/graphql", "application/json", bytes.NewReader(body)) //nolint:gosec,noctx // our own server
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			answer = string(text)
		}
		ask() // whoever measures the second sees no cold page
		took.time(ask)
		if strings.Contains(answer, `"errors"`) || !strings.Contains(answer, `"totalCount":`) {
			t.Fatal(answer)
		}
	}
	return &took
}
