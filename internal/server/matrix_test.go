package server_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/linchpin-cmdb/linchpin/graph/exec"
	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// caller is somebody of the matrix, as they come by a door.
type caller struct {
	door      string
	name      string
	headers   []string
	roles     []auth.Role // everywhere
	inTeam    auth.Role   // within the team that has the own records
	isOwner   bool        // in that team, by a session or by name
	sources   []string    // of an INTEGRATOR
	anySource bool
	isService bool
}

func (c caller) String() string { return c.name + " by " + c.door }

func (c caller) has(role auth.Role) bool {
	if role == auth.Viewer {
		return len(c.roles) > 0 || c.inTeam != ""
	}
	return slices.Contains(c.roles, role) || slices.Contains(c.roles, auth.Admin)
}

// may says what a line of the policy means for a caller, on a record of their team or source, or on one of others.
func (c caller) may(r auth.Rule, isOwn bool) bool {
	switch r.Proof {
	case auth.SignedIn, auth.FreshSign:
		if c.door != "session" {
			return false
		}
	case auth.APerson:
		if c.isService {
			return false
		}
	case auth.NoProof:
	}
	return c.has(r.Role) ||
		r.InTeam && c.inTeam == r.Role && isOwn ||
		r.Owners && c.isOwner && isOwn ||
		r.BySource && c.has(auth.Integrator) && (c.anySource || isOwn && slices.Contains(c.sources, "nagios") || slices.Contains(c.roles, auth.Admin))
}

// side is the records of one team and source.
type side map[string]string // by noun

// matrixWorld is a house with the records of two teams, and everybody who could come.
type matrixWorld struct {
	house
	dev        *httptest.Server
	own, other side
	callers    []caller
}

// mutate runs a mutation that must work, and returns what it selects.
func (m *matrixWorld) mutate(headers []string, field, input, selection string) map[string]any {
	m.t.Helper()
	_, text := m.graphql(fmt.Sprintf("mutation { r: %s(input: %s) { %s userErrors { message } } }", field, input, selection), headers...)
	var got struct{ Data struct{ R map[string]any } }
	if err := json.Unmarshal([]byte(text), &got); err != nil || got.Data.R == nil || len(got.Data.R["userErrors"].([]any)) > 0 {
		m.t.Fatalf("%s(%s): %s", field, input, text)
	}
	return got.Data.R
}

func (m *matrixWorld) make(headers []string, field, input, record string) string {
	m.t.Helper()
	return m.mutate(headers, field, input, record+" { id }")[record].(map[string]any)["id"].(string)
}

func newMatrixWorld(h house) *matrixWorld {
	t := h.t
	m := &matrixWorld{house: h}
	root := []string{h.setUp()}
	public, _, err := h.Handler(app.Serving{IsDev: true})
	if err != nil {
		t.Fatal(err)
	}
	m.dev = httptest.NewServer(public)
	t.Cleanup(m.dev.Close)
	target := m.make(root, "createCI", `{class: "server", name: "free"}`, "ci")
	for i, source := range []string{"nagios", "zabbix"} {
		s := side{"source": source}
		s["team"] = m.make(root, "createTeam", fmt.Sprintf(`{name: "team %d"}`, i), "team")
		s["ci"] = m.make(root, "createCI", fmt.Sprintf(`{class: "server", name: "ci %d", owners: [{team: %q}]}`, i, s["team"]), "ci")
		s["service"] = m.make(root, "createService", fmt.Sprintf(`{kind: BUSINESS_SERVICE, name: "service %d", owners: [{team: %q}]}`, i, s["team"]), "service")
		s["relationship"] = m.make(root, "relateCIs", fmt.Sprintf(`{type: "depends_on", source: %q, target: %q}`, s["ci"], target), "relationship")
		s["dependency_group"] = m.make(root, "createDependencyGroup", fmt.Sprintf(`{ci: %q, name: "g", mode: ANY, members: [{relationship: %q}]}`, s["ci"], s["relationship"]), "dependencyGroup")
		s["incident"] = m.make(root, "openIncident", fmt.Sprintf(`{title: "i", assignmentTeam: %q, externalIdentity: {source: %q, externalId: "1"}}`, s["team"], source), "incident")
		s["change"] = m.make(root, "draftChange", fmt.Sprintf(`{type: NORMAL, title: "c", assignmentTeam: %q}`, s["team"]), "change")
		s["target"], s["import"] = target, ident.New(ident.ImportRun, int64(i+1)).String()
		m.run(int64(i+1), source)
		if i == 0 {
			m.own = s
		} else {
			m.other = s
		}
	}
	m.people(root)
	return m
}

// run writes a reading of a source.
func (m *matrixWorld) run(id int64, source string) {
	m.t.Helper()
	if _, err := m.Store.Writer().ExecContext(m.t.Context(), `INSERT INTO x_run (id, source, scope, kind, state, started_at, actor) VALUES ($1, $2, 'all', 'FULL', 'DISCARDED', $3, 'nobody')`,
		id, source, time.Now()); err != nil {
		m.t.Fatal(err)
	}
}

// people makes everybody who could come.
func (m *matrixWorld) people(root []string) {
	t := m.t
	bind := func(account, input string) {
		m.mutate(root, "bindRole", fmt.Sprintf("{account: %q, %s}", account, input), "roleBinding { id }")
	}
	person := m.make(root, "createPerson", `{name: "pia"}`, "person")
	m.make(root, "addTeamMember", fmt.Sprintf("{team: %q, person: %q}", m.own["team"], person), "team")
	session := func(name string, roles ...auth.Role) (cookie, account string) {
		cookie, a := m.invited(name, roles...)
		return cookie, a.Account.String()
	}
	token := func(cookie, of string, role auth.Role) string {
		made := m.mutate([]string{cookie}, "createApiToken", fmt.Sprintf(`{name: "matrix", roles: [%s]%s}`, role, of), "secret")
		return "Authorization: Bearer " + made["secret"].(string)
	}
	add := func(c caller) { m.callers = append(m.callers, c) }

	nobody, _ := session("nobody")
	add(caller{door: "session", name: "without a role", headers: []string{nobody}})
	dev := func(name string, roles ...auth.Role) []string {
		words := make([]string, len(roles))
		for i, r := range roles {
			words[i] = string(r)
		}
		return []string{"Linchpin-Actor: " + name, "Linchpin-Roles: " + strings.Join(words, ",")}
	}
	add(caller{door: "name", name: "without a role", headers: dev("zoe")})
	chief, _ := session("chief", auth.Admin)
	for _, role := range auth.AllRoles {
		name := strings.ToLower(string(role))
		one := caller{name: string(role), roles: []auth.Role{role}}
		byName, byToken, byService := one, one, one
		given := []auth.Role{role}
		if role == auth.Integrator {
			given, one.sources = nil, []string{"nagios"}
		}
		cookie, account := session(name, given...)
		if role == auth.Integrator {
			bind(account, `role: INTEGRATOR, sources: ["nagios"]`)
		}
		one.door, one.headers = "session", []string{cookie}
		add(one)
		byName.door, byName.headers, byName.anySource = "name", dev("zoe", role), true
		add(byName)
		byToken.door, byToken.headers, byToken.anySource = "an admin's token", []string{token(chief, "", role)}, true
		add(byToken)
		sources := ""
		if role == auth.Integrator {
			sources, byService.sources = `, sources: ["nagios"]`, []string{"nagios"}
		}
		service := m.make(root, "createServiceAccount", fmt.Sprintf(`{name: "s %s", roles: [%s]%s}`, name, role, sources), "account")
		byService.door, byService.isService = "a service account's token", true
		byService.headers = []string{token(root[0], fmt.Sprintf(", account: %q", service), role)}
		add(byService)
	}
	for _, role := range []auth.Role{auth.Operator, auth.ChangeManager} {
		cookie, account := session("team " + strings.ToLower(string(role)))
		bind(account, fmt.Sprintf("role: %s, team: %q", role, m.own["team"]))
		add(caller{door: "session", name: string(role) + " in a team", headers: []string{cookie}, inTeam: role})
		add(caller{door: "own token", name: string(role) + " in a team", headers: []string{token(cookie, "", role)}, inTeam: role})
	}
	owner, account := session("pia's", auth.Viewer)
	m.mutate(root, "linkAccount", fmt.Sprintf("{account: %q, person: %q}", account, person), "account { id }")
	viewer := []auth.Role{auth.Viewer}
	add(caller{door: "session", name: "an owner", headers: []string{owner}, roles: viewer, isOwner: true})
	add(caller{door: "own token", name: "an owner", headers: []string{token(owner, "", auth.Viewer)}, roles: viewer})
	add(caller{door: "name", name: "an owner", headers: dev("pia", auth.Viewer), roles: viewer, isOwner: true})
	if len(m.callers) < 37 {
		t.Errorf("only %d callers", len(m.callers))
	}
}

// ask asks as a caller, and returns the answer as text.
func (m *matrixWorld) ask(c caller, query string) string {
	m.t.Helper()
	at := m.house
	if c.door == "name" {
		at.world = &world{host: strings.TrimPrefix(m.dev.URL, "http://")}
	}
	status, text := at.graphql(query, c.headers...)
	if status == http.StatusUnauthorized {
		m.t.Fatalf("%s is not known: %s", c, text)
	}
	return text
}

// filler writes inputs that name what a test is about, and are whole otherwise: each required field has a value.
type filler struct {
	schema *ast.Schema
	given  map[string]string // by field, as GraphQL writes it
}

func (f filler) value(t *ast.Type, name string) string {
	if given := f.given[name]; given != "" {
		return given
	}
	if t.Elem != nil {
		return "[" + f.value(t.Elem, name) + "]"
	}
	d := f.schema.Types[t.NamedType]
	switch d.Kind { //nolint:exhaustive // inputs have no others
	case ast.Enum:
		return d.EnumValues[0].Name
	case ast.InputObject:
		return f.object(d)
	}
	switch d.Name {
	case "Int", "Float":
		return "1"
	case "Boolean":
		return "true"
	case "ID":
		return `"ci_9999999"`
	case "DateTime":
		return `"2099-01-01T00:00:00Z"`
	case "Duration":
		return `"PT1H"`
	case "JSON":
		return "{}"
	case "_Any":
		return `{__typename: "CI", id: "ci_9999999"}`
	}
	return `"x"`
}

// object writes the required fields of an input, those that are given, and a version that no record has, so that
// nothing is written where it can be left out.
func (f filler) object(d *ast.Definition) string {
	var fields []string
	for _, field := range d.Fields {
		switch {
		case field.Name == "expectedVersion":
			fields = append(fields, "expectedVersion: 9999")
		case f.given[field.Name] != "", field.Type.NonNull && field.DefaultValue == nil:
			fields = append(fields, field.Name+": "+f.value(field.Type, field.Name))
		}
	}
	return "{" + strings.Join(fields, ", ") + "}"
}

// about returns what names the records of a side in the input of a mutation.
func about(r auth.Rule, s side) map[string]string {
	noun, _, _ := strings.Cut(r.Verb, ".")
	q := func(what string) string { return fmt.Sprintf("%q", s[what]) }
	given := map[string]string{}
	switch {
	case r.Mutation == "relateCIs":
		given["source"], given["target"], given["type"] = q("ci"), q("target"), `"depends_on"`
	case r.Mutation == "createDependencyGroup":
		given["ci"] = q("ci")
	case r.Mutation == "applyOperations":
		given["operations"] = fmt.Sprintf(`[{updateCI: {id: %q, description: "matrix"}}]`, s["ci"])
	case r.Mutation == "openIncident":
		given["assignmentTeam"], given["externalIdentity"] = q("team"), fmt.Sprintf(`{source: %q, externalId: "2"}`, s["source"])
	case r.Mutation == "draftChange":
		given["assignmentTeam"], given["type"] = q("team"), "NORMAL"
	case r.InTeam || r.Owners || noun == "import" && r.Mutation != "":
		given["id"] = q(noun)
	}
	return given
}

// Test18EveryMutationIsHeldToThePolicyForEveryCaller asks each mutation of the contract as each caller, by each door,
// of records that are theirs and of records of others.
func Test18EveryMutationIsHeldToThePolicyForEveryCaller(t *testing.T) {
	schema := exec.NewExecutableSchema(exec.Config{}).Schema()
	rules := map[string]auth.Rule{}
	for _, r := range auth.Rules {
		if _, ok := rules[r.Mutation]; ok && r.Mutation != "" {
			t.Errorf("%s has two lines", r.Mutation)
		}
		rules[r.Mutation] = r
	}
	delete(rules, "")
	for name := range rules {
		if schema.Mutation.Fields.ForName(name) == nil {
			t.Errorf("the policy names %s, which is no mutation", name)
		}
	}
	houses(t, func(h house) {
		t := h.t
		m := newMatrixWorld(h)
		asked, refused := 0, 0
		for _, field := range schema.Mutation.Fields {
			r, ok := rules[field.Name]
			if !ok {
				t.Errorf("%s has no line in the policy", field.Name)
				continue
			}
			sides := map[bool]side{true: m.own, false: m.other}
			if !r.InTeam && !r.Owners && !r.BySource {
				delete(sides, false)
			}
			for isOwn, s := range sides {
				input := filler{schema, about(r, s)}.object(schema.Types[field.Arguments.ForName("input").Type.Name()])
				query := fmt.Sprintf("mutation { %s(input: %s) { userErrors { code message } } }", field.Name, input)
				for i, c := range m.callers {
					text := m.ask(c, query)
					isForbidden := strings.Contains(text, `"FORBIDDEN"`)
					asked++
					if isForbidden {
						refused++
					}
					switch {
					case isForbidden == c.may(r, isOwn):
						t.Errorf("%s, a record of their own: %t: %s: %s gives %s", c, isOwn, r.Verb, query, text)
					case isForbidden && c.has(auth.Viewer) && r.Proof == auth.NoProof && !strings.Contains(text, string(r.Role)):
						t.Errorf("%s: %s does not say which role may: %s", c, r.Verb, text)
					case strings.Contains(text, "GRAPHQL_VALIDATION_FAILED"), strings.Contains(text, "BAD_USER_INPUT"):
						t.Fatalf("%s is no good question: %s", query, text)
					}
					if field.Name == "endSessions" && c.door == "session" && !isForbidden { // it ended this one's
						m.again(i)
					}
				}
			}
		}
		t.Logf("%d mutations asked, %d refused", asked, refused)
	})
}

// again signs a caller in whose session was ended.
func (m *matrixWorld) again(i int) {
	c := &m.callers[i]
	names := map[string]string{"OPERATOR in a team": "team operator", "CHANGE_MANAGER in a team": "team change_manager", "an owner": "pia's"}
	name, ok := names[c.name]
	if !ok {
		name = strings.ToLower(c.name)
	}
	c.headers = []string{cookieOf(m.t, m.post("/auth/sign-in", url.Values{"name": {name}, "password": {phrase}}))}
}

// TestEveryFieldIsHeldToThePolicyForEveryRole asks the policy for each field of the contract, and each field of Query
// as each caller.
func TestEveryFieldIsHeldToThePolicyForEveryRole(t *testing.T) {
	schema := exec.NewExecutableSchema(exec.Config{}).Schema()
	closed := map[string]auth.Role{"Query.signIns": auth.Auditor, "SignIn": auth.Auditor, "Query.journalCheckpoint": auth.Auditor, "JournalCheckpoint": auth.Auditor} // all else is for whoever has a role
	role := func(parent, field string) auth.Role {
		for _, name := range []string{parent + "." + field, parent} {
			if r, ok := closed[name]; ok {
				return r
			}
		}
		return auth.Viewer
	}
	fields := 0
	for _, name := range slices.Sorted(maps.Keys(schema.Types)) {
		d := schema.Types[name]
		if d.Kind != ast.Object && d.Kind != ast.Interface {
			continue
		}
		for _, field := range d.Fields {
			fields++
			for _, has := range append([]auth.Role{""}, auth.AllRoles...) {
				a, c := auth.Actor{}, caller{}
				if has != "" {
					a.Roles, c.roles = []auth.Role{has}, []auth.Role{has}
				}
				if want := c.has(role(name, field.Name)); auth.MayRead(a, name, field.Name) != want {
					t.Errorf("%q may read %s.%s: %t is wanted", has, name, field.Name, want)
				}
			}
		}
	}
	t.Logf("%d fields", fields)
	houses(t, func(h house) {
		t := h.t
		m := newMatrixWorld(h)
		for _, field := range schema.Query.Fields {
			var arguments []string
			for _, a := range field.Arguments {
				if a.Type.NonNull && a.DefaultValue == nil {
					arguments = append(arguments, a.Name+": "+filler{schema, map[string]string{"id": fmt.Sprintf("%q", m.own["ci"])}}.value(a.Type, a.Name))
				}
			}
			query := field.Name
			if len(arguments) > 0 {
				query += "(" + strings.Join(arguments, ", ") + ")"
			}
			if d := schema.Types[field.Type.Name()]; d.IsCompositeType() {
				query += " { __typename }"
			}
			for _, c := range m.callers {
				text := m.ask(c, "{ "+query+" }")
				isPublic := strings.HasPrefix(field.Name, "__")
				want := isPublic || c.has(role("Query", field.Name))
				if isForbidden := strings.Contains(text, `"FORBIDDEN"`); isForbidden == want {
					t.Errorf("%s: %s gives %s", c, query, text)
				}
			}
		}
	})
}
