package graph_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/fill"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
	"github.com/linchpin-cmdb/linchpin/internal/synthetic"
)

var weightsCIs = flag.Int("weights-cis", 100_000, "CIs of the estate on which weights are measured")

// weighed are operations that spend most of their time on the fields that they are named for, whose cost @cost states.
// Words in capitals are drawn anew for each time: CI, SERVICE, INCIDENT, CHANGE, TO (a CI), SEEN, several CIs that one
// failure affects, and PAST, a revision of the year.
var weighed = []struct{ fields, operation string }{
	{"records", `{ cis(first: 100) { nodes { name class { code } owner { name } } } }`},
	{"records of records", `{ cis(first: 30) { nodes { name relationships(first: 10) { nodes { type { code } target { name } } } } } }`},
	{"records, filtered", `{ cis(first: 100, filter: {environment: {eq: PRODUCTION}, name: {contains: "a"}}, orderBy: [{field: NAME}]) { nodes { name } } }`},
	{"ChangeFilter.awaitingMyVote", `{ changes(filter: {awaitingMyVote: true}) { totalCount } }`},
	{"StringFilter.contains", `{ cis(filter: {name: {contains: "zq"}}) { totalCount } }`},
	{"StringFilter.startsWith", `{ cis(filter: {name: {startsWith: "zq"}}) { totalCount } }`},
	{"LabelFilter.name", `{ cis(filter: {labels: [{name: "zq", eq: "zq"}]}) { totalCount } }`},
	{"AttributeFilter.path", `{ cis(filter: {attributes: [{path: "cpuCores", gte: 1000}]}) { totalCount } }`},
	{"_Service.sdl", `{ _service { sdl } }`},
	{"Query.search", `{ search(query: "db", first: 20) { nodes { name } } }`},
	{"Query.searchRecords", `{ searchRecords(query: "db", first: 20) { nodes { __typename } } }`},
	{"a search for a part", `{ searchRecords(query: "aymen", first: 20) { nodes { __typename } } }`},
	{"a search for what is mistyped", `{ searchRecords(query: "pyaments srevice", first: 20) { nodes { __typename } } }`},
	{"Query.impact", `{ impact(failed: [{id: "CI"}]) { counts { downCount } affected(first: 1) { totalCount } } }`},
	{"CI.impact", `{ ci(id: "CI") { impact { counts { downCount } affected(first: 1) { totalCount } } } }`},
	{"asOf", `{ ci(id: "CI") { impact(asOf: {revision: PAST}) { counts { downCount } affected(first: 1) { totalCount } } } }`},
	{"Service.impact", `{ service(id: "SERVICE") { impact { counts { downCount } affected(first: 1) { totalCount } } } }`},
	{"Incident.impact", `{ incident(id: "INCIDENT") { impact { counts { downCount } affected(first: 1) { totalCount } } } }`},
	{"Change.impact", `{ change(id: "CHANGE") { impact { counts { downCount } affected(first: 1) { totalCount } } } }`},
	{"Query.whatIf", `{ whatIf(overlay: {failed: [{id: "CI"}], removed: ["TO"]}) { counts { downCount } affected(first: 1) { totalCount } } }`},
	{"AffectedCI.togetherWith", `{ incident(id: "INCIDENT") { affectedServices(first: 20) { nodes { togetherWith { __typename } } } } }`},
	{"CI.stateCauses", `{ ci(id: "CI") { stateCauses { isMinimal } } }`},
	{"Service.stateCauses", `{ service(id: "SERVICE") { stateCauses { isMinimal } } }`},
	{"Query.path", `{ path(from: "CI", to: "TO") { cis { name } } }`},
	{"Query.paths", `{ paths(from: "CI", to: "TO") { cis { name } } }`},
	{"CI.dependencies", `{ ci(id: "CI") { dependencies { needs(first: 1) { totalCount } } } }`},
	{"Service.dependencies", `{ service(id: "SERVICE") { dependencies { needs(first: 1) { totalCount } } } }`},
	{"Query.singlePointsOfFailure", `{ singlePointsOfFailure(first: 1) { totalCount nodes { cisDownCount } } }`},
	{"CI.singlePointsOfFailure", `{ ci(id: "CI") { singlePointsOfFailure(first: 1) { totalCount } } }`},
	{"Service.singlePointsOfFailure", `{ service(id: "SERVICE") { singlePointsOfFailure(first: 1) { totalCount } } }`},
	{"Incident.singlePointsOfFailure", `{ incident(id: "INCIDENT") { singlePointsOfFailure(first: 1) { totalCount } } }`},
	{"Query.commonCauses", `{ commonCauses(first: 1) { totalCount } }`},
	{"CI.commonCauses", `{ ci(id: "CI") { commonCauses(first: 1) { totalCount } } }`},
	{"Service.commonCauses", `{ service(id: "SERVICE") { commonCauses(first: 1) { totalCount } } }`},
	{"Query.rootCauseCandidates", `{ rootCauseCandidates(seen: [SEEN]) { nodes { share } } }`},
	{"Incident.rootCauseCandidates", `{ incident(id: "INCIDENT") { rootCauseCandidates { nodes { share } } } }`},
	{"Query.suspectChanges", `{ suspectChanges(cis: ["CI"], at: "MOMENT") { nodes { points } } }`},
	{"Incident.suspectChanges", `{ incident(id: "INCIDENT") { suspectChanges { nodes { points } } } }`},
	{"Change.conflicts", `{ change(id: "CHANGE") { conflicts(first: 1) { totalCount } } }`},
	{"Change.conflictCount", `{ change(id: "CHANGE") { conflictCount } }`},
	{"Change.risk", `{ change(id: "CHANGE") { risk { score } } }`},
	{"Change.approvalRequirements", `{ change(id: "CHANGE") { approvalRequirements { isMet } } }`},
	{"Change.preview", `{ change(id: "CHANGE") { preview { impactAfter { counts { downCount } } singlePointsGained { serviceCount } redundancy { sparesAfter } } } }`},
	{"Query.changeCalendar", `{ changeCalendar(from: "BEGIN", to: "END", first: 1) { totalCount } }`},
	{"CIConnection.facets", `{ cis(first: 1) { facets(fields: [CLASS, LIFECYCLE, ENVIRONMENT, CRITICALITY, OWNER_TEAM, OPERATIONAL_STATE]) { field } } }`},
	{"ServiceConnection.facets", `{ services(first: 1) { facets(fields: [KIND, TIER, PORTFOLIO_STAGE, CATEGORY, LIFECYCLE, ENVIRONMENT, CRITICALITY, OWNER_TEAM, SUPPORT_TEAM, OPERATIONAL_STATE]) { field } } }`},
	{"IncidentConnection.facets", `{ incidents(first: 1) { facets(fields: [STATE, PRIORITY, URGENCY, CHANNEL, CATEGORY, ASSIGNMENT_TEAM, ASSIGNEE]) { field } } }`},
	{"ChangeConnection.facets", `{ changes(first: 1) { facets(fields: [STATE, TYPE, OUTCOME, ASSIGNMENT_TEAM, ASSIGNEE, TEMPLATE]) { field } } }`},
	{"CIFilter.operationalState", `{ cis(first: 20, filter: {operationalState: {in: [DOWN, DEGRADED]}}) { totalCount nodes { id } } }`},
	{"ServiceFilter.operationalState", `{ services(first: 20, filter: {operationalState: {eq: DOWN}}) { totalCount nodes { id } } }`},
	{"ServiceFilter.hasOpenIncidents", `{ services(first: 20, filter: {hasOpenIncidents: true}) { totalCount nodes { id } } }`},
	{"RelatedToFilter.ci", `{ cis(first: 20, filter: {relatedTo: {ci: "CI", type: {eq: "depends_on"}}}) { totalCount nodes { id } } }`},
	{"IncidentFilter.affectedService", `{ incidents(first: 20, filter: {affectedService: {eq: "SERVICE"}}) { totalCount nodes { id } } }`},
	{"ChangeFilter.service", `{ changes(first: 20, filter: {service: {eq: "SERVICE"}}) { totalCount nodes { id } } }`},
	{"ChangeFilter.riskLevel", `{ changes(first: 20, filter: {riskLevel: {eq: HIGH}, plannedStart: {gte: "2029-01-01T00:00:00Z"}}) { totalCount nodes { id } } }`},
	{"ChangeFilter.hasConflicts", `{ changes(first: 20, filter: {hasConflicts: true, plannedStart: {gte: "2029-01-01T00:00:00Z"}}) { totalCount nodes { id } } }`},
	{"services by tier", `{ services(first: 20, orderBy: {field: TIER}) { nodes { id } } }`},
	{"services by state", `{ services(first: 20, orderBy: {field: OPERATIONAL_STATE, direction: DESC}) { nodes { id } } }`},
	{"services by criticality", `{ services(first: 20, orderBy: {field: CRITICALITY}) { nodes { id } } }`},
	{"claims of records", `{ cis(first: 50) { nodes { claims { source isStale fields { field value isBelieved } } } } }`},
	{"Source.scopes", `{ sources { scopes { claimCount missingCount } } }`},
	{"Query.drift", `{ drift(kinds: [MISSING]) { nodes { kind } } }`},
	{"Query.kpis", `{ kpis(period: MONTH, from: "BEGIN", to: "END") { nodes { incidentsOpened incidentsResolved backlog } } }`},
	{"KPIGroup.TEAM", `{ kpis(period: MONTH, groupBy: TEAM, from: "BEGIN", to: "END", first: 1) { totalCount nodes { incidentsOpened } } }`},
	{"KPIGroup.SERVICE", `{ kpis(period: MONTH, groupBy: SERVICE, from: "BEGIN", to: "END", first: 1) { totalCount nodes { incidentsOpened } } }`},
	{"KPIGroup.CLASS", `{ kpis(period: MONTH, groupBy: CLASS, from: "BEGIN", to: "END", first: 1) { totalCount nodes { incidentsOpened } } }`},
	{"all key figures", `{ kpis(period: MONTH, from: "BEGIN", to: "END") { nodes { incidentsOpened incidentsResolved incidentsReopened incidentsBreached timeToAcknowledge { p90 } timeToResolve { p90 } backlog backlogAge { p90 }
		changesClosed changeSuccessRate changesThatCausedIncidents conflictsFound changesWithConflicts } } }`},
	{"KPI.timeToAcknowledge", `{ kpis(period: MONTH, from: "BEGIN", to: "END") { nodes { timeToAcknowledge { p90 } } } }`},
	{"KPI.timeToResolve", `{ kpis(period: MONTH, from: "BEGIN", to: "END") { nodes { timeToResolve { p90 } } } }`},
	{"KPI.backlogAge", `{ kpis(period: MONTH, from: "BEGIN", to: "END") { nodes { backlogAge { p90 } } } }`},
	{"all key figures, by class", `{ kpis(period: MONTH, groupBy: CLASS, from: "BEGIN", to: "END", first: 40) { nodes { incidentsOpened incidentsResolved incidentsReopened incidentsBreached timeToAcknowledge { p90 } timeToResolve { p90 } backlog backlogAge { p90 }
		changesClosed changesSuccessful changeSuccessRate changesThatCausedIncidents conflictsFound changesWithConflicts } } }`},
	{"ApplyOperationsInput.operations", `mutation { applyOperations(input: {operations: [` + strings.Repeat(`{createCI: {class: "server", name: "new"}}, `, 500) + `]}) { operations { recordId } userErrors { message } } }`},
	{"PlanChangeOperationsInput.operations", `mutation { planChangeOperations(input: {id: "CHANGE", operations: [` + strings.Repeat(`{createCI: {class: "server", name: "new"}}, `, 100) + `]}) { change { id } userErrors { message } } }`},
}

// weights returns the costs that the contract states for fields and arguments.
func weights() map[string]string {
	all := map[string]string{}
	for name, d := range contract().Types {
		for _, f := range d.Fields {
			for _, a := range f.Arguments {
				if cost := a.Directives.ForName("cost"); cost != nil {
					all[a.Name] = cost.Arguments.ForName("weight").Value.Raw
				}
			}
			if cost := f.Directives.ForName("cost"); cost != nil && !d.IsAbstractType() {
				all[name+"."+f.Name] = cost.Arguments.ForName("weight").Value.Raw
			}
		}
	}
	return all
}

func TestEveryFieldWithAWeightIsWeighed(t *testing.T) {
	for field := range weights() {
		if !slices.ContainsFunc(weighed, func(w struct{ fields, operation string }) bool { return w.fields == field }) {
			t.Errorf("nothing measures %s, whose cost is stated", field)
		}
	}
}

var weightInTable = regexp.MustCompile("(?m)^\\| `([\\w.]+)` \\| (\\d+) \\|")

func TestTheTableOfWeightsSaysWhatTheContractSays(t *testing.T) {
	text, err := os.ReadFile("../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	table := map[string]string{}
	for _, row := range weightInTable.FindAllStringSubmatch(string(text), -1) {
		table[row[1]] = row[2]
	}
	if diff := cmp.Diff(weights(), table); diff != "" {
		t.Errorf("docs/benchmarks.md differs (- contract, + table):\n%s", diff)
	}
}

// BenchmarkWeights asks each operation about many records and reports the processor time that a unit of its cost takes,
// the database's included. Weights are right if the figures lie near each other, whatever the field. Before each round
// something is written, so that nothing is remembered from the one before.
func BenchmarkWeights(b *testing.B) {
	for _, open := range []struct {
		name string
		open func(testing.TB) *store.Store
	}{{"sqlite", storetest.SQLite}, {"postgres", storetest.Postgres}} {
		b.Run(open.name, func(b *testing.B) {
			e := weighing(b, open.open(b))
			for _, w := range weighed {
				b.Run(w.fields, func(b *testing.B) { e.weigh(b, w.operation) })
			}
		})
	}
}

// scales are an estate whose records are drawn for operations.
type scales struct {
	handler    http.Handler
	postmaster int // 0 where the database is this process
	r          *rand.Rand
	estate     *synthetic.Estate
	incidents  int
	changes    []string // still to be carried out, all at one time
	begin, end time.Time
	built      int64 // the revision in which the estate is there and tickets begin
	head       int64
}

func weighing(b *testing.B, s *store.Store) *scales {
	b.Helper()
	const seed = 7
	n, now := *weightsCIs, time.Now().UTC().Truncate(24*time.Hour)
	ctx := store.At(auth.With(b.Context(), auth.System), now)
	if err := cmdb.Seed(ctx, s); err != nil {
		b.Fatal(err)
	}
	done, err := fill.Database(ctx, s, fill.Plan{CIs: n, Seed: seed, Year: true}, nil)
	if err != nil {
		b.Fatal(err)
	}
	for _, statement := range []string{
		"INSERT INTO x_run (source, scope, kind, state, started_at, finished_at, is_complete, actor) VALUES ('test', '', 'FULL', 'APPLIED', $1, $1, true, 'test')",
		`INSERT INTO x_claim (source, key, scope, record, hash, body, first_run, changed_run, changed_at) SELECT 'test', CAST(id AS text), '', id, '',
			'{"ci": {"key": "x", "name": "x", "class": "server", "attributes": {"os": "Debian"}, "owners": [{"team": "t"}], "relationships": [{"type": "depends_on", "target": "y"}]}}', 1, 1, $1 FROM ci`,
	} {
		if _, err := s.Writer().ExecContext(ctx, statement, now); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := s.Writer().ExecContext(ctx, "ANALYZE"); err != nil {
		b.Fatal(err)
	}
	estate, err := synthetic.New(n, seed)
	if err != nil {
		b.Fatal(err)
	}
	e := &scales{handler: serverOver(b, s), r: rand.New(rand.NewPCG(seed, 1)), estate: estate, incidents: done.Incidents, begin: now.AddDate(-1, 0, 0), end: now}
	if s.IsPostgres() {
		e.postmaster = postmasterOf(b, s)
	}
	const board = `mutation { createApprovalPolicy(input: {name: "board", riskAbove: 30}) { userErrors { message } } }`
	if answer := e.ask(b, board); answer.failed != "" {
		b.Fatal(answer.failed)
	}
	for i := range 20 {
		operation := fmt.Sprintf(`mutation { draftChange(input: {type: NORMAL, title: "change %d", plannedStart: "2030-01-01T00:00:00Z", plannedEnd: "2030-01-01T04:00:00Z",
			scope: [{id: "CI", role: TAKEN_DOWN}, {id: "TO", role: CHANGED}]}) { change { id } userErrors { message } } }`, i)
		id, _ := at(e.ask(b, e.draw(operation)).data, "draftChange.change.id").(string)
		e.changes = append(e.changes, id)
		planned := fmt.Sprintf(`mutation { planChangeOperations(input: {id: %q, operations: [{retireCI: "CI"}, {updateCI: {id: "TO", description: "x"}}]}) { userErrors { message } } }`, id)
		if answer := e.ask(b, e.draw(planned)); id == "" || answer.failed != "" {
			b.Fatalf("%s: %+v", planned, answer)
		}
	}
	if e.head, err = s.Revision(ctx); err != nil {
		b.Fatal(err)
	}
	ticket := s.Read.Entry.Query().Where(entry.SubjectIDGTE(ident.New(ident.Change, 0)), entry.SubjectIDLT(ident.New(ident.Change+1, 0))).Order(entry.ByID())
	e.built = ticket.FirstX(ctx).Revision
	return e
}

// draw returns an operation with records drawn at random.
func (e *scales) draw(operation string) string {
	ci := func() int64 { return 1 + e.r.Int64N(int64(len(e.estate.CIs))) }
	service := ci()
	for e.estate.CIs[service-1].ServiceKind() == "" {
		service = ci()
	}
	change := ""
	if len(e.changes) > 0 {
		change = e.changes[e.r.IntN(len(e.changes))]
	}
	var seen []string
	if strings.Contains(operation, "SEEN") { // some of what leads to one CI
		cause := e.estate.Relationships[e.r.IntN(len(e.estate.Relationships))].Target
		for _, l := range e.estate.Relationships {
			if id := fmt.Sprintf(`{id: %q}`, ident.New(ident.CI, 1+int64(l.Source))); l.Target == cause && len(seen) < 6 && !slices.Contains(seen, id) {
				seen = append(seen, id)
			}
		}
	}
	moment := e.begin.Add(time.Duration(e.r.Int64N(int64(e.end.Sub(e.begin)))))
	return strings.NewReplacer(
		`"CI"`, fmt.Sprintf("%q", ident.New(ident.CI, ci())), `"TO"`, fmt.Sprintf("%q", ident.New(ident.CI, ci())),
		`"SERVICE"`, fmt.Sprintf("%q", ident.New(ident.Service, service)), `"INCIDENT"`, fmt.Sprintf("%q", ident.New(ident.Incident, 1+e.r.Int64N(int64(e.incidents)))),
		`"CHANGE"`, fmt.Sprintf("%q", change), "SEEN", strings.Join(seen, ", "), "MOMENT", moment.Format(time.RFC3339),
		"PAST", fmt.Sprint(e.built+e.r.Int64N(e.head-e.built+1)),
		"BEGIN", e.begin.Format(time.RFC3339), "END", e.end.Format(time.RFC3339),
	).Replace(operation)
}

// weighedAnswer is the answer of an operation, and its cost as the product states it.
type weighedAnswer struct {
	data   any
	failed string
	cost   int
}

func (e *scales) ask(b *testing.B, operation string) (a weighedAnswer) {
	b.Helper()
	body, err := json.Marshal(map[string]string{"query": operation})
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Linchpin-Cost", "1")
	w := httptest.NewRecorder()
	e.handler.ServeHTTP(w, r)
	var answer struct {
		Data       any
		Errors     []any
		Extensions struct{ Cost struct{ Cost int } }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		b.Fatalf("%v: %s", err, w.Body)
	}
	if text := w.Body.String(); len(answer.Errors) > 0 || strings.Contains(text, `"message":`) {
		a.failed = text
	}
	a.data, a.cost = answer.Data, answer.Extensions.Cost.Cost
	return a
}

const drawn = 20 // records a round

func (e *scales) weigh(b *testing.B, operation string) {
	draws := drawn
	if one, other := e.draw(operation), e.draw(operation); one == other {
		draws = 1 // about the whole estate
	}
	var spent time.Duration
	asked, cost, revision := 0, 0, 0
	for b.Loop() {
		if answer := e.ask(b, fmt.Sprintf(`mutation { createTeam(input: {name: "%s %d %d"}) { userErrors { message } } }`, b.Name(), b.N, revision)); answer.failed != "" {
			b.Fatal(answer.failed)
		}
		revision++
		operations := make([]string, draws)
		for i := range operations {
			operations[i] = e.draw(operation)
		}
		began := e.spent(b)
		for _, o := range operations {
			answer := e.ask(b, o)
			if answer.failed != "" {
				b.Fatalf("%s: %s", o, answer.failed)
			}
			cost += answer.cost
		}
		spent += e.spent(b) - began
		asked += draws
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(spent.Microseconds())/float64(asked), "cpu-µs/operation")
	b.ReportMetric(float64(cost)/float64(asked), "cost/operation")
	b.ReportMetric(float64(spent.Microseconds())/float64(max(cost, 1)), "cpu-µs/cost")
}

// spent returns the processor time of the server and its database.
func (e *scales) spent(b *testing.B) time.Duration {
	all := own(b)
	if e.postmaster > 0 {
		all += spentBy(e.postmaster)
	}
	return all
}
