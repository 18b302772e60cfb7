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
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/fill"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
)

// whatBreaks selects what a page shows of an impact.
const whatBreaks = `query($ci: ID!) { ci(id: $ci) { name impact {
	affected(first: 50) { totalCount nodes { ci { name class { code } owner { name } } state distance } }
	services(first: 20) { nodes { service { name } state } }
	completeness { isPartial reason } } } }`

// overHTTP asks whole servers of a tenth of the estate and of all of it: for answers of one size the size of the estate
// should not matter. PostGraphile is asked of the same roots over the same database.
func overHTTP(t *testing.T, b *table) {
	b.head("Impact by GraphQL over HTTP: the first 50 of 50 to 500 affected CIs with class and owner, the services, completeness", "estate", "contender", "measured", "÷ the smaller estate", "÷ Linchpin", "bar")
	defer b.show()
	onPostgres := hasPostgres(t)
	var smaller float64
	for _, n := range []int{*httpCIs / 10, *httpCIs} {
		s := serve(t, n, onPostgres)
		roots := middling(t, s)
		ours := timesOf(t, s.address, whatBreaks, roots, ident.ID.String)
		middle := float64(at(ours.wall, .5))
		ratio := ""
		if smaller > 0 {
			ratio = fmt.Sprintf("%.2f", middle/smaller)
		} else {
			smaller = middle
		}
		b.row(fmt.Sprintf("%d CIs", n), "Linchpin over "+s.Store.Dialect(), ours, ratio, "1", "2 between 10 k and 1 M")
		if theirs, err := besidePostGraphile(t, s, roots); err != nil {
			b.row(fmt.Sprintf("%d CIs", n), "PostGraphile", "absent: "+err.Error(), "", "", "")
		} else {
			b.row(fmt.Sprintf("%d CIs", n), "PostGraphile over the best function: what the root can reach", theirs, "", float64(at(theirs.wall, .5))/middle, "50")
		}
		if n == *httpCIs {
			b.show()
			past := &table{}
			pastOverHTTP(t, s, roots, past)
			past.show()
		}
		s.close()
	}
}

// served is a whole server and its database.
type served struct {
	*app.App
	address  string // of GraphQL
	database string
	close    func()
}

// serve fills a database with an estate and serves it: PostgreSQL or SQLite.
func serve(t *testing.T, n int, onPostgres bool) *served {
	t.Helper()
	ctx := auth.With(t.Context(), auth.System)
	log := slog.New(slog.DiscardHandler)
	s := &served{database: "sqlite:" + filepath.Join(t.TempDir(), "estate.db")}
	if onPostgres {
		s.database = pgtest.Database(t, "", nil, tuned(pgtest.Durable, pgtest.Parameter("max_wal_size", "8GB"))...) // on disk: a large one is larger than memory
	}
	begun := time.Now()
	a, err := app.Open(ctx, s.database, log)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fill.Database(ctx, a.Store, fill.Plan{CIs: n, Seed: 1}, func(done, total fill.Count) {
		progress("http: %d of %d records of the estate of %d CIs are written", done.Records(), total.Records(), n)
	}); err != nil {
		t.Fatal(err)
	}
	if a.Store.IsPostgres() {
		if _, err := a.Store.Writer().ExecContext(ctx, "ANALYZE"); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	say("http: an estate of %d CIs was written in %v", n, time.Since(begun).Round(time.Second))
	if s.App, err = app.Open(ctx, s.database, log); err != nil {
		t.Fatal(err)
	}
	handler, _, err := s.Handler(app.Serving{IsDev: true})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	s.address, s.close = server.URL+"/graphql", func() { server.Close(); _ = s.Close() }
	s.Graph.Compact()
	return s
}

// middling returns CIs whose failure affects 50 to 500 others.
func middling(t *testing.T, s *served) (roots []ident.ID) {
	t.Helper()
	r, graph := rand.New(rand.NewPCG(5, 6)), s.Graph.Snapshot()
	for tries := 0; len(roots) < 60 && tries < 1<<16; tries++ {
		ci := ident.New(ident.CI, 1+r.Int64N(int64(graph.Vertices()-1)))
		known, err := impact.Of(t.Context(), graph, impact.Question{Failed: []impact.Failure{{CI: ci, State: impact.Down}}})
		if err != nil {
			t.Fatal(err)
		}
		if total := known.Counts(impact.Filter{}).Total; total >= 50 && total <= 500 {
			roots = append(roots, ci)
		}
	}
	return roots
}

// hasPostgres reports whether the machine has PostgreSQL.
func hasPostgres(t *testing.T) (has bool) {
	t.Helper()
	t.Run("PostgreSQL is there", func(t *testing.T) {
		pgtest.Database(t, "", nil)
		has = true
	})
	return has
}

// timesOf asks about each root twice and takes the second time, when no server has a cold page. name returns the
// server's id of a root.
func timesOf(t *testing.T, address, query string, roots []ident.ID, name func(ident.ID) string) *times {
	t.Helper()
	var took times
	for _, root := range roots {
		ask(t, address, query, name(root))
		begin := time.Now()
		ask(t, address, query, name(root))
		took.wall = append(took.wall, time.Since(begin))
	}
	return &took
}

// ask sends a query, and fails the benchmark unless the answer has the number of affected CIs.
func ask(t *testing.T, address, query, ci string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": map[string]any{"ci": ci}})
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(address, "application/json", bytes.NewReader(body)) //nolint:gosec,noctx // a server of this benchmark
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	if answer := string(text); strings.Contains(answer, `"errors"`) || !strings.Contains(answer, `"totalCount":`) {
		t.Fatal(answer)
	}
}
