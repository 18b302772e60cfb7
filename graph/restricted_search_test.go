package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// TestRestrictedCIsTakeNoPlaceInASearch checks the number of records of pages, which shows whether a hidden CI took a
// place.
func TestRestrictedCIsTakeNoPlaceInASearch(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g := sighted(t, s)
		for i := range 3 {
			g.do("", "createCI", fmt.Sprintf(`class: "server", name: "plain %d", description: "a canary text for everyone"`, i))
		}
		for _, c := range []struct {
			by    caller
			first int
			found string
		}{
			{eve, 3, "3 false"}, {eve, 2, "2 true"}, {eve, 10, "3 false"}, {ada, 10, "6 false"}, {ada, 3, "3 true"}, {root, 6, "6 false"},
		} {
			a := g.ask(c.by, `query($first: Int!) { search(query: "canary", first: $first) { pageInfo { hasNextPage } edges { node { id } } } }`, "first", c.first)
			found, _ := at(a, "data.search.edges").([]any)
			if got := fmt.Sprint(len(found), " ", at(a, "data.search.pageInfo.hasNextPage")); got != c.found {
				t.Errorf("%v finds %s of the first %d, not %s: %v", c.by, got, c.first, c.found, a)
			}
		}
	})
}

// TestRestrictedCIsMoveNothingInASearch checks that an actor finds, at the same scores and in the same order, what
// there would be to find without the CIs that it may not see: they make no word so common that nobody is taken to have
// mistyped it, and push nothing off the list.
func TestRestrictedCIsMoveNothingInASearch(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g := sighted(t, s)
		for i, name := range []string{"harbuor gate", "old harbour", "harbourside", "inharbour"} {
			g.do(fmt.Sprint("visible", i), "createCI", fmt.Sprintf(`class: "server", name: %q`, name))
		}
		find := func(by caller, query string) string {
			a := g.ask(by, `query($q: String!) { searchRecords(query: $q, first: 100) { edges { score node { ... on CI { name } } } pageInfo { hasNextPage } } search(query: $q, first: 100) { edges { score node { name } } } }`, "q", query)
			if a["errors"] != nil {
				t.Fatal(a["errors"])
			}
			return fmt.Sprint(a["data"])
		}
		queries := []string{"harbour", "harb", "arbou", "harbuor", "harbour gate"}
		before := map[string]string{}
		for _, query := range queries {
			before[query] = find(eve, query)
		}
		for i := range 30 {
			g.do("hidden", "createCI", fmt.Sprintf(`class: "server", name: "harbour %d", owners: [{team: "@keepers@"}]`, i))
			g.do("hidden", "updateCI", `id: "@hidden@", visibility: OWNERS`)
		}
		for _, query := range queries {
			if after := find(eve, query); after != before[query] {
				t.Errorf("%q finds %s, and with CIs that eve may not see %s", query, before[query], after)
			}
			if query != "harbour gate" && strings.Count(find(ada, query), "harbour 2") == 0 {
				t.Errorf("%q does not find for ada what she owns", query)
			}
		}
		if !strings.Contains(before["harbour"], "harbuor gate") {
			t.Errorf("nothing is mistyped: %s", before["harbour"])
		}
	})
}

// TestRestrictedCIsStaySoInThePastOfOtherRecords checks records that named a restricted CI in the past, whatever they
// are attached to now.
func TestRestrictedCIsStaySoInThePastOfOtherRecords(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g := sighted(t, s)
		g.do("", "updateDependencyGroup", `id: "@secret@", name: "plain"`)
		question := fmt.Sprintf(`query($rack: ID!) { impact(failed: [{id: $rack}], asOf: {revision: %d}) {
			subgraph { restrictedCount relationships { id source { name } target { name } } }
			affected(states: [DOWN, DEGRADED, AT_RISK], first: 100) { nodes { ci { name } proof { group { name ci { name } } path { name } causes { ci { name } relationship { id } } } } } } }`, g.past)
		of := func(by caller) []any {
			t.Helper()
			a := g.ask(by, question, "rack", g.ids["rack"])
			if a["errors"] != nil {
				t.Fatal(a["errors"])
			}
			if text, ok := g.tells(a); ok != (by != eve) {
				t.Errorf("%v is told of then: %s", by, text)
			}
			shown, _ := at(a, "data.impact.subgraph.relationships").([]any)
			return shown
		}
		way := g.ask(eve, fmt.Sprintf(`query($rack: ID!, $portal: ID!) { path(from: $rack, to: $portal, asOf: {revision: %d}) { cis { name } relationships { id } } }`, g.past),
			"rack", g.ids["rack"], "portal", g.ids["portal"])
		if text := fmt.Sprint(at(way, "data.path")); !strings.Contains(text, "<nil> map[name:portal]] relationships:[map[id:") || !strings.HasSuffix(text, "] <nil> <nil>]]") {
			t.Errorf("the way of then: %s", text)
		}
		forEve, forAda := of(eve), of(ada)
		if len(forEve) == 0 || len(forEve) >= len(forAda) {
			t.Errorf("of %d relationships of then eve sees %d", len(forAda), len(forEve))
		}
	})
}
