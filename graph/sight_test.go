package graph_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// guarded is an estate with CIs that only the team "keepers" may see, of which ada is a member: all their names, keys
// and texts hold the word canary. They stand in the middle of CIs that everyone sees.
type guarded struct {
	t       *testing.T
	handler http.Handler
	ids     map[string]string
	past    int64 // a revision in which nothing was restricted yet
}

// The actors: an admin, a member of the owning team, and someone else.
var (
	root = caller{"root", "ADMIN"}
	ada  = caller{"ada", "VIEWER"}
	eve  = caller{"eve", "OPERATOR,CHANGE_MANAGER"}
)

type caller struct{ name, roles string }

func (g *guarded) ask(by caller, query string, variables ...any) map[string]any {
	g.t.Helper()
	values := map[string]any{}
	for i := 0; i+1 < len(variables); i += 2 {
		values[variables[i].(string)] = variables[i+1]
	}
	body, err := json.Marshal(map[string]any{"query": query, "variables": values})
	if err != nil {
		g.t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(g.t.Context(), http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Linchpin-Actor", by.name)
	r.Header.Set("Linchpin-Roles", by.roles)
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, r)
	var answer map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		g.t.Fatalf("%d: %s", w.Code, w.Body)
	}
	return answer
}

// at returns the value of an answer at a path.
func at(answer any, path string) any {
	for _, step := range strings.Split(path, ".") {
		fields, ok := answer.(map[string]any)
		if !ok {
			return nil
		}
		answer = fields[step]
	}
	return answer
}

// do runs a mutation as the admin and keeps the id of the record it created.
func (g *guarded) do(name, verb, input string) {
	g.t.Helper()
	for known, id := range g.ids {
		input = strings.ReplaceAll(input, "@"+known+"@", id)
	}
	payload := contract().Mutation.Fields.ForName(verb).Type.Name()
	made := contract().Types[payload].Fields[0]
	a := g.ask(root, fmt.Sprintf("mutation { %s(input: {%s}) { %s { id } userErrors { message field } } }", verb, input, made.Name))
	id, ok := at(a, "data."+verb+"."+made.Name+".id").(string)
	if !ok {
		g.t.Fatalf("%s: %v", name, a)
	}
	g.ids[name] = id
}

// sightedAt is the time of all writes: within one day, month and year.
var sightedAt = time.Date(2026, 1, 14, 9, 0, 0, 0, time.UTC)

func sighted(t *testing.T, s *store.Store) *guarded {
	g := &guarded{t, writingAt(serverWithin(t, s, wide()), sightedAt), map[string]string{}, 0} // every field of a type is asked at once
	const restricted = `description: "a canary text", labels: [{name: "canary", value: "canary"}], owners: [{team: "@keepers@"}]`
	g.do("keepers", "createTeam", `name: "keepers"`)
	g.do("others", "createTeam", `name: "others"`)
	g.do("ada", "createPerson", `name: "ada"`)
	g.do("eve", "createPerson", `name: "eve"`)
	g.do("", "addTeamMember", `team: "@keepers@", person: "@ada@"`)
	g.do("", "addTeamMember", `team: "@others@", person: "@eve@"`)
	for name, class := range map[string]string{"rack": "rack", "server1": "server", "server2": "server", "db2": "database"} {
		g.do(name, "createCI", fmt.Sprintf(`class: %q, name: %q, owners: [{team: "@others@"}]`, class, name))
	}
	g.do("db", "createCI", `class: "load_balancer", name: "canary-db", externalIdentity: {source: "canary", externalId: "canary-key"}, `+restricted)
	g.do("net", "createCI", `class: "load_balancer", name: "canary-net", `+restricted)
	g.do("svc", "createService", `kind: APPLICATION_SERVICE, name: "canary-svc", tier: "tier-1", `+restricted)
	g.do("shop", "createService", `kind: APPLICATION_SERVICE, name: "shop", tier: "tier-1"`)
	g.do("portal", "createService", `kind: APPLICATION_SERVICE, name: "portal", tier: "tier-1"`)
	for _, l := range []string{
		"server1 contained_in rack", "server2 contained_in rack", "db runs_on server1", "db2 runs_on server2", "server1 depends_on net", "server2 depends_on net",
		"shop depends_on db", "shop depends_on db2", "portal depends_on db", "svc depends_on portal", "db depends_on server2", "svc depends_on shop",
	} {
		w := strings.Fields(l)
		g.do(l, "relateCIs", fmt.Sprintf(`type: %q, source: "@%s@", target: "@%s@"`, w[1], w[0], w[2]))
	}
	g.do("group", "createDependencyGroup", `ci: "@shop@", name: "replicas", mode: ANY, members: [{relationship: "@shop depends_on db@"}, {relationship: "@shop depends_on db2@"}]`)
	g.do("secret", "createDependencyGroup", `ci: "@db@", name: "canary-group", mode: ANY, members: [{relationship: "@db runs_on server1@"}, {relationship: "@db depends_on server2@"}]`)
	past, err := s.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	g.past = past
	for _, name := range []string{"db", "net"} {
		g.do("", "updateCI", fmt.Sprintf(`id: "@%s@", visibility: OWNERS`, name))
	}
	g.do("", "updateService", `id: "@svc@", visibility: OWNERS`)
	g.do("", "updateCI", `id: "@db@", description: "another canary text"`)
	g.do("gone", "relateCIs", `type: "connects_to", source: "@rack@", target: "@db@", attributes: {note: "canary"}`)
	g.do("incident", "openIncident", `title: "it is slow", cis: [{id: "@db@", role: ROOT}, {id: "@portal@", role: AFFECTED}, {id: "@net@", role: EXCLUDED}]`)
	g.do("seen", "openIncident", `title: "it is slower", cis: [{id: "@db@", role: AFFECTED}, {id: "@portal@", role: AFFECTED}]`)
	const night = `plannedStart: "2030-01-01T22:00:00Z", plannedEnd: "2030-01-02T02:00:00Z"`
	g.do("change", "draftChange", `type: NORMAL, title: "new disks", `+night+`, scope: [{id: "@db@", role: TAKEN_DOWN}, {id: "@shop@", role: CHANGED}]`)
	g.do("rival", "draftChange", `type: NORMAL, title: "more memory", `+night+`, scope: [{id: "@db2@", role: TAKEN_DOWN}, {id: "@net@", role: TAKEN_DOWN}]`)
	for name, label := range map[string]string{"change": "canary-red", "rival": "canary-blue"} {
		g.do("", "planChangeOperations", fmt.Sprintf(`id: "@%s@", operations: [{updateCI: {id: "@db@", labels: [{name: "canary", value: %q}]}}]`, name, label))
	}
	g.do("window", "createChangeWindow", `name: "closing", kind: BLACKOUT, startsAt: "2030-01-01T20:00:00Z", duration: "PT10H", timeZone: "UTC", cis: ["@db@", "@svc@"]`)
	g.ask(root, `mutation($id: ID!) { unrelateCIs(input: {id: $id}) { userErrors { message } } }`, "id", g.ids["gone"])
	_, err = store.Write(t.Context(), s, store.By{Actor: "root", Verb: "import.apply"}, func(ctx context.Context, tx *store.Tx) (*ent.DanglingReference, error) {
		id, err := ident.Parse(g.ids["db"])
		if err != nil {
			return nil, err
		}
		return tx.DanglingReference.Create().SetRecordID(id).SetSource("canary").SetExternalID("canary-missing").SetKind(domain.DanglingRelationship).
			SetDetail("depends_on").SetCreatedAt(tx.Now).Save(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
	importing(t, s, g.ids, sightedAt, "canary", true)
	return g
}

// journey is a way through the contract: fields with their arguments, from Query on.
type journey struct {
	text   []string // each field as it is written, with what it shows of itself
	path   string
	types  []string
	result *ast.Definition
}

// document returns the journey as an operation, with inner as the selection of the last object.
func (j journey) document(inner string) string {
	q := inner
	for _, field := range slices.Backward(j.text) {
		q = strings.Replace(field, "…", q, 1)
	}
	return "{" + q + "}"
}

// leaves returns the fields of an object without arguments: its scalars, and those of the types of an interface or a
// union.
func leaves(s *ast.Schema, d *ast.Definition) string {
	text := "__typename"
	if d.IsAbstractType() {
		for _, possible := range s.GetPossibleTypes(d) {
			text += " ... on " + possible.Name + " { __typename "
			for _, f := range possible.Fields {
				if s.Types[f.Type.Name()].IsLeafType() && len(f.Arguments) == 0 && f.Type.String() != "Int" {
					text += possible.Name + "_" + f.Name + ": " + f.Name + " "
				}
			}
			text += "}"
		}
		return text
	}
	for _, f := range d.Fields {
		if s.Types[f.Type.Name()].IsLeafType() && len(f.Arguments) == 0 && !strings.HasPrefix(f.Name, "__") {
			text += " " + f.Name
		}
	}
	return text
}

// journeys returns ways to every field of every object, each type reached by at most so many ways.
func journeys(s *ast.Schema, arguments map[string]string, ways int) []journey {
	visits := map[string]int{}
	queue := []journey{{result: s.Query, types: []string{"Query"}}}
	var all []journey
	for len(queue) > 0 {
		j := queue[0]
		queue = queue[1:]
		for _, f := range j.result.Fields {
			result := s.Types[f.Type.Name()]
			if strings.HasPrefix(f.Name, "__") || result.IsLeafType() {
				continue
			}
			given := arguments[j.result.Name+"."+f.Name]
			if given != "" {
				given = "(" + given + ")"
			}
			next := journey{slices.Clone(j.text), j.path + "." + f.Name, append(slices.Clone(j.types), result.Name), result}
			next.text = append(next.text, f.Name+given+" { "+leaves(s, result)+" … }")
			all = append(all, next)
			if visits[result.Name]++; visits[result.Name] <= ways && len(next.text) < 9 && !result.IsAbstractType() {
				queue = append(queue, next)
			}
		}
	}
	return all
}

var cursorLike = regexp.MustCompile(`"[A-Za-z0-9_-]{24,}"`)

// tells reports whether an answer holds the word or an id of a restricted CI. The content of cursors counts.
func (g *guarded) tells(answer any) (string, bool) {
	text, err := json.Marshal(answer)
	if err != nil {
		g.t.Fatal(err)
	}
	whole := string(text)
	for _, c := range cursorLike.FindAllString(whole, -1) {
		if raw, err := base64.RawURLEncoding.DecodeString(strings.Trim(c, `"`)); err == nil {
			whole += string(raw)
		}
	}
	if strings.Contains(whole, "canary") {
		return whole, true
	}
	for _, name := range []string{"db", "net", "svc"} {
		_, number, _ := strings.Cut(g.ids[name], "_")
		if strings.Contains(whole, `"ci_`+number+`"`) || strings.Contains(whole, `"svc_`+number+`"`) {
			return whole, true
		}
	}
	return whole, false
}

var entityOf = map[string]string{"ci": "CI", "svc": "Service", "team": "Team", "inc": "Incident", "chg": "Change"}

func TestRestrictedCIsAreNeverNamed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g := sighted(t, s)
		every := `states: [AT_RISK, DEGRADED, DOWN], first: 100`
		down := fmt.Sprintf(`failed: [{id: %q}]`, g.ids["rack"])
		var entities []string
		for name, id := range g.ids {
			if kind, _, _ := strings.Cut(id, "_"); name != "" && entityOf[kind] != "" {
				entities = append(entities, fmt.Sprintf("{__typename: %q, id: %q}", entityOf[kind], id))
			}
		}
		const year = `from: "2030-01-01T00:00:00Z", to: "2030-12-31T00:00:00Z"`
		arguments := map[string]string{
			"Query._entities": "representations: [" + strings.Join(entities, ", ") + "]",
			"Query.ci":        fmt.Sprintf("id: %q", g.ids["portal"]), "Query.service": fmt.Sprintf("id: %q", g.ids["shop"]), "Query.impact": down,
			"Query.serviceByName": `name: "shop", environment: PRODUCTION`, "Query.ciByExternalId": `source: "canary", externalId: "canary-key"`,
			"Query.path":                fmt.Sprintf("from: %q, to: %q", g.ids["rack"], g.ids["portal"]),
			"Query.paths":               fmt.Sprintf("from: %q, to: %q, first: 20", g.ids["rack"], g.ids["portal"]),
			"Query.rootCauseCandidates": fmt.Sprintf("seen: [{id: %q}, {id: %q}], first: 20", g.ids["portal"], g.ids["shop"]),
			"Query.whatIf":              "overlay: {" + down + "}", "Query.search": `query: "canary"`, "Query.searchRecords": `query: "canary"`, "Query.journal": "first: 100",
			"Query.node": fmt.Sprintf("id: %q", g.ids["rack"]), "Query.nodes": `ids: ["` + strings.Join(slices.Sorted(maps.Values(g.ids)), `", "`) + `"]`,
			"Query.kpis":     fmt.Sprintf(`period: MONTH, groupBy: SERVICE, from: %q, to: %q`, sightedAt.Format(time.RFC3339), sightedAt.Add(time.Second).Format(time.RFC3339)),
			"Query.incident": fmt.Sprintf("id: %q", g.ids["incident"]), "Query.incidentByNumber": `number: "INC0000002"`,
			"Query.change": fmt.Sprintf("id: %q", g.ids["change"]), "Query.changeByNumber": `number: "CHG0000001"`, "Query.ciClass": `code: "server"`, "Query.source": `code: "plain"`, "Query.importRun": `id: "run_1"`,
			"Query.changeWindow": fmt.Sprintf("id: %q", g.ids["window"]), "Query.changeCalendar": fmt.Sprintf("%s, filter: {service: %q}", year, g.ids["shop"]),
			"Query.team": fmt.Sprintf("id: %q", g.ids["keepers"]), "Query.person": fmt.Sprintf("id: %q", g.ids["ada"]),
			"CIConnection.facets": "fields: [CLASS, OWNER_TEAM]", "ServiceConnection.facets": "fields: [KIND, TIER]", "IncidentConnection.facets": "fields: [STATE, ASSIGNMENT_TEAM]",
			"ChangeConnection.facets":  "fields: [STATE, TEMPLATE]",
			"ChangeWindow.occurrences": year, "Query.suspectChanges": fmt.Sprintf("cis: [%q]", g.ids["portal"]),
			"Impact.services": every, "Impact.affected": every, "Impact.on": fmt.Sprintf("id: %q", g.ids["portal"]),
		}
		shown := map[string]bool{}
		asked := 0
		ways := journeys(contract(), arguments, 4)
		// The same in the past, when the restricted CIs were open to everyone.
		then := map[string]string{"Query.ci": arguments["Query.ci"], "Impact.affected": every, "Impact.on": arguments["Impact.on"]}
		for _, field := range []string{"Query.impact", "Query.path", "Query.paths", "Query.whatIf", "CI.impact", "CI.dependencies"} {
			then[field] = strings.TrimPrefix(arguments[field]+fmt.Sprintf(", asOf: {revision: %d}", g.past), ", ")
		}
		past := maps.Clone(arguments)
		maps.Copy(past, then)
		for _, j := range journeys(contract(), past, 4) {
			if slices.ContainsFunc(j.text, func(field string) bool { return strings.Contains(field, "asOf") }) {
				ways = append(ways, j)
			}
		}
		for _, j := range ways {
			document := j.document("")
			if strings.HasPrefix(document, "{signIns ") || strings.HasPrefix(document, "{journalCheckpoint ") { // which eve may not ask
				continue
			}
			forEve := g.ask(eve, document)
			asked++
			if forEve["data"] == nil || forEve["errors"] != nil {
				t.Fatalf("%s fails: %v", document, forEve["errors"])
			}
			if text, ok := g.tells(forEve["data"]); ok {
				t.Errorf("%s\ntells eve: %s", document, text)
			}
			if _, ok := g.tells(g.ask(ada, document)["data"]); ok {
				shown[j.path[strings.LastIndex(j.path[:strings.LastIndex(j.path, ".")+1], ".")+1:]+" "+j.types[len(j.types)-2]] = true
			}
		}
		fields := slices.Sorted(maps.Keys(shown))
		t.Logf("%d questions; %d fields show it to its owner: %v", asked, len(fields), fields)
		if len(fields) < 60 {
			t.Errorf("the estate hides too little: only %d fields show it to its owner", len(fields))
		}
	})
}
