package graph_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

func TestRestrictedCIsAreCountedExactly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g := sighted(t, s)
		const question = `query($rack: ID!, $portal: ID!, $filter: ImpactFilter) { ci(id: $rack) { impact(facts: NONE, filter: $filter) {
			completeness { isPartial exploredCount }
			counts { affectedCount downCount degradedCount atRiskCount serviceCount filteredOutCount restrictedCount
				byClass { class { code } count } byTier { tier { code } count } byEnvironment { environment count } }
			affected(first: 100) { totalCount } subgraph { relationshipCount restrictedCount relationships { id } }
			on(id: $portal) { state distance proof { summary path { name } causes { ci { name } state relationship { id } } } }
		} } service(id: $portal) { dependencies(filter: $filter) { restrictedCount filteredOutCount needs { totalCount } }
			singlePointsOfFailure(facts: NONE, filter: $filter) { totalCount restrictedCount nodes { ci { name } cisDownCount } } } }`
		ask := func(by caller, filter any) (impact, service map[string]any) {
			t.Helper()
			a := g.ask(by, question, "rack", g.ids["rack"], "portal", g.ids["portal"], "filter", filter)
			if a["errors"] != nil {
				t.Fatal(a["errors"])
			}
			return at(a, "data.ci.impact").(map[string]any), at(a, "data.service").(map[string]any)
		}
		all, allNeeds := ask(root, nil)
		seen, seenNeeds := ask(eve, nil)
		for _, same := range []string{
			"completeness", "counts.affectedCount", "counts.downCount", "counts.degradedCount", "counts.atRiskCount", "counts.serviceCount",
			"subgraph.relationshipCount", "on.state", "on.distance",
		} {
			if a, b := at(all, same), at(seen, same); a == nil || !reflect.DeepEqual(a, b) {
				t.Errorf("%s is %v for an admin and %v for others", same, a, b)
			}
		}
		number := func(answer map[string]any, path string) float64 {
			t.Helper()
			n, ok := at(answer, path).(float64)
			if !ok {
				t.Fatalf("no number at %s", path)
			}
			return n
		}
		// Of those that fall with the rack, canary-db and canary-svc are restricted.
		if n := number(seen, "counts.restrictedCount"); n != 2 || number(all, "counts.restrictedCount") != 0 {
			t.Errorf("%v are restricted", n)
		}
		if number(seen, "affected.totalCount")+2 != number(all, "affected.totalCount") {
			t.Error("what is listed and what is restricted is not all")
		}
		if text := fmt.Sprint(at(seen, "counts.byClass")); strings.Contains(text, "load_balancer") || !strings.Contains(fmt.Sprint(at(all, "counts.byClass")), "load_balancer") {
			t.Errorf("by class: %s", text)
		}
		if text := fmt.Sprint(at(seen, "counts.byTier")); text != "[map[count:2 tier:map[code:tier-1]]]" {
			t.Errorf("by tier: %s", text)
		}
		shown := at(seen, "subgraph.relationships").([]any)
		if hidden := number(seen, "subgraph.restrictedCount"); hidden < 4 || hidden+float64(len(shown)) != number(seen, "subgraph.relationshipCount") {
			t.Errorf("%v relationships are restricted and %d shown", hidden, len(shown))
		}
		if text := fmt.Sprint(at(seen, "on.proof")); text != "map[causes:[map[ci:<nil> relationship:<nil> state:DOWN]] path:[map[name:rack] map[name:server1] <nil> map[name:portal]] "+
			"summary:It is DOWN because it cannot do without a restricted CI (DOWN).]" {
			t.Errorf("the proof: %s", text)
		}
		if number(seenNeeds, "dependencies.restrictedCount") != 2 || number(seenNeeds, "dependencies.needs.totalCount")+2 != number(allNeeds, "dependencies.needs.totalCount") {
			t.Errorf("it needs %v, and in truth %v", seenNeeds["dependencies"], allNeeds["dependencies"])
		}
		if points := number(seenNeeds, "singlePointsOfFailure.restrictedCount"); points != 2 {
			t.Errorf("%v single points are restricted", points)
		}

		// A filter must not tell the properties of a restricted CI.
		balancers := map[string]any{"class": map[string]any{"eq": "load_balancer"}}
		for _, filter := range []any{balancers, map[string]any{"class": map[string]any{"eq": "rack"}}, map[string]any{"environment": map[string]any{"eq": "STAGING"}}} {
			narrow, needs := ask(eve, filter)
			if number(narrow, "counts.restrictedCount") != 2 || number(narrow, "counts.affectedCount") != 2 || number(narrow, "affected.totalCount") != 0 ||
				number(narrow, "counts.filteredOutCount")+2 != number(all, "counts.affectedCount") || number(needs, "dependencies.restrictedCount") != 2 ||
				number(needs, "singlePointsOfFailure.restrictedCount") != 2 {
				t.Errorf("by %v: %v, %v", filter, narrow["counts"], needs)
			}
		}
		if narrow, _ := ask(ada, balancers); number(narrow, "affected.totalCount") != 1 {
			t.Errorf("its owner counts %v", narrow["counts"])
		}
	})
}

func TestARestrictedCIIsAnsweredLikeNone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g := sighted(t, s)
		for _, c := range []struct{ query, id, unknown string }{
			{`query($id: ID!) { ci(id: $id) { name } }`, "db", "ci_zz"},
			{`query($id: ID!) { service(id: $id) { name } }`, "svc", "svc_zz"},
			{`query($id: ID!) { node(id: $id) { id } }`, "db", "ci_zz"},
			{`query($id: ID!) { node(id: $id) { id } }`, "svc", "svc_zz"},
			{`query($id: ID!) { node(id: $id) { id } }`, "secret", "grp_zz"},
			{`query($id: ID!) { node(id: $id) { id } }`, "portal depends_on db", "rel_zz"},
			{`query($id: ID!) { impact(failed: [{id: $id}]) { revision } }`, "db", "ci_zz"},
			{`query($id: ID!) { impact(failed: [{id: $id}]) { revision } }`, "svc", "svc_zz"},
			{`query($id: ID!) { impact(failed: [{id: "RACK"}], excluded: [$id]) { revision } }`, "db", "ci_zz"},
			{`query($id: ID!) { impact(facts: NONE, failed: [{id: "RACK"}]) { on(id: $id) { state } } }`, "db", "ci_zz"},
			{`query($id: ID!) { path(from: "RACK", to: $id) { cis { name } } }`, "db", "ci_zz"},
			{`query($id: ID!) { paths(from: $id, to: "RACK") { cis { name } } }`, "db", "ci_zz"},
			{`query($id: ID!) { commonCauses(groups: [$id]) { totalCount } }`, "secret", "grp_zz"},
			{`query($id: ID!) { rootCauseCandidates(seen: [{id: $id}]) { nodes { share } } }`, "db", "ci_zz"},
			{`query($id: ID!) { rootCauseCandidates(seen: [{id: "RACK"}], healthy: [$id]) { nodes { share } } }`, "db", "ci_zz"},
			{`query($id: ID!) { whatIf(overlay: {removed: [$id]}) { revision } }`, "portal depends_on db", "rel_zz"},
			{`query($id: ID!) { whatIf(overlay: {removed: [$id]}) { revision } }`, "secret", "grp_zz"},
			{`query($id: ID!) { whatIf(overlay: {excluded: [$id]}) { revision } }`, "portal depends_on db", "rel_zz"},
			{`query($id: ID!) { whatIf(overlay: {maintenance: [$id]}) { revision } }`, "db", "ci_zz"},
			{`query($id: ID!) { whatIf(overlay: {addedRelationships: [{type: "depends_on", source: "RACK", target: $id}]}) { revision } }`, "db", "ci_zz"},
			{`query($id: ID!) { incidents(filter: {ci: {eq: $id}}) { totalCount nodes { number } } }`, "db", "ci_zz"},
			{`query($id: ID!) { incidents(filter: {or: [{ci: {in: [$id]}}]}) { totalCount } }`, "db", "ci_zz"},
			{`query($id: ID!) { incidents(filter: {not: {ci: {eq: $id}}}) { totalCount } }`, "db", "ci_zz"},
			{`query($id: ID!) { changes(filter: {ci: {eq: $id}}) { totalCount } }`, "db", "ci_zz"},
			{`mutation($id: ID!) { openIncident(input: {title: "x", cis: [{id: $id}]}) { incident { id } userErrors { code message field } } }`, "db", "ci_zz"},
			{`mutation($id: ID!) { setIncidentCIs(input: {id: "INCIDENT", cis: [{id: $id}]}) { incident { id } userErrors { code message field } } }`, "svc", "svc_zz"},
			{`mutation($id: ID!) { draftChange(input: {type: NORMAL, title: "x", scope: [{id: $id}]}) { change { id } userErrors { code message field } } }`, "db", "ci_zz"},
			{`mutation($id: ID!) { updateChange(input: {id: "CHANGE", scope: [{id: $id}]}) { change { id } userErrors { code message field } } }`, "db", "ci_zz"},
		} {
			query := strings.NewReplacer("RACK", g.ids["rack"], "INCIDENT", g.ids["incident"], "CHANGE", g.ids["change"]).Replace(c.query)
			plain := func(by caller, id string) string {
				return strings.ReplaceAll(fmt.Sprint(g.ask(by, query, "id", id)), strings.Replace(id, "svc_", "ci_", 1), "ID")
			}
			nothing := strings.ReplaceAll(plain(eve, c.unknown), c.unknown, "ID")
			if got := strings.ReplaceAll(plain(eve, g.ids[c.id]), g.ids[c.id], "ID"); got != nothing {
				t.Errorf("%s\nof a restricted record: %s\nof none: %s", c.query, got, nothing)
			}
			if got := strings.ReplaceAll(plain(root, g.ids[c.id]), g.ids[c.id], "ID"); got == nothing && !strings.HasPrefix(c.query, "mutation") {
				t.Errorf("%s\nalso an admin is told: %s", c.query, got)
			}
		}
		key := g.ask(eve, `mutation { openIncident(input: {title: "x", externalIdentity: {source: "canary", externalId: "canary-key"}}) { incident { title } userErrors { message } } }`)
		if at(key, "data.openIncident.incident.title") != "x" {
			t.Errorf("that a CI has a key is told: %v", key)
		}
	})
}

func TestRestrictedCIsStayInWhatOthersWrite(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g := sighted(t, s)
		for verb, query := range map[string]string{
			"setIncidentCIs": `mutation($id: ID!, $ci: ID!) { setIncidentCIs(input: {id: $id, cis: [{id: $ci}]}) { incident { cis { ci { name } } restrictedCICount } userErrors { message } } }`,
			"updateChange":   `mutation($id: ID!, $ci: ID!) { updateChange(input: {id: $id, scope: [{id: $ci}]}) { change { scope { ci { name } } restrictedCICount } userErrors { message } } }`,
		} {
			record := map[string]string{"setIncidentCIs": "incident", "updateChange": "change"}[verb]
			list := map[string]string{"incident": "cis", "change": "scope"}[record]
			a := g.ask(eve, query, "id", g.ids[record], "ci", g.ids["rack"])
			if shown := fmt.Sprint(at(a, "data."+verb+"."+record+"."+list)); shown != "[map[ci:map[name:rack]]]" {
				t.Errorf("%s shows %v: %v", verb, shown, a)
			}
			whole := fmt.Sprint(g.ask(ada, fmt.Sprintf(`query($id: ID!) { %s(id: $id) { %s { ci { name } role } } }`, record, list), "id", g.ids[record]))
			if !strings.Contains(whole, "canary-db") || strings.Contains(whole, "portal") {
				t.Errorf("after %s it names %s", verb, whole)
			}
		}
	})
}

func TestADifferenceOfImpactCountsWhatIsRestrictedAndNamesTheRest(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g := sighted(t, s)
		g.do("", "setIncidentCIs", `id: "@incident@", cis: []`)
		g.do("", "resolveIncident", `id: "@incident@", code: FIXED, notes: "n"`)
		const others = "map[ci:map[name:portal] from:DOWN name:portal to:<nil>] map[ci:map[name:shop] from:DEGRADED name:shop to:<nil>]]]"
		for _, c := range []struct {
			by   caller
			want string
		}{
			{eve, "map[affectedCountChange:-7 restrictedCount:1 services:[" + others},
			{root, "map[affectedCountChange:-7 restrictedCount:0 services:[map[ci:map[name:canary-svc] from:DOWN name:canary-svc to:<nil>] " + others},
		} {
			a := g.ask(c.by, `query($id: ID!) { incident(id: $id) { impactDifference { affectedCountChange restrictedCount services { name from to ci { name } } } } }`, "id", g.ids["incident"])
			if got := fmt.Sprint(at(a, "data.incident.impactDifference")); got != c.want {
				t.Errorf("%v sees\n%s instead of\n%s", c.by, got, c.want)
			}
		}
	})
}

func TestWhoSeesWhatIsRestricted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g := sighted(t, s)
		finds := func(by caller) float64 {
			t.Helper()
			n, ok := at(g.ask(by, `{ cis(filter: {name: {startsWith: "canary"}}) { totalCount } }`), "data.cis.totalCount").(float64)
			if !ok {
				return -1
			}
			return n
		}
		for by, want := range map[caller]float64{
			root: 3, ada: 3, eve: 0, {"editor", "CATALOG_EDITOR"}: 3, {"ada", "OPERATOR"}: 3, {"Ada", "VIEWER"}: 0, {"nobody", "VIEWER"}: 0, {"ada", ""}: -1, {"ada", "BOSS"}: -1,
		} {
			if got := finds(by); got != want {
				t.Errorf("%v finds %v, not %v", by, got, want)
			}
		}
		g.do("svc", "updateCI", `id: "@svc@", visibility: EVERYONE`)
		if finds(eve) != 1 {
			t.Error("a CI for everyone stays hidden")
		}
		g.do("db", "setOwners", `id: "@db@", owners: [{person: "@eve@"}]`)
		if finds(eve) != 2 || finds(ada) != 2 {
			t.Error("visibility does not follow the owners")
		}
		g.ids[""] = g.ids["keepers"]
		g.do("", "removeTeamMember", `team: "@keepers@", person: "@ada@"`)
		if finds(ada) != 1 {
			t.Error("who left the team still sees")
		}
		g.do("namesake", "createPerson", `name: "eve"`)
		if finds(eve) != 1 {
			t.Error("of two people of one name, both see")
		}
	})
}
