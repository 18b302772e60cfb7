package graph_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
	"github.com/linchpin-cmdb/linchpin/internal/server/persisted"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// twoServers are two servers on one database: what the one writes the other hears of a moment later.
func twoServers(t *testing.T, test func(t *testing.T, one, other *app.App)) {
	for name, address := range map[string]func() string{
		"sqlite":   func() string { return "sqlite:" + filepath.Join(t.TempDir(), "linchpin.db") },
		"postgres": func() string { return storetest.PostgresAddress(t) },
	} {
		t.Run(name, func(t *testing.T) {
			at := address()
			open := func() *app.App {
				a, err := app.Open(t.Context(), at, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = a.Close() })
				return a
			}
			test(t, open(), open())
		})
	}
}

func public(t *testing.T, a *app.App) http.Handler {
	t.Helper()
	handler, _, err := a.Handler(true, guard.Default, persisted.New(persisted.Off))
	if err != nil {
		t.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = "localhost"
		handler.ServeHTTP(w, r)
	})
}

// questions are all that ask the graph about records by their ids.
var questions = map[string]string{
	"impact":          `{ impact(failed: [{id: "$ci"}]) { revision } }`,
	"excluded":        `{ impact(failed: [{id: "$old"}], excluded: ["$ci"]) { revision } }`,
	"a CI's impact":   `{ ci(id: "$ci") { impact { counts { affectedCount } } } }`,
	"a service's":     `{ service(id: "$svc") { impact { counts { affectedCount } } } }`,
	"what it needs":   `{ ci(id: "$ci") { dependencies { needs { totalCount } } } }`,
	"its points":      `{ ci(id: "$ci") { singlePointsOfFailure { totalCount } } }`,
	"what if":         `{ whatIf(overlay: {failed: [{id: "$ci"}]}) { revision } }`,
	"what if related": `{ whatIf(overlay: {addedRelationships: [{type: "depends_on", source: "$old", target: "$ci"}], failed: [{id: "$ci"}]}) { revision } }`,
	"what if gone":    `{ whatIf(overlay: {removed: ["$relationship", "$group"], failed: [{id: "$old"}]}) { revision } }`,
	"a path":          `{ path(from: "$ci", to: "$svc") { cis { id } } }`,
	"paths":           `{ paths(from: "$ci", to: "$svc") { cis { id } } }`,
	"root causes":     `{ rootCauseCandidates(seen: [{id: "$ci"}]) { share } }`,
	"common causes":   `{ commonCauses(groups: ["$group"]) { totalCount } }`,
	"an incident":     `{ incident(id: "$incident") { impact { on(id: "$svc") { state } } } }`,
	"its root causes": `{ incident(id: "$incident") { rootCauseCandidates { share } } }`,
}

// written are fresh records of a server, by the names that questions have for them.
func written(t *testing.T, handler http.Handler, round int) (ids *strings.Replacer, ci ident.ID) {
	t.Helper()
	var named []string
	create := func(name, verb, record, input string) {
		t.Helper()
		input = strings.NewReplacer(append(named, "$n", fmt.Sprint(round))...).Replace(input)
		got, _ := ask(t, handler, fmt.Sprintf("mutation { made: %s(input: {%s}) { made: %s { id } userErrors { message } } }", verb, input, record), nil, "dev")
		data, _ := got.(map[string]any)["data"].(map[string]any)
		payload, _ := data["made"].(map[string]any)
		made, _ := payload["made"].(map[string]any)
		if made == nil {
			t.Fatalf("%s %s: %v", verb, input, got)
		}
		named = append(named, "$"+name, made["id"].(string))
	}
	create("old", "createCI", "ci", `class: "server", name: "old $n"`)
	create("ci", "createCI", "ci", `class: "server", name: "new $n"`)
	create("svc", "createService", "service", `name: "shop $n", kind: BUSINESS_SERVICE`)
	create("relationship", "relateCIs", "relationship", `type: "depends_on", source: "$svc", target: "$ci"`)
	create("group", "createDependencyGroup", "dependencyGroup", `ci: "$svc", name: "pair", mode: ANY, members: [{relationship: "$relationship"}]`)
	create("incident", "openIncident", "incident", `title: "x", urgency: 3, cis: [{id: "$ci", role: ROOT}]`)
	ci, err := ident.Parse(named[3])
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(named...), ci
}

// TestWhatAnotherServerHasJustWrittenIsKnown: the database shows a record a moment before the graph does.
func TestWhatAnotherServerHasJustWrittenIsKnown(t *testing.T) {
	twoServers(t, func(t *testing.T, one, other *app.App) {
		writes, reads := public(t, one), public(t, other)
		round := 0
		for name, question := range questions {
			isBehind := false
			for range 20 { // until the graph is behind when it is asked
				if one.Store.IsPostgres() { // nobody hears of writes at once
					if _, err := one.Store.Writer().ExecContext(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"); err != nil {
						t.Fatal(err)
					}
				}
				round++
				ids, ci := written(t, writes, round)
				isBehind = !other.Graph.Snapshot().Knows(ci)
				got, _ := ask(t, reads, ids.Replace(question), nil, "dev")
				if !isBehind { // it may know the CI and not yet what was written after it
					continue
				}
				if text := fmt.Sprint(got); strings.Contains(text, "errors") || strings.Contains(text, "<nil>") {
					t.Errorf("%s: %v", name, got)
				}
				break
			}
			if !isBehind {
				t.Errorf("%s: the graph was never behind: it shows nothing", name)
			}
		}
		got, _ := ask(t, reads, `{ impact(failed: [{id: "ci_999999"}]) { revision } }`, nil, "dev")
		if !strings.Contains(fmt.Sprint(got), "NOT_FOUND") {
			t.Errorf("a CI that nobody wrote: %v", got)
		}
	})
}
