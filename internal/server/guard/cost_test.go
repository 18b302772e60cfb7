package guard_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/linchpin-cmdb/linchpin/graph/exec"
	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
)

const boundless = 1 << 53

// priceOf returns the cost of an operation on the contract, whatever the limit.
func priceOf(t *testing.T, query string, variables map[string]any) int {
	t.Helper()
	limits := guard.Default
	limits.Cost = boundless
	a, problems := guard.New(contract(), limits).Admit(query, "", variables)
	if problems != nil {
		t.Fatalf("%s: %v", query, problems)
	}
	return a.Cost
}

func contract() *ast.Schema { return exec.NewExecutableSchema(exec.Config{}).Schema() }

// weight returns the @cost of a field.
func weight(t *testing.T, on, field string) int {
	t.Helper()
	said := contract().Types[on].Fields.ForName(field).Directives.ForName("cost").Arguments.ForName("weight").Value.Raw
	n, err := strconv.Atoi(said)
	if err != nil || n < 2 {
		t.Fatalf("%s.%s costs %q: %v", on, field, said, err)
	}
	return n
}

// asOf returns the cost of a moment of the past, which is the same for every field that takes one.
func asOf(t *testing.T) (cost int) {
	t.Helper()
	for name, d := range contract().Types {
		for _, f := range d.Fields {
			for _, a := range f.Arguments {
				if a.Type.Name() != "AsOfInput" {
					continue
				}
				stated := a.Directives.ForName("cost")
				if stated == nil {
					t.Errorf("%s.%s(%s:) costs nothing", name, f.Name, a.Name)
					continue
				}
				n, err := strconv.Atoi(stated.Arguments.ForName("weight").Value.Raw)
				if err != nil || n < 2 || cost > 0 && n != cost {
					t.Errorf("%s.%s(%s:) costs %d, another %d: %v", name, f.Name, a.Name, n, cost, err)
				}
				cost = n
			}
		}
	}
	return cost
}

func TestOperationsCostTheRecordsTheyLoad(t *testing.T) {
	impact, needs, candidates := weight(t, "CI", "impact"), weight(t, "CI", "dependencies"), weight(t, "Query", "rootCauseCandidates")
	moment, contains, label := asOf(t), inputWeight(t, "StringFilter", "contains"), inputWeight(t, "LabelFilter", "name")
	number := func(n string) map[string]any { return map[string]any{"n": json.Number(n)} }
	for _, c := range []struct {
		query     string
		variables map[string]any
		cost      int
	}{
		{query: `{ revision __typename }`, cost: 0},
		{query: `{ viewer { name roles } }`, cost: 1},
		{query: `{ cis { nodes { id name } } }`, cost: 1 + 20},
		{query: `{ cis(first: 100) { nodes { id } } }`, cost: 1 + 100},
		{query: `{ cis(last: 7) { nodes { id } } }`, cost: 1 + 7},
		{query: `{ cis(first: 0) { nodes { id } } }`, cost: 1},
		{query: `{ cis(first: 10) { edges { cursor node { id } } } }`, cost: 1 + 10},
		{query: `{ cis(first: 10) { totalCount pageInfo { endCursor } nodes { id } } }`, cost: 1 + 1 + 10},
		{query: `{ cis(first: 10) { nodes { class { code } } } }`, cost: 1 + 10*2},
		{query: `{ cis(first: 10) { nodes { relationships(first: 5) { nodes { target { name } } } } } }`, cost: 1 + 10*(1+1+5*(1+1))},
		{query: `{ cis(first: 10) { nodes { relationships { totalCount } } } }`, cost: 1 + 10*(1+1+1)},
		{query: `{ ci(id: "ci_1") { owners { role } } }`, cost: 1 + 10},
		{query: `{ nodes(ids: ["ci_1", "ci_2", "ci_3"]) { id } }`, cost: 3},
		{query: `query($n: [ID!]!) { nodes(ids: $n) { id } }`, variables: map[string]any{"n": []any{"ci_1", "ci_2"}}, cost: 2},
		{query: `query($n: Int) { cis(first: $n) { nodes { id } } }`, variables: number("50"), cost: 1 + 50},
		{query: `query($n: Int) { cis(first: $n) { nodes { id } } }`, cost: 1 + 20},
		{query: `query($n: Int = 5) { cis(first: $n) { nodes { id } } }`, cost: 1 + 5},
		{query: `query($n: Int = 5) { cis(first: $n) { nodes { id } } }`, variables: number("9"), cost: 1 + 9},
		{query: `query($n: Int) { cis(first: $n) { nodes { id } } }`, variables: number("-9"), cost: 1},
		{query: `{ a: cis(first: 10) { nodes { id } } b: cis(first: 10) { nodes { id } } }`, cost: 2 * 11},
		{query: `{ ...f ...f cis(first: 10) { nodes { name } } } fragment f on Query { cis(first: 10) { nodes { id } } }`, cost: 11},
		{query: `{ cis(first: 10) @skip(if: true) { nodes { id } } }`, cost: 11},
		{query: `{ node(id: "ci_1") { ... on CI { class { code } } ... on Service { owner { name } } } }`, cost: 1 + 2},
		{query: `{ ci(id: "ci_1") { impact { counts { downCount } } } }`, cost: 1 + impact + 1},
		{query: `{ cis(first: 10) { nodes { impact { counts { downCount } } dependencies { revision } } } }`, cost: 1 + 10*(1+impact+1+needs)},
		{query: `{ ci(id: "ci_1") { impact(asOf: {revision: 5}) { revision } } }`, cost: 1 + impact + moment},
		{query: `{ ci(id: "ci_1") { impact(asOf: null) { revision } } }`, cost: 1 + impact},
		{query: `{ cis(first: 10) { nodes { impact(asOf: {revision: 5}) { revision } } } }`, cost: 1 + 10*(1+impact) + moment},
		{query: `{ ci(id: "ci_1") { impact(asOf: {revision: 5}) { revision } dependencies(asOf: { revision: 5 }) { revision } } }`, cost: 1 + impact + needs + moment},
		{query: `{ ci(id: "ci_1") { a: impact(asOf: {revision: 5}) { revision } b: impact(asOf: {revision: 6}) { revision } } }`, cost: 1 + 2*(impact+moment)},
		{query: `{ a: ci(id: "ci_1") { ...f } b: ci(id: "ci_2") { ...f } } fragment f on CI { impact(asOf: {revision: 5}) { revision } }`, cost: 2*(1+impact) + moment},
		{query: `query($t: AsOfInput) { ci(id: "ci_1") { impact(asOf: $t) { revision } dependencies(asOf: $t) { revision } } }`, variables: map[string]any{"t": map[string]any{"revision": 5}}, cost: 1 + impact + needs + moment},
		{query: `query($t: AsOfInput) { ci(id: "ci_1") { impact(asOf: $t) { revision } } }`, variables: map[string]any{"t": nil}, cost: 1 + impact},
		{query: `query($t: AsOfInput) { ci(id: "ci_1") { impact(asOf: $t) { revision } } }`, cost: 1 + impact},
		{query: `query($t: AsOfInput = {revision: 5}) { ci(id: "ci_1") { impact(asOf: $t) { revision } } }`, cost: 1 + impact + moment},
		{query: `{ rootCauseCandidates(seen: [{id: "ci_1"}], first: 7) { nodes { share } } }`, cost: candidates + 7},
		{query: `{ rootCauseCandidates(seen: [{id: "ci_1"}]) { nodes { failures { name } } } }`, cost: candidates + 20*(1+10)},
		{query: `{ cis(filter: {name: {contains: "a"}}) { nodes { id } } }`, cost: 21 + contains},
		{query: `{ cis(filter: {or: [{name: {contains: "a", startsWith: "b"}}, {not: {name: {contains: "c"}}}], and: [{name: {eq: "d"}}]}) { totalCount } }`, cost: 2 + 3*contains},
		{query: `{ cis(filter: {labels: [{name: "a"}, {name: "b", eq: "c"}]}) { totalCount } }`, cost: 2 + 2*label},
		{query: `query($f: CIFilter) { cis(filter: $f) { totalCount } }`, variables: map[string]any{"f": map[string]any{
			"name": map[string]any{"contains": "a"}, "labels": map[string]any{"name": "b"}, "and": []any{map[string]any{"name": map[string]any{"contains": "c", "startsWith": nil}}},
		}}, cost: 2 + 2*contains + label},
		{query: `query($t: String) { cis(filter: {name: {contains: $t}}) { totalCount } }`, variables: map[string]any{"t": "a"}, cost: 2 + contains},
		{query: `query($t: String) { cis(filter: {name: {contains: $t}}) { totalCount } }`, cost: 2},
		{query: `query($f: CIFilter = {name: {contains: "a"}}) { cis(filter: $f) { totalCount } }`, cost: 2 + contains},
		{query: `{ a: ci(id: "ci_1") { ...f } b: ci(id: "ci_2") { ...f } } fragment f on CI { incidents(filter: {title: {contains: "a"}}) { totalCount } }`, cost: 2*(1+2) + 2*contains},
		{query: `mutation { createTeam(input: {name: "x"}) { team { id } userErrors { code } } }`, cost: 11 + 1 + 10},
		{query: `subscription { journal { revision entries { verb } } }`, cost: 1 + 10},
		{query: `{ cis(first: 2000000) { nodes { ` + strings.Repeat(`relationships(first: 2000000) { nodes { target { `, 3) + `id ` + strings.Repeat(`} } } `, 3) + `} } }`, cost: boundless - 1},
	} {
		if got := priceOf(t, c.query, c.variables); got != c.cost {
			t.Errorf("%s %v costs %d, not %d", c.query, c.variables, got, c.cost)
		}
	}
}

var (
	fenced = regexp.MustCompile("(?s)```graphql\n(.*?)```")
	usual  = guard.Default.Cost / 2 // of the limit, for what the documentation shows
)

// TestOperationsInTheDocumentationStayWellWithinTheLimits leaves users room to change and combine the operations they
// are shown.
func TestOperationsInTheDocumentationStayWellWithinTheLimits(t *testing.T) {
	const root = "../../../"
	shown := map[string]string{}
	for _, file := range []string{"README.md"} {
		text, err := os.ReadFile(root + file)
		if err != nil {
			t.Fatal(err)
		}
		for i, block := range fenced.FindAllStringSubmatch(string(text), -1) {
			shown[fmt.Sprint(file, " ", i)] = block[1]
		}
	}
	for _, files := range []string{"clients/graphiql/src/examples/*.graphql", "clients/relay/*/*.graphql"} {
		found, err := filepath.Glob(root + files)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			shown[file] = string(text)
		}
	}
	if len(shown) < 9 {
		t.Errorf("only %d operations are found", len(shown))
	}
	g := guard.New(contract(), guard.Default)
	for where, operation := range shown {
		a, problems := g.Admit(operation, "", nil)
		if problems != nil {
			t.Errorf("%s: %v", where, problems)
		}
		t.Logf("%s costs %d", where, a.Cost)
		if a.Cost > usual {
			t.Errorf("%s costs %d, and the limit is %d", where, a.Cost, guard.Default.Cost)
		}
	}
}

// inputWeight returns the @cost of a field of an input.
func inputWeight(t *testing.T, input, field string) int {
	t.Helper()
	n, err := strconv.Atoi(contract().Types[input].Fields.ForName(field).Directives.ForName("cost").Arguments.ForName("weight").Value.Raw)
	if err != nil || n < 2 {
		t.Fatalf("%s.%s costs %d: %v", input, field, n, err)
	}
	return n
}

func TestAHundredConditionsThatReadAllRecordsAreRefused(t *testing.T) {
	conditions := strings.Repeat(`{name: {contains: "a"}}, `, 99)
	if cost := priceOf(t, `{ cis(filter: {or: [`+conditions+`]}) { totalCount } }`, nil); cost <= guard.Default.Cost {
		t.Errorf("99 conditions cost %d", cost)
	}
}

// TestTheDefaultPageOfEachListAndADashboardFit asks what pages of a front end ask, within the default limits.
func TestTheDefaultPageOfEachListAndADashboardFit(t *testing.T) {
	var panels strings.Builder
	for i, panel := range []string{
		`incidents(filter: {isOpen: true}) { totalCount }`, `incidents(filter: {isMajor: true}) { totalCount }`, `incidents(filter: {isBreached: true}) { totalCount }`,
		`incidents(filter: {isOpen: true}, orderBy: [{field: PRIORITY}]) { nodes { number title state priority assignmentTeam { name } assignee { name } } }`,
		`changes(filter: {state: {eq: SCHEDULED}}) { nodes { number title plannedStart plannedEnd assignmentTeam { name } } }`, `changes(filter: {isOpen: true}) { totalCount }`,
		`services { nodes { name tier { code } operationalState owner { name } } }`, `services(filter: {tier: {eq: "tier-1"}}) { totalCount }`,
		`cis(filter: {lifecycle: {eq: LIVE}}) { totalCount }`, `cis(filter: {environment: {eq: PRODUCTION}}) { totalCount }`, `cis(orderBy: [{field: UPDATED_AT, direction: DESC}]) { nodes { name class { label } updatedAt } }`,
		`teams { nodes { name members { nodes { name } } } }`, `changeWindows { nodes { name kind startsAt } }`, `journal(last: 20) { nodes { verb actor at } }`, `danglingReferences { totalCount }`,
		`kpis(period: MONTH, from: "2026-01-01T00:00:00Z", to: "2027-01-01T00:00:00Z") { nodes { incidentsOpened incidentsResolved backlog } }`,
		`kpis(period: MONTH, groupBy: TEAM, from: "2026-01-01T00:00:00Z", to: "2026-04-01T00:00:00Z") { nodes { team { name } incidentsBreached } }`,
		`changeCalendar(from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z") { nodes { kind startsAt endsAt change { number } window { name } } }`,
		`search(query: "db") { nodes { name } }`, `viewer { name }`, `revision`, `cis(filter: {class: {eq: "server"}}) { totalCount }`, `incidents(filter: {priority: {eq: 1}}) { totalCount }`,
		`services(filter: {name: {contains: "pay"}}) { totalCount }`,
	} {
		fmt.Fprintf(&panels, "p%d: %s\n", i, panel)
	}
	var figures strings.Builder
	for i, figure := range []string{"incidentsOpened incidentsResolved backlog", "incidentsBreached", "changesClosed changeSuccessRate"} {
		for n := range 8 {
			fmt.Fprintf(&figures, "f%d_%d: kpis(period: DAY, from: \"2026-01-01\", to: \"2026-01-%02d\") { nodes { start %s } }\n", i, n, 2+n, figure)
		}
	}
	for _, query := range []string{
		"{" + panels.String() + "}", "{" + figures.String() + "}", `{ services(first: 20) { nodes { dependencies { needs { totalCount } } } } }`,
	} {
		if cost := priceOf(t, query, nil); cost > guard.Default.Cost {
			t.Errorf("%s\ncosts %d", query, cost)
		} else {
			t.Logf("%.40s costs %d", query, cost)
		}
	}
}

func TestHalfACharacterIsRefused(t *testing.T) {
	g := guard.New(contract(), guard.Default)
	for text, refused := range map[string]bool{
		`"\ud83d\ude00"`: false, `"\\ud83d"`: false, `"é"`: false, `"\u00e9"`: false, `"\""`: false,
		`"\ud83d"`: true, `"\ude00"`: true, `"\ud83d\ud83d"`: true, `"\ud83dx"`: true, `"\\\ud83d"`: true, "\"\xff\"": true, "\"\xc3\"": true,
	} {
		if _, message := g.CheckJSON([]byte(text)); (message != "") != refused {
			t.Errorf("%q: %q", text, message)
		}
	}
}
