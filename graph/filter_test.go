package graph_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// The names, labels and attributes of the CIs, and the values of filters.
var (
	words = []string{
		"a", "A", "ab", "a_b", "a%b", `a\b`, `a\\b`, "aXb", "%", "_", `\`, "'", `"`, `'; DROP TABLE ci; --`, "ß", "ẞ", "Ä", "ä", "İ", "i", "ñandú", "ÑANDÚ",
		"Ω", "ω", "привет", "ПРИВЕТ", "😀", "a<b>&c", "$1", "?", "$.a", "1", "true", "null", "a b", "é",
	}
	values = append([]any{
		0.0, 1.0, -1.0, 0.1, 1e21, 1e-7, 123456.789, -0.5, 9007199254740993.0, 5432.0, true, false, "", "0",
	}, anys(words)...)
	paths = []string{"a", "b_1", "Z", "x"}
)

func anys(list []string) []any {
	all := make([]any, len(list))
	for i, s := range list {
		all[i] = s
	}
	return all
}

// found is a CI with the properties that filters compare.
type found struct {
	*ent.CI
	classes []string // its class's code and those of the classes above
	owners  []ident.ID
}

// oddities adds CIs of all classes, with odd names, labels and attributes.
func (e *estate) oddities(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		pick := rapid.Custom(func(t *rapid.T) *ent.CI {
			c := &ent.CI{
				Name: rapid.SampledFrom(words).Draw(t, "name"), Attributes: map[string]any{}, Labels: map[string]string{},
				Lifecycle:   rapid.SampledFrom([]domain.Lifecycle{domain.Live, domain.Live, domain.Planned, domain.Retired}).Draw(t, "lifecycle"),
				Environment: rapid.SampledFrom([]domain.Environment{domain.Production, domain.Staging}).Draw(t, "environment"),
				ClassID:     rapid.SampledFrom([]ident.ID{e.class, e.service}).Draw(t, "class"),
			}
			for _, path := range paths[:3] {
				if rapid.Bool().Draw(t, "has") {
					c.Attributes[path] = rapid.SampledFrom(append(values, nil, []any{1.0, "a"}, map[string]any{"a": 1.0})).Draw(t, "value")
				}
			}
			for range rapid.IntRange(0, 2).Draw(t, "labels") {
				c.Labels[rapid.SampledFrom(words).Draw(t, "label")] = rapid.SampledFrom(words).Draw(t, "text")
			}
			return c
		}).Example(i)
		e.write(t, i, func(ctx context.Context, tx *store.Tx) error {
			c := tx.CI.Create().SetName(pick.Name).SetClassID(pick.ClassID).SetAttributes(pick.Attributes).SetLabels(pick.Labels).
				SetLifecycle(pick.Lifecycle).SetEnvironment(pick.Environment).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now)
			if pick.ClassID == e.service {
				c.SetServiceKind(domain.ApplicationService).SetPortfolioStage(domain.PortfolioCatalog)
				if i%2 == 0 {
					c.SetTierID(e.tier).SetSupportTeamID(e.team)
				}
			}
			made, err := c.Save(ctx)
			if err != nil || i%3 != 0 {
				return err
			}
			return tx.Owner.Create().SetCiID(made.ID).SetTeamID(e.team).Exec(ctx)
		})
	}
}

// all reads every CI with the properties that filters compare.
func (e *estate) all(t *testing.T) []found {
	t.Helper()
	ctx := t.Context()
	classes := map[ident.ID]*ent.CIClass{}
	for _, c := range e.s.Read.CIClass.Query().AllX(ctx) {
		classes[c.ID] = c
	}
	owners := map[ident.ID][]ident.ID{}
	for _, o := range e.s.Read.Owner.Query().AllX(ctx) {
		if o.TeamID != nil {
			owners[o.CiID] = append(owners[o.CiID], *o.TeamID)
		}
	}
	var rows []found
	for _, c := range e.s.Read.CI.Query().AllX(ctx) {
		f := found{CI: c, owners: owners[c.ID]}
		for at := classes[c.ClassID]; at != nil; at = classes[*at.ParentID] {
			f.classes = append(f.classes, at.Code)
			if at.ParentID == nil {
				break
			}
		}
		rows = append(rows, f)
	}
	return rows
}

type object = map[string]any

// drawFilter draws a filter whose operators compare with the values of rows, or nearly so.
func drawFilter(t *rapid.T, e *estate, depth int, isService bool) object {
	f := object{}
	word := func() string { return rapid.SampledFrom(words).Draw(t, "word") }
	list := func(draw func() any) []any {
		all := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "n") {
			all = append(all, draw())
		}
		return all
	}
	some := func(name string, draw func() any) object {
		switch rapid.IntRange(0, 5).Draw(t, name) {
		case 0:
			return object{"in": list(draw)}
		case 1:
			return object{"eq": nil}
		case 2:
			return object{"eq": draw(), "in": nil}
		case 3:
			return object{"eq": draw(), "in": list(draw)}
		default:
			return object{"eq": draw()}
		}
	}
	team := func() any { return rapid.SampledFrom([]string{e.team.String(), "team_1z", "ci_1"}).Draw(t, "team") }
	kinds := []string{"name", "name", "lifecycle", "environment", "ownerTeam", "labels", "and", "or", "not", "not"}
	if isService {
		kinds = append(kinds, "tier", "supportTeam", "kind")
	} else {
		kinds = append(kinds, "class", "attributes", "attributes", "attributes", "createdAt")
	}
	for range rapid.IntRange(0, 2).Draw(t, "conditions") {
		kind := rapid.SampledFrom(kinds).Draw(t, "kind")
		switch kind {
		case "name":
			operator := rapid.SampledFrom([]string{"eq", "in", "contains", "startsWith"}).Draw(t, "operator")
			f[kind] = object{operator: word()}
			if operator == "in" {
				f[kind] = object{operator: list(func() any { return word() })}
			}
		case "lifecycle":
			f[kind] = some(kind, func() any { return rapid.SampledFrom([]string{"LIVE", "PLANNED", "RETIRED", "BUILD"}).Draw(t, "v") })
		case "environment":
			f[kind] = some(kind, func() any { return rapid.SampledFrom([]string{"PRODUCTION", "STAGING", "TESTING"}).Draw(t, "v") })
		case "kind":
			f[kind] = some(kind, func() any { return rapid.SampledFrom([]string{"APPLICATION_SERVICE", "BUSINESS_SERVICE"}).Draw(t, "v") })
		case "tier":
			f[kind] = some(kind, func() any { return rapid.SampledFrom([]string{"tier-1", "tier-2"}).Draw(t, "v") })
		case "class":
			f[kind] = some(kind, func() any {
				return rapid.SampledFrom([]string{"server", "computer", "hardware", "service", "database"}).Draw(t, "v")
			})
		case "ownerTeam", "supportTeam":
			f[kind] = some(kind, team)
		case "labels":
			f[kind] = list(func() any {
				switch rapid.IntRange(0, 4).Draw(t, "bare") {
				case 0:
					return object{"name": word()}
				case 1:
					return object{"name": word(), "eq": nil}
				case 2:
					return object{"name": word(), "in": list(func() any { return word() })}
				case 3:
					return object{"name": word(), "eq": nil, "in": list(func() any { return word() })}
				}
				return object{"name": word(), "eq": word()}
			})
		case "attributes":
			f[kind] = list(func() any {
				a := object{"path": rapid.SampledFrom(paths).Draw(t, "path")}
				value := func() any { return rapid.SampledFrom(values).Draw(t, "value") }
				number := func() any { return rapid.SampledFrom([]float64{-2, 0, 0.1, 1, 1e20, 1e22, 5432}).Draw(t, "number") }
				switch rapid.IntRange(0, 5).Draw(t, "operator") {
				case 0:
					a["eq"] = value()
				case 1:
					a["in"] = list(value)
				case 2:
					a["gte"] = number()
				case 3:
					a["lt"] = number()
				case 4:
					a["exists"] = rapid.Bool().Draw(t, "exists")
				default:
					a["eq"], a["in"] = nil, nil
				}
				return a
			})
		case "createdAt":
			f[kind] = object{rapid.SampledFrom([]string{"gte", "lt"}).Draw(t, "operator"): dawn.Add(1e9).Format("2006-01-02T15:04:05Z07:00")}
		default:
			if depth == 0 {
				continue
			}
			if kind == "not" {
				f[kind] = drawFilter(t, e, depth-1, isService)
				continue
			}
			f[kind] = list(func() any { return drawFilter(t, e, depth-1, isService) })
		}
	}
	return f
}

func TestAFilterMeansWhatItSays(t *testing.T) {
	if testing.Short() {
		t.Skip("-short, which the race detector runs with, leaves it out: filters mean the same under the race detector")
	}
	onEstates(t, 1, func(t *testing.T, e *estate) {
		e.oddities(t, 60)
		rows := e.all(t)
		for field, isService := range map[string]bool{"cis": false, "services": true} {
			query := fmt.Sprintf("query($f: %s) { %s(filter: $f, first: 100, orderBy: [{field: CREATED_AT}]) { totalCount nodes { id } } }",
				map[bool]string{false: "CIFilter", true: "ServiceFilter"}[isService], field)
			rapid.Check(t, func(rt *rapid.T) {
				f := drawFilter(rt, e, 4, isService)
				var want []string
				for _, r := range rows {
					if (!isService || r.ServiceKind != nil) && r.holds(f) && (names(f, "lifecycle") || r.Lifecycle != domain.Retired) {
						id := r.ID
						if isService {
							id = id.As(ident.Service)
						}
						want = append(want, id.String())
					}
				}
				got, _ := ask(t, e, query, object{"f": f}, "")
				if code := firstCode(got); code != "" {
					rt.Fatalf("%v gives %v", f, got)
				}
				var ids []string
				answer := got.(object)["data"].(object)[field].(object)
				for _, n := range answer["nodes"].([]any) {
					ids = append(ids, nodeID(n.(object)))
				}
				slices.Sort(ids)
				slices.Sort(want)
				if diff := gocmp.Diff(want, ids); diff != "" || answer["totalCount"] != float64(len(want)) {
					rt.Fatalf("%v (- wanted, + got)\n%s", f, diff)
				}
			})
		}
	})
}

func TestNothingThatIsAskedBreaksTheDatabase(t *testing.T) {
	odd := []string{
		"", `" OR *`, "a:b", "!", "&", "|", "'", "''", `"`, "😀", "...", "a & b", "NEAR(a b)", "name:a", "-a", "a*", "*", "()", "a'b", `a\`, ":*", "<->", "a <-> b",
		"AND", "OR NOT", "\x00", "a\x00b", "';--", "%", "\u2028", "İß", "{}", "[]", "$1", "?", strings.Repeat("a ", 100), strings.Repeat("é", 200), "0", "1e9",
	}
	queries := []string{
		`query($s: String!) { search(query: $s) { nodes { id } } }`,
		`query($s: String!) { search(query: "twin", classes: [$s]) { nodes { id } } }`,
		`query($s: String!) { cis(filter: {name: {eq: $s, in: [$s], contains: $s, startsWith: $s}}) { totalCount nodes { id } } }`,
		`query($s: String!) { cis(filter: {class: {eq: $s}}) { totalCount } }`,
		`query($s: String!) { cis(filter: {labels: [{name: $s}, {name: $s, eq: $s}]}) { totalCount } }`,
		`query($s: String!) { cis(filter: {attributes: [{path: $s, exists: true}]}) { totalCount } }`,
		`query($s: JSONValue!) { cis(filter: {attributes: [{path: "a", eq: $s, in: [$s]}]}) { totalCount } }`,
		`query($s: String!) { services(filter: {tier: {eq: $s}}) { totalCount } }`,
		`query($s: String!) { incidents(filter: {title: {contains: $s}}) { totalCount } }`,
		`query($s: String!) { ciByExternalId(source: $s, externalId: $s) { id } }`,
		`query($s: String!) { serviceByName(name: $s) { id } }`,
		`query($s: String!) { incidentByNumber(number: $s) { id } changeByNumber(number: $s) { id } ciClass(code: $s) { id } }`,
		`query($s: String!) { danglingReferences(filter: {source: {eq: $s}}) { totalCount } teams(filter: {name: {contains: $s}}) { totalCount } }`,
		`query($s: ID!) { node(id: $s) { id } nodes(ids: [$s]) { id } ci(id: $s) { id } }`,
		`query($s: ID!) { cis(filter: {ownerTeam: {eq: $s}}) { totalCount } impact(failed: [{id: $s}]) { revision } }`,
		`query($s: String!) { impact(failed: [{id: "HUB"}]) { affected(classes: [$s]) { totalCount } } }`,
		`query($s: String!) { ci(id: "HUB") { relationships(filter: {type: {eq: $s}}) { totalCount } } }`,
		`query($s: String!) { ci(id: "HUB") { dependencies { needs(classes: [$s], after: $s) { totalCount } } } }`,
	}
	onEstates(t, 2, func(t *testing.T, e *estate) {
		for _, query := range queries {
			query = strings.ReplaceAll(query, "HUB", e.hub.String())
			for _, s := range odd {
				got, _ := ask(t, e, query, object{"s": s}, "")
				switch code := firstCode(got); code {
				case "", "BAD_USER_INPUT", "BAD_CURSOR", "NOT_FOUND":
				default:
					t.Errorf("%s with %q gives %v", query, s, got)
				}
			}
		}
		literal, _ := ask(t, e, `{ cis(filter: {or: [{name: {eq: "a\u0000"}}]}) { totalCount } }`, nil, "")
		if code := firstCode(literal); code != "BAD_USER_INPUT" {
			t.Errorf("NUL in a literal gives %q", code)
		}
		for what, query := range map[string]string{
			"revision":         `{ journal(afterRevision: 9007199254740991) { totalCount nodes { id } } }`,
			"negative":         `{ journal(afterRevision: -9007199254740991) { totalCount } }`,
			"overflow":         `{ journal(afterRevision: 9223372036854775807) { totalCount } }`,
			"far away":         `{ cis(filter: {createdAt: {gte: "0001-01-01T00:00:00+14:00", lt: "9999-12-31T23:59:59-14:00"}}) { totalCount } }`,
			"large number":     `{ cis(filter: {attributes: [{path: "a", gte: 1e308}, {path: "a", lt: -1e308}]}) { totalCount } }`,
			"priority":         `{ incidents(filter: {priority: {gte: -2147483648, lt: 2147483647, in: [1]}}) { totalCount } }`,
			"many parts":       `{ cis(filter: {or: [` + strings.Repeat(`{name: {eq: "a"}} `, 100) + `]}) { totalCount } }`,
			"linked, as svc":   `{ incidents(filter: {ci: {eq: "` + e.hub.As(ident.Service).String() + `"}}) { totalCount } }`,
			"null operators":   `{ cis(filter: {name: null, or: null, and: null, not: null, labels: null, attributes: null, createdAt: {gte: null}}) { totalCount } }`,
			"open and planned": `{ changes(filter: {isOpen: false, plannedStart: {lt: "2027-01-01T00:00:00Z"}, not: {plannedStart: {gte: "2027-01-01T00:00:00Z"}}}) { totalCount } }`,
		} {
			got, _ := ask(t, e, query, nil, "")
			if code := firstCode(got); code != "" && code != "BAD_USER_INPUT" {
				t.Errorf("%s gives %v", what, got)
			}
		}
	})
}

func TestAnOrStaysInsideItsAnd(t *testing.T) {
	onEstates(t, 3, func(t *testing.T, e *estate) {
		for _, filter := range []string{
			`{name: {eq: "nothing"}, and: [{or: [{name: {eq: "twin 0"}}, {name: {eq: "twin 1"}}]}]}`,
			`{name: {eq: "nothing"}, and: [{attributes: [{path: "row", in: [0, 1]}]}]}`,
			`{name: {eq: "nothing"}, or: [{or: [{name: {eq: "twin 0"}}, {name: {eq: "twin 1"}}]}]}`,
		} {
			got, _ := ask(t, e, `{ cis(filter: `+filter+`) { totalCount nodes { id } } }`, nil, "")
			if fmt.Sprint(got) != "map[data:map[cis:map[nodes:[] totalCount:0]]]" {
				t.Errorf("%s gives %v", filter, got)
			}
		}
	})
}

func TestAFilterIsBounded(t *testing.T) {
	nested := func(depth int) any {
		f := object{"name": object{"eq": "a"}}
		for i := range depth {
			f = []object{{"not": f}, {"and": []any{f}}, {"or": []any{f}}}[i%3]
		}
		return f
	}
	many := func(n int, v any) []any { return slices.Repeat([]any{v}, n) }
	label, attribute, name := object{"name": "a"}, object{"path": "a", "exists": true}, object{"name": object{"eq": "a"}}
	onEstates(t, 1, func(t *testing.T, e *estate) {
		for what, c := range map[string]struct {
			filter any
			want   string
		}{
			"depth 5":        {nested(5), ""},
			"depth 6":        {nested(6), "BAD_USER_INPUT"},
			"depth 300":      {nested(300), "QUERY_TOO_DEEP"},
			"100 values":     {object{"name": object{"in": many(100, "a")}}, ""},
			"101 values":     {object{"name": object{"in": many(101, "a")}}, "BAD_USER_INPUT"},
			"101 teams":      {object{"ownerTeam": object{"in": many(101, "team_1")}}, "BAD_USER_INPUT"},
			"101 labels":     {object{"labels": many(101, label)}, "BAD_USER_INPUT"},
			"101 attributes": {object{"attributes": many(101, attribute)}, "BAD_USER_INPUT"},
			"100 parts":      {object{"or": many(100, name)}, ""},
			"101 parts":      {object{"and": many(101, name)}, "BAD_USER_INPUT"},
			"10,000 values":  {object{"or": many(100, object{"name": object{"in": many(100, "a")}})}, "BAD_USER_INPUT"},
			"a bad path":     {object{"not": object{"attributes": many(1, object{"path": "a'b"})}}, "BAD_USER_INPUT"},
		} {
			got, _ := ask(t, e, `query($f: CIFilter) { cis(filter: $f) { totalCount } }`, object{"f": c.filter}, "")
			if code := firstCode(got); code != c.want {
				t.Errorf("%s gives %q, not %q", what, code, c.want)
			}
		}
	})
}
