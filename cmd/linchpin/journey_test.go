package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/demo"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/fixture"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
)

// onEach runs a test with the address of an empty database of each kind.
func onEach(t *testing.T, test func(t *testing.T, database string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, "sqlite:"+filepath.Join(t.TempDir(), "linchpin.db")) })
	t.Run("postgres", func(t *testing.T) { test(t, pgtest.Database(t, "empty", nil)) })
}

// The four operations of a front-end team's first day, word for word.
const (
	tierOne = `{ services(first: 20, filter: {tier: {in: ["tier-1"]}}, orderBy: [{field: NAME}]) { totalCount pageInfo { hasNextPage endCursor }
    nodes { id name kind tier { name } owner { name } operationalState incidents(filter: {isOpen: true}, first: 5) { totalCount nodes { number priority } } } } }`
	whatBreaks = `{ ciByExternalId(source: "backstage", externalId: "resource:default/artists-db") { name class { code }
    impact { completeness { isPartial } services(first: 10) { nodes { state distance ci { name owners { role team { name } } } } } affected(first: 50) { totalCount nodes { state ci { name } proof { summary path { name } } } } } } }`
	openIncident = `mutation { openIncident(input: {title: "Checkout fails", urgency: 1, cis: [{id: "ci_…", role: ROOT}]}) { incident { number state priority availableTransitions { to } affectedServices(first: 10) { nodes { state ci { name } } } } userErrors { code message field } } }`
	draftChange  = `mutation { draftChange(input: {type: NORMAL, title: "Upgrade PostgreSQL", scope: [{id: "ci_…", role: TAKEN_DOWN}], plannedStart: "2027-01-10T22:00:00Z", plannedEnd: "2027-01-10T23:00:00Z"}) { change { number state impact { services(first: 10) { nodes { state ci { name } } } } } userErrors { code message field } } }`
)

type (
	ciName struct {
		Name   string
		Owners []struct {
			Role string
			Team *struct{ Name string }
		}
	}
	affected struct {
		State    string
		Distance int
		CI       ciName
		Proof    struct {
			Summary string
			Path    []ciName
		}
	}
	affectedList struct {
		TotalCount int
		Nodes      []affected
	}
	impactAnswer struct {
		Completeness       struct{ IsPartial bool }
		Services, Affected affectedList
	}
	userErrors []struct{ Code, Message string }
)

// sentences returns the states and names of CIs, such as "DOWN orders".
func sentences(l affectedList) (all []string) {
	for _, n := range l.Nodes {
		all = append(all, n.State+" "+n.CI.Name)
	}
	return all
}

// brokenServices are what suffers without the primary of the orders database: the first ten, worst and nearest first.
var brokenServices = []string{
	"DOWN orders", "DOWN checkout-api", "DOWN refunds", "DOWN Checkout", "DEGRADED order-history",
	"DEGRADED fulfilment", "DEGRADED telemetry", "DEGRADED returns-portal", "DEGRADED trade-portal", "DEGRADED reporting",
}

func TestTheFirstJourney(t *testing.T) {
	onEach(t, func(t *testing.T, database string) {
		j := journey{t, serve(t, "--demo", "--database", database)}
		j.browse()
		ci := j.askWhatBreaks()
		j.openAnIncident(ci)
		j.draftAChange(ci)
		j.seeThemLinked(ci)
		t.Run("import", func(t *testing.T) { journey{t, j.server}.importBackstage(database) })
		if code, err := j.server.stop(); code != 0 || err != nil {
			t.Errorf("exit code %d, %v", code, err)
		}
	})
}

type journey struct {
	t      *testing.T
	server *process
}

func (j journey) ask(v any, query string) { j.t.Helper(); j.server.ask(j.t, v, query, nil) }

// same fails when what the server said differs from what it means to a person.
func (j journey) same(what string, got, want any) {
	j.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		j.t.Errorf("%s (- wanted, + got)\n%s", what, diff)
	}
}

func (j journey) browse() {
	j.t.Helper()
	var a struct {
		Services struct {
			TotalCount int
			PageInfo   struct {
				HasNextPage bool
				EndCursor   string
			}
			Nodes []struct {
				ID, Name, Kind   string
				Tier, Owner      struct{ Name string }
				OperationalState string
				Incidents        struct {
					TotalCount int
					Nodes      []struct {
						Number   string
						Priority int
					}
				}
			}
		}
	}
	j.ask(&a, tierOne)
	states, names := map[string]int{}, []string{}
	for _, n := range a.Services.Nodes {
		states[n.OperationalState]++
		names = append(names, n.Name)
		if n.Tier.Name != "Tier 1" || n.Owner.Name == "" || !strings.HasPrefix(n.ID, "svc_") {
			j.t.Errorf("%+v", n)
		}
		if n.Name == "storefront" {
			j.same("storefront's incidents", fmt.Sprint(n.OperationalState, n.Incidents), "DEGRADED{1 [{INC0000001 2}]}")
		}
	}
	j.same("tier 1", []any{a.Services.TotalCount, len(names), a.Services.PageInfo.HasNextPage, a.Services.PageInfo.EndCursor != "", slices.IsSorted(names)}, []any{17, 17, false, true, true})
	j.same("states of tier 1", states, map[string]int{"OPERATIONAL": 15, "DEGRADED": 2})
}

// askWhatBreaks gives the id of the CI that is supposed to fail.
func (j journey) askWhatBreaks() string {
	j.t.Helper()
	var a struct {
		CI struct {
			ID, Name string
			Class    struct{ Code string }
			Impact   impactAnswer
		} `json:"ciByExternalId"`
	}
	demo := strings.NewReplacer(`"backstage"`, `"demo"`, "resource:default/artists-db", "orders-db-primary", "{ name class", "{ id name class")
	j.ask(&a, demo.Replace(whatBreaks))
	j.same("class", a.CI.Class.Code, "database")
	j.same("services", sentences(a.CI.Impact.Services), brokenServices)
	j.same("partial", a.CI.Impact.Completeness.IsPartial, false)
	j.same("affected", []int{a.CI.Impact.Affected.TotalCount, len(a.CI.Impact.Affected.Nodes)}, []int{17, 17})
	for _, n := range a.CI.Impact.Affected.Nodes {
		if n.CI.Name != "Checkout" {
			continue
		}
		j.same("why", n.Proof.Summary, "It is DOWN because it cannot do without checkout-api (DOWN).")
		j.same("the way there", fmt.Sprint(names(n.Proof.Path)), "[orders-db-primary orders orders-api checkout-api Checkout]")
	}
	for _, n := range a.CI.Impact.Services.Nodes {
		if n.CI.Name == "Checkout" {
			j.same("distance", n.Distance, 4)
			if len(n.CI.Owners) == 0 {
				j.t.Error("nobody owns Checkout")
			}
		}
	}
	return a.CI.ID
}

func names(cis []ciName) (all []string) {
	for _, c := range cis {
		all = append(all, c.Name)
	}
	return all
}

func (j journey) openAnIncident(ci string) {
	j.t.Helper()
	var a struct {
		Open struct {
			Incident struct {
				Number, State        string
				Priority             int
				AvailableTransitions []struct{ To string }
				AffectedServices     affectedList
			}
			UserErrors userErrors
		} `json:"openIncident"`
	}
	j.ask(&a, strings.Replace(openIncident, "ci_…", ci, 1))
	i := a.Open.Incident
	j.same("incident", fmt.Sprint(i.Number, i.State, i.Priority, i.AvailableTransitions, a.Open.UserErrors), "INC0000003NEW1 [{IN_PROGRESS} {ON_HOLD} {RESOLVED} {CANCELED}] []")
	j.same("services affected", sentences(i.AffectedServices), brokenServices)
}

func (j journey) draftAChange(ci string) {
	j.t.Helper()
	var a struct {
		Draft struct {
			Change struct {
				Number, State string
				Impact        impactAnswer
			}
			UserErrors userErrors
		} `json:"draftChange"`
	}
	j.ask(&a, strings.Replace(draftChange, "ci_…", ci, 1))
	j.same("change", fmt.Sprint(a.Draft.Change.Number, a.Draft.Change.State, a.Draft.UserErrors), "CHG0000004NEW[]")
	j.same("services of the change", sentences(a.Draft.Change.Impact.Services), brokenServices)
}

// seeThemLinked says that the change caused the incident, and follows the links from every side.
func (j journey) seeThemLinked(ci string) {
	j.t.Helper()
	var ids struct{ IncidentByNumber, ChangeByNumber struct{ ID string } }
	j.ask(&ids, `{ incidentByNumber(number: "INC0000003") { id } changeByNumber(number: "CHG0000004") { id } }`)
	var update struct {
		UpdateIncident struct {
			Incident   struct{ CausedByChange struct{ Number string } }
			UserErrors userErrors
		}
	}
	j.ask(&update, fmt.Sprintf(`mutation { updateIncident(input: {id: %q, causedByChange: %q}) { incident { causedByChange { number } } userErrors { code message } } }`, ids.IncidentByNumber.ID, ids.ChangeByNumber.ID))
	j.same("cause", fmt.Sprint(update.UpdateIncident), "{{{CHG0000004}} []}")
	type link struct {
		Role string
		CI   struct{ ID string }
	}
	var a struct {
		CI struct {
			OperationalState   string
			Incidents, Changes struct{ Nodes []struct{ Number string } }
		}
		IncidentByNumber struct{ CIs []link }
		ChangeByNumber   struct {
			Scope           []link
			CausedIncidents struct{ Nodes []struct{ Number string } }
		}
		Services struct {
			Nodes []struct{ OperationalState string }
		}
	}
	j.ask(&a, fmt.Sprintf(`{ ci(id: %q) { operationalState incidents { nodes { number } } changes { nodes { number } } }
		incidentByNumber(number: "INC0000003") { cis { role ci { id } } }
		changeByNumber(number: "CHG0000004") { scope { role ci { id } } causedIncidents { nodes { number } } }
		services(filter: {name: {eq: "Checkout"}}) { nodes { operationalState } } }`, ci))
	j.same("links", fmt.Sprint(a), fmt.Sprintf("{{DOWN {[{INC0000003}]} {[{CHG0000004}]}} {[{ROOT {%s}}]} {[{TAKEN_DOWN {%s}}] {[{INC0000003}]}} {[{DOWN}]}}", ci, ci))
	var journal struct {
		Journal struct {
			Nodes []struct{ Actor, Verb, Operation string }
		}
	}
	j.ask(&journal, `{ journal(last: 5) { nodes { actor verb operation } } }`)
	j.same("journal", fmt.Sprint(journal.Journal.Nodes), "[{dev incident.open CREATED} {dev incident.open CREATED} {dev change.draft CREATED} {dev change.draft CREATED} {dev incident.update UPDATED}]")
}

// importBackstage imports by another process while the server runs, and asks the question word for word.
func (j journey) importBackstage(database string) {
	j.t.Helper()
	dir := filepath.Join(fixture.Dir(j.t), "backstage")
	cmd := exec.CommandContext(j.t.Context(), "linchpin", "import", "backstage", "--database", database, filepath.Join(dir, "catalog-info.yaml"), filepath.Join(dir, "packages"))
	cmd.Env = homeless(j.t)
	if said, err := cmd.CombinedOutput(); err != nil {
		j.t.Fatalf("%v\n%s", err, said)
	}
	// No entity of the fixtures names artists-db, so at first nothing breaks without it.
	j.same("services without artists-db", sentences(j.artistsDatabase().Services), []string(nil))
	var ids struct{ Lookup, Database struct{ ID string } }
	j.ask(&ids, `{ lookup: ciByExternalId(source: "backstage", externalId: "component:default/artist-lookup") { id } database: ciByExternalId(source: "backstage", externalId: "resource:default/artists-db") { id } }`)
	var relate struct {
		RelateCIs struct{ UserErrors userErrors }
	}
	j.ask(&relate, fmt.Sprintf(`mutation { relateCIs(input: {type: "depends_on", source: %q, target: %q}) { userErrors { code message } } }`, ids.Lookup.ID, ids.Database.ID))
	j.same("user errors", len(relate.RelateCIs.UserErrors), 0)
	impact := j.artistsDatabase()
	j.same("services without artists-db", sentences(impact.Services), []string{"DOWN artist-lookup"})
	j.same("owner", impact.Services.Nodes[0].CI.Owners[0].Team.Name, "team-a")
	j.same("the way there", names(impact.Affected.Nodes[0].Proof.Path), []string{"artists-db", "artist-lookup"})
}

// artistsDatabase asks the question word for word. The graph hears of another process's writes a moment
// later, and says until then that the CI is not there.
func (j journey) artistsDatabase() impactAnswer {
	j.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		a, err := post(j.t.Context(), http.DefaultClient, j.server.url, whatBreaks, nil)
		if err != nil {
			j.t.Fatal(err)
		}
		if len(a.Errors) > 0 && a.Errors[0].Extensions.Code == "NOT_FOUND" && time.Now().Before(deadline) {
			continue
		}
		var data struct {
			CI *struct {
				Name   string
				Class  struct{ Code string }
				Impact impactAnswer
			} `json:"ciByExternalId"`
		}
		if err := json.Unmarshal(a.Data, &data); err != nil || len(a.Errors) > 0 || data.CI == nil {
			j.t.Fatalf("%v %+v %s", err, a.Errors, a.Data)
		}
		j.same("artists-db", data.CI.Name+" "+data.CI.Class.Code, "artists-db database")
		j.same("partial", data.CI.Impact.Completeness.IsPartial, false)
		return data.CI.Impact
	}
}

func TestStatementsDoNotGrowWithRows(t *testing.T) {
	onEach(t, func(t *testing.T, database string) {
		a, err := app.Open(t.Context(), database, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		if _, err := demo.Load(auth.With(t.Context(), auth.System), a.Store, a.Change, a.Incident, func(importer.Progress) {}); err != nil {
			t.Fatal(err)
		}
		handler, _, err := a.Handler(app.Serving{IsDev: true})
		if err != nil {
			t.Fatal(err)
		}
		wide := strings.Replace(tierOne, `filter: {tier: {in: ["tier-1"]}}`, `filter: {}`, 1)
		few, fewRows := statements(t, handler, strings.Replace(wide, "first: 20", "first: 5", 1))
		many, manyRows := statements(t, handler, strings.Replace(wide, "first: 20", "first: 50", 1))
		if fewRows != 5 || manyRows != 50 {
			t.Fatalf("%d and %d rows", fewRows, manyRows)
		}
		if len(few) != len(many) || len(many) > 10 {
			t.Errorf("%d statements for 5 services, %d for 50:\n%s", len(few), len(many), strings.Join(many, "\n"))
		}
	})
}

func statements(t *testing.T, handler http.Handler, query string) (all []string, rows int) {
	t.Helper()
	ctx, counted := store.CountStatements(t.Context())
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	var a struct {
		Data struct{ Services struct{ Nodes []any } }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	for _, s := range counted.All() {
		all = append(all, s.SQL)
	}
	return all, len(a.Data.Services.Nodes)
}
