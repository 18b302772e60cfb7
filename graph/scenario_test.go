package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/linchpin-cmdb/linchpin/graph"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/consent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/practice/approval"
	"github.com/linchpin-cmdb/linchpin/internal/practice/catalog"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/identity"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/schedule"
	"github.com/linchpin-cmdb/linchpin/internal/practice/servicelevel"
	"github.com/linchpin-cmdb/linchpin/internal/practice/source"
	"github.com/linchpin-cmdb/linchpin/internal/server"
	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

var update = flag.Bool("update", false, "write what the server answers into the scenarios")

// serverOver assembles a server over a store, as the product does, with its limits.
func serverOver(t testing.TB, s *store.Store) http.Handler {
	t.Helper()
	return serverWithin(t, s, guard.Default)
}

// wide returns limits for questions that no user asks: whole estates with all fields of each record, in one operation.
func wide() guard.Limits {
	limits := guard.Default
	limits.Cost, limits.Aliases = 10_000_000, 1_000
	return limits
}

// serverWithin returns a server with other limits.
func serverWithin(t testing.TB, s *store.Store, limits guard.Limits) http.Handler {
	t.Helper()
	handler, _ := following(t, s, limits)
	return handler
}

// following returns a server and the feed that its graph follows.
func following(t testing.TB, s *store.Store, limits guard.Limits) (http.Handler, *journal.Feed) {
	t.Helper()
	if err := cmdb.Seed(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	g := topology.New()
	feed, err := journal.Follow(t.Context(), s, g, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { <-feed.Done() })
	consent.Guard(s, feed)
	incidents := incident.New(s, g)
	resolver := graph.New(read.New(s, g, incidents, feed), graph.Practices{
		CMDB: cmdb.New(s), Catalog: catalog.New(s), Incident: incidents, Change: change.New(s, g), Approval: approval.New(s), ServiceLevel: servicelevel.New(s), Schedule: schedule.New(s),
		Source: source.New(s), Import: importer.New(s),
		Identity: identity.New(s, nil),
	})
	limits.QueryTime, limits.MutationTime = 5*time.Minute, 5*time.Minute // a slow machine answers too
	return server.New(server.Config{
		Schema: resolver.Schema(), Log: log, Store: s, IsDev: true, Limits: limits,
		Begin: func(ctx context.Context) context.Context { return sight.Once(ctx, s.Read) },
	}), feed
}

// TestScenarios runs scenarios. A scenario is a txtar archive of steps, run in order over HTTP on each database:
//
//	NAME.graphql     the operation
//	NAME.vars        its variables; "@STEP.path.to.value" is taken from an earlier answer
//	NAME.actor       the actor, and the roles if it has not all: "vic: viewer"; "dev" if it is absent
//	NAME.at          when it is asked; by the scenario's clock if it is absent
//	NAME.json        the whole expected answer; "<any>" stands for any value
//	NAME.statements  how many SELECT statements it may take, at most
//
// Its steps keep to the limits that a server has by default. Its clock begins at scenarioBegin and goes on by a second
// a step, so that a scenario gives the same answers on whatever day it runs.
func TestScenarios(t *testing.T) {
	for _, file := range scenarios(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store) { runScenario(t, file, s) })
		})
	}
}

// TestEachWarningIsGivenInAScenario looks at the answers that scenarios expect.
func TestEachWarningIsGivenInAScenario(t *testing.T) {
	var all []byte
	for _, file := range scenarios(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	for _, code := range domain.WarningCode("").Values() {
		if !bytes.Contains(all, []byte(`"code": "`+code+`"`)) {
			t.Errorf("no scenario is warned of %s", code)
		}
	}
}

func scenarios(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	return files
}

// scenarioBegin is when scenarios begin: a Monday morning, long before what they plan.
var scenarioBegin = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

// runScenario runs the steps of a file over an empty database and returns the statements that they took.
func runScenario(t *testing.T, file string, s *store.Store) (all []store.Statement) {
	if err := cmdb.Seed(store.At(t.Context(), scenarioBegin), s); err != nil {
		t.Fatal(err)
	}
	handler, now := serverOver(t, s), scenarioBegin
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string][]byte{}
	for _, f := range archive.Files {
		parts[f.Name] = f.Data
	}
	answers := map[string]any{}
	for _, f := range archive.Files {
		name, ok := strings.CutSuffix(f.Name, ".graphql")
		if !ok {
			continue
		}
		variables := map[string]any{}
		if text := parts[name+".vars"]; text != nil {
			if err := json.Unmarshal(text, &variables); err != nil {
				t.Fatalf("%s.vars: %v", name, err)
			}
			variables = resolve(t, variables, answers).(map[string]any)
		}
		now = now.Add(time.Second)
		at := now
		if text := parts[name+".at"]; text != nil {
			if at, err = time.Parse(time.RFC3339, strings.TrimSpace(string(text))); err != nil {
				t.Fatal(err)
			}
		}
		got, statements := ask(t, writingAt(handler, at), string(f.Data), variables, strings.TrimSpace(string(parts[name+".actor"])))
		answers[name] = got
		all = append(all, statements...)
		if *update {
			continue
		}
		var want any
		if err := json.Unmarshal(parts[name+".json"], &want); err != nil {
			t.Fatalf("%s.json: %v", name, err)
		}
		if diff := cmp.Diff(want, overlook(want, got)); diff != "" {
			t.Errorf("%s: the answer differs (- wanted, + got):\n%s", name, diff)
		}
		if text := parts[name+".statements"]; text != nil {
			most, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			if len(statements) > most {
				t.Errorf("%s took %d statements, at most %d are allowed:\n%s", name, len(statements), most, join(statements))
			}
		}
	}
	if *update {
		rewrite(t, file, archive, parts, answers)
	}
	return all
}

// ask sends one operation and returns the answer and the statements it took.
func ask(t testing.TB, handler http.Handler, query string, variables map[string]any, actor string) (any, []store.Statement) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	ctx, statements := store.CountStatements(t.Context())
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	actor, roles, _ := strings.Cut(actor, ": ")
	r.Header.Set("Linchpin-Actor", actor)
	if roles != "" {
		r.Header.Set("Linchpin-Roles", roles)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	var got any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	return got, statements.All()
}

// writingAt returns a server whose clock always shows the same time.
func writingAt(handler http.Handler, at time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r.WithContext(store.At(r.Context(), at)))
	})
}

func join(statements []store.Statement) string {
	var b strings.Builder
	for _, s := range statements {
		b.WriteString(s.SQL + "\n")
	}
	return b.String()
}

// resolve replaces "@STEP.path" by the value that an earlier answer has there.
func resolve(t *testing.T, v any, answers map[string]any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = resolve(t, e, answers)
		}
	case []any:
		for i, e := range v {
			v[i] = resolve(t, e, answers)
		}
	case string:
		path, ok := strings.CutPrefix(v, "@")
		if !ok {
			return v
		}
		var at any = answers
		for _, step := range strings.Split(path, ".") {
			switch here := at.(type) {
			case map[string]any:
				at = here[step]
			case []any:
				i, err := strconv.Atoi(step)
				if err != nil || i >= len(here) {
					t.Fatalf("%s: no element %s", v, step)
				}
				at = here[i]
			}
		}
		if at == nil {
			t.Fatalf("%s: nothing there", v)
		}
		return at
	}
	return v
}

// overlook returns got with "<any>" wherever want has it.
func overlook(want, got any) any {
	switch w := want.(type) {
	case string:
		if w == "<any>" && got != nil {
			return w
		}
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return got
		}
		g = maps.Clone(g)
		for k := range g {
			g[k] = overlook(w[k], g[k])
		}
		return g
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return got
		}
		g = slices.Clone(g)
		for i := range g {
			g[i] = overlook(w[i], g[i])
		}
		return g
	}
	return got
}

// rewrite stores the answers in the scenario; "<any>" stays where it was.
func rewrite(t *testing.T, file string, archive *txtar.Archive, parts map[string][]byte, answers map[string]any) {
	var files []txtar.File
	for _, f := range archive.Files {
		if strings.HasSuffix(f.Name, ".json") {
			continue
		}
		files = append(files, f)
		name, ok := strings.CutSuffix(f.Name, ".graphql")
		if !ok {
			continue
		}
		var want any
		_ = json.Unmarshal(parts[name+".json"], &want) // new steps have none
		text, err := json.MarshalIndent(overlook(want, answers[name]), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, txtar.File{Name: name + ".json", Data: append(text, '\n')})
	}
	archive.Files = files
	if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
		t.Fatal(err)
	}
}
