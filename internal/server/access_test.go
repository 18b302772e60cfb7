package server_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// caller returns one of those that could come.
func (m *matrixWorld) caller(name, door string) caller {
	m.t.Helper()
	for _, c := range m.callers {
		if c.name == name && c.door == door {
			return c
		}
	}
	m.t.Fatalf("there is no %s by %s", name, door)
	return caller{}
}

// tells asks as a caller, and fails the test if the answer does not have a text, or has it where it must not.
func (m *matrixWorld) tells(c caller, query, text string, want bool) {
	m.t.Helper()
	if got := m.ask(c, query); strings.Contains(got, text) != want {
		m.t.Errorf("%s: %s: %q is wanted: %t: %s", c, query, text, want, got)
	}
}

func Test17OwnersEditWhatTheyOwn(t *testing.T) {
	houses(t, func(h house) {
		m := newMatrixWorld(h)
		admin := m.caller("ADMIN", "session")
		hidden := m.make(admin.headers, "createCI", `{class: "server", name: "hidden", visibility: OWNERS}`, "ci")
		toHidden := m.make(admin.headers, "relateCIs", fmt.Sprintf(`{type: "depends_on", source: %q, target: %q}`, m.own["ci"], hidden), "relationship")
		for _, c := range []caller{m.caller("an owner", "session"), m.caller("an owner", "name")} {
			edit := func(id, fields string) string {
				return fmt.Sprintf(`mutation { updateCI(input: {id: %q, %s}) { ci { description viewerCanUpdate } userErrors { code field } } }`, id, fields)
			}
			m.tells(c, edit(m.own["ci"], fmt.Sprintf("description: %q", c.door)), fmt.Sprintf(`"description":%q,"viewerCanUpdate":true`, c.door), true)
			m.tells(c, edit(m.own["ci"], "visibility: OWNERS"), `"FORBIDDEN"`, true)
			m.tells(c, edit(m.own["ci"], `attributes: {serialNumber: "7", vendor: "v"}`), `"FORBIDDEN"`, true) // which would tell it from others
			m.tells(c, edit(m.other["ci"], `description: "mine"`), `"FORBIDDEN"`, true)
			m.tells(c, edit(hidden, `description: "mine"`), `"NOT_FOUND"`, true)
			m.tells(c, edit(hidden, `description: "mine"`), `"FORBIDDEN"`, false)
			m.tells(c, fmt.Sprintf(`mutation { updateService(input: {id: %q, description: "s"}) { service { description } userErrors { code } } }`, m.own["service"]), `"description":"s"`, true)
			m.tells(c, fmt.Sprintf(`mutation { updateService(input: {id: %q, visibility: OWNERS}) { userErrors { code } } }`, m.own["service"]), `"FORBIDDEN"`, true)
			m.tells(c, fmt.Sprintf(`mutation { relateCIs(input: {type: "depends_on", source: %q, target: %q}) { userErrors { code } } }`, m.own["ci"], hidden), `"NOT_FOUND"`, true)
			m.tells(c, fmt.Sprintf(`mutation { unrelateCIs(input: {id: %q}) { deletedId userErrors { code } } }`, toHidden), `"NOT_FOUND"`, true)
			m.tells(c, fmt.Sprintf(`mutation { updateDependencyGroup(input: {id: %q, members: [{relationship: %q}]}) { userErrors { code } } }`, m.own["dependency_group"], toHidden), `"NOT_FOUND"`, true)
			m.tells(c, fmt.Sprintf(`{ own: ci(id: %q) { viewerCanUpdate } other: ci(id: %q) { viewerCanUpdate } service(id: %q) { viewerCanUpdate } hidden: ci(id: %q) { viewerCanUpdate } }`,
				m.own["ci"], m.other["ci"], m.own["service"], hidden), `{"own":{"viewerCanUpdate":true},"other":{"viewerCanUpdate":false},"service":{"viewerCanUpdate":true},"hidden":null}`, true)
		}
		m.tells(m.caller("an owner", "own token"), fmt.Sprintf(`{ ci(id: %q) { viewerCanUpdate } }`, m.own["ci"]), "true", false)
		// Restricted, it is still the owner's to see, and no token's of theirs.
		m.mutate(admin.headers, "updateCI", fmt.Sprintf(`{id: %q, visibility: OWNERS}`, m.own["ci"]), "ci { id }")
		m.tells(m.caller("an owner", "session"), fmt.Sprintf(`{ ci(id: %q) { name } }`, m.own["ci"]), `"ci 0"`, true)
		m.tells(m.caller("an owner", "own token"), fmt.Sprintf(`{ ci(id: %q) { name } }`, m.own["ci"]), `"ci 0"`, false)
		m.tells(m.caller("OPERATOR", "an admin's token"), fmt.Sprintf(`{ ci(id: %q) { name } }`, m.own["ci"]), `"ci 0"`, false)
	})
}

func TestARoleWithinATeamIsForWhatTheTeamWorksOn(t *testing.T) {
	houses(t, func(h house) {
		m := newMatrixWorld(h)
		admin, c := m.caller("ADMIN", "session"), m.caller("OPERATOR in a team", "session")
		m.tells(c, fmt.Sprintf(`{ viewer { roles grants { role team { id } } } incidents(orderBy: [{field: CREATED_AT}]) { nodes { viewerCanUpdate availableTransitions { mutation } } } change(id: %q) { viewerCanUpdate } }`, m.own["change"]),
			fmt.Sprintf(`{"viewer":{"roles":["VIEWER"],"grants":[{"role":"VIEWER","team":null},{"role":"OPERATOR","team":{"id":%q}}]},"incidents":{"nodes":[{"viewerCanUpdate":true,"availableTransitions":[{"mutation":"startIncident"},{"mutation":"holdIncident"},{"mutation":"resolveIncident"},{"mutation":"cancelIncident"}]},{"viewerCanUpdate":false,"availableTransitions":[]}]},"change":{"viewerCanUpdate":false}}`, m.own["team"]), true)
		resolve := func(id string) string {
			return fmt.Sprintf(`mutation { resolveIncident(input: {id: %q, code: FIXED, notes: "n", withChildren: true}) { userErrors { code } } }`, id)
		}
		child := m.make(admin.headers, "openIncident", fmt.Sprintf(`{title: "child", parent: %q, assignmentTeam: %q}`, m.own["incident"], m.other["team"]), "incident")
		m.tells(c, resolve(m.own["incident"]), `"FORBIDDEN"`, true) // with the child of another team
		m.tells(c, fmt.Sprintf(`{ incident(id: %q) { state } }`, child), `"NEW"`, true)
		// An incident that names a CI of the team is the team's, whoever works on it.
		m.mutate(admin.headers, "setIncidentCIs", fmt.Sprintf(`{id: %q, cis: [{id: %q, role: AFFECTED}]}`, child, m.own["ci"]), "incident { id }")
		m.tells(c, resolve(m.own["incident"]), `"userErrors":[]`, true)
		// A source's incidents are its own.
		integrator := m.caller("INTEGRATOR", "session")
		for of, want := range map[*side]string{&m.own: `"id"`, &m.other: `"FORBIDDEN"`} {
			m.tells(integrator, fmt.Sprintf(`mutation { openIncident(input: {title: "again", externalIdentity: {source: %q, externalId: "9"}}) { incident { id } userErrors { code } } }`, (*of)["source"]), want, true)
		}
		m.tells(integrator, `mutation { openIncident(input: {title: "no source"}) { incident { id } userErrors { code } } }`, `"FORBIDDEN"`, true)
	})
}

func TestMembershipOfATeamWithPowerIsAnAdminsToGive(t *testing.T) {
	houses(t, func(h house) {
		m := newMatrixWorld(h)
		admin, editor := m.caller("ADMIN", "session"), m.caller("CATALOG_EDITOR", "session")
		eve := m.make(admin.headers, "createPerson", `{name: "eve"}`, "person")
		for i, power := range []func(team string){
			func(team string) {
				m.mutate(admin.headers, "createApprovalPolicy", fmt.Sprintf(`{name: "board", team: %q}`, team), "approvalPolicy { id }")
			},
			func(team string) {
				m.make(admin.headers, "createCI", fmt.Sprintf(`{class: "server", name: "vault", visibility: OWNERS, owners: [{team: %q}]}`, team), "ci")
			},
		} {
			team := m.make(admin.headers, "createTeam", fmt.Sprintf(`{name: "power %d"}`, i), "team")
			join := fmt.Sprintf(`mutation { addTeamMember(input: {team: %q, person: %q}) { userErrors { code } } }`, team, eve)
			leave := fmt.Sprintf(`mutation { removeTeamMember(input: {team: %q, person: %q}) { userErrors { code } } }`, team, eve)
			m.tells(editor, join, `"userErrors":[]`, true)
			m.tells(editor, leave, `"userErrors":[]`, true)
			power(team)
			m.tells(editor, join, `"FORBIDDEN"`, true)
			m.tells(admin, join, `"userErrors":[]`, true)
			m.tells(editor, join, `"userErrors":[]`, true) // who is in it stays in it
			m.tells(editor, leave, `"FORBIDDEN"`, true)
			m.tells(admin, leave, `"userErrors":[]`, true)
		}
	})
}

func TestAVoteIsOfThoseWhoAreAsked(t *testing.T) {
	houses(t, func(h house) {
		m := newMatrixWorld(h)
		admin, manager := m.caller("ADMIN", "session"), m.caller("CHANGE_MANAGER", "session")
		var who struct {
			Data struct {
				Viewer struct{ Account struct{ ID string } }
			}
		}
		if err := json.Unmarshal([]byte(m.ask(admin, `{ viewer { account { id } } }`)), &who); err != nil {
			h.t.Fatal(err)
		}
		draft := func(ask string) string {
			id := m.make(manager.headers, "draftChange", fmt.Sprintf(`{type: NORMAL, title: "c", justification: "j", plan: "p", backoutPlan: "b", testPlan: "t", plannedStart: "2099-01-01T00:00:00Z", plannedEnd: "2099-01-01T01:00:00Z", scope: [{id: %q, role: CHANGED}]}`, m.own["ci"]), "change")
			m.mutate(manager.headers, "assessChange", fmt.Sprintf("{id: %q}", id), "change { id }")
			m.mutate(manager.headers, "requestChangeApproval", fmt.Sprintf("{id: %q %s}", id, ask), "change { id }")
			return id
		}
		approve := func(id string) string {
			return fmt.Sprintf(`mutation { approveChange(input: {id: %q}) { change { id } userErrors { code } } }`, id)
		}
		can := func(id string) string { return fmt.Sprintf(`{ change(id: %q) { viewerCanVote } }`, id) }
		const awaiting = `{ changes(filter: {awaitingMyVote: true}) { totalCount } }`
		id := draft(fmt.Sprintf(", approverAccounts: [%q]", who.Data.Viewer.Account.ID))
		program, mine := m.caller("CHANGE_MANAGER", "a service account's token"), m.caller("CHANGE_MANAGER in a team", "session")
		for _, c := range []caller{program, mine, manager} {
			m.tells(c, can(id), "true", false)
			m.tells(c, awaiting, `"totalCount":0`, true)
			m.tells(c, approve(id), `"change":{`, false)
		}
		m.tells(mine, approve(id), `"TRANSITION_REFUSED"`, true) // the scope is of its team, and nobody asks it
		m.tells(admin, awaiting, `"totalCount":1`, true)
		m.tells(admin, can(id), "true", true)
		m.tells(admin, approve(id), `"userErrors":[]`, true)
		m.tells(admin, awaiting, `"totalCount":0`, true)
		m.tells(admin, can(id), "true", true) // to change one's mind
		// A policy that asks a role lets those that have it, and waits for them.
		m.mutate(admin.headers, "createApprovalPolicy", `{name: "managers", role: ADMIN, approvals: 1}`, "approvalPolicy { id }")
		id = draft("")
		m.tells(mine, can(id), "true", false)
		m.tells(mine, approve(id), `"TRANSITION_REFUSED"`, true)
		m.tells(admin, awaiting, `"totalCount":1`, true)
		m.tells(admin, approve(id), `"userErrors":[]`, true)
		m.tells(admin, awaiting, `"totalCount":0`, true)
	})
}

func TestAnImportIsOfTheSourcesOfItsActor(t *testing.T) {
	houses(t, func(h house) {
		t := h.t
		actor := auth.Actor{Name: "importer", Roles: []auth.Role{auth.Integrator}, Sources: []string{"kubernetes"}, IsService: true}
		for from, want := range map[string]errs.Code{"kubernetes": "", "manual": errs.Forbidden} {
			plan := &importer.Plan{Source: from}
			if _, err := plan.Apply(auth.With(t.Context(), actor), h.Store, nil); errs.CodeOf(err) != want && (want != "" || err != nil) {
				t.Errorf("a plan of %s: %v", from, err)
			}
		}
	})
}
