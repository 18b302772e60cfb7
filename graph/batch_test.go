package graph_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// nestedOperations ask for something of every row of a list. HUB, TEAM, CHANGE and INCIDENT stand for ids, PAGE for a
// large page.
var nestedOperations = map[string]string{
	"cis": `{ cis PAGE { nodes { class { code parent { code } attributeSchema } owner { name } owners { team { name parent { name } } person { name } }
		externalIdentities { source } dependencyGroups { members { relationship { source { name } } } ci { name } } danglingReferences { record { id } }
		service { tier { code } supportTeam { name } } operationalState } } }`,
	"relationships": `{ cis PAGE { nodes { relationships(first: 3) { totalCount nodes { type { code } strength source { name } target { name class { code } } history(first: 2) { nodes { id } } } }
		outgoing: relationships(first: 3, direction: OUTGOING) { nodes { target { name } } } } } }`,
	"records": `{ cis PAGE { nodes { incidents(first: 3) { totalCount nodes { number caller { name } assignmentTeam { name } cis { ci { name } } suggestedImpactLevel availableTransitions { to } } }
		open: incidents(first: 3, filter: {isOpen: true}) { totalCount } changes(first: 3) { nodes { number scope { ci { name } } approvals { approver } } }
		history(first: 3) { totalCount nodes { record { id } } } versions(first: 3) { nodes { record } } } } }`,
	"impact": `{ cis PAGE { nodes { impact { counts { byClass { class { code } count } byTier { tier { code } } byEnvironment { count } }
		affected(first: 3, classes: ["server"]) { totalCount nodes { ci { name owner { name } } proof { summary path { name } causes { ci { name } relationship { id } proof { summary } } } } }
		services(first: 3) { nodes { service { tier { code } } } } on(id: "HUB") { ci { name } } subgraph { relationships { source { name } } } } } } }`,
	"dependencies": `{ cis PAGE { nodes { dependencies { needs(first: 3, classes: ["server"]) { totalCount nodes { ci { name class { code } } } } } } } }`,
	"services":     `{ services PAGE { nodes { ci { name owners { name } } tier { code } supportTeam { members { nodes { name } } } } } }`,
	"incidents": `{ incidents PAGE { nodes { parent { number } children(first: 2) { totalCount nodes { number } } open: children(first: 2, filter: {isOpen: true}) { totalCount nodes { number } } causedByChange { number } timeline(first: 2) { nodes { body } }
		impact { affected(first: 2) { nodes { ci { name } } } } affectedServices(first: 2) { nodes { ci { name } } } impactAtOpening { serviceCount services { ci { name } } } impactDifference { affectedCountChange services { name from to ci { name } } }
		assignee { teams { name } } externalIdentities { source } history(first: 2) { nodes { verb } } suggestedImpactReason } } }`,
	"changes": `{ changes PAGE { nodes { requester { name } assignmentTeam { name } scope { ci { name } } impact { services(first: 2) { nodes { ci { name } } } }
		template { name classes { code parent { code } } calendar { name } operations { ci { name } } }
		approvalRequirements { needed given isMet candidates summary policy { name team { name members { nodes { name } } } } }
		causedIncidents(first: 2) { nodes { number } } timeline(first: 2) { nodes { body } } history(first: 2) { nodes { id } } } } }`,
	"operations": `{ changes PAGE { nodes { appliedRevision undoes { number } undoneBy { number } operations { kind ci { name } relationship { id } dependencyGroup { name } fields { field } }
		preview { revision conflicts { summary entry { actor } } impactBefore { services(first: 2) { nodes { ci { name } } } } impactAfter { services(first: 2) { nodes { ci { name } } } }
		singlePointsGained { ci { name } services { name } } singlePointsLost { ci { name } } redundancy { ci { name } dependencyGroup { name } services { name } } } } } }`,
	"conflicts": `{ changes PAGE { nodes { conflictCount conflicts(first: 30) { totalCount nodes { kind fields record { id } otherChange { number } window { name } assignee { name } ci { name } otherCI { name }
		path { cis { name } relationships { id } } otherPath { cis { name } } group { name } services { ci { name } } } } } } }`,
	"risks":    `{ riskWeights { factor most } changes PAGE { nodes { risk { score factors { points sentence ciCount cis { name } paths { cis { name } relationships { id } } changes { number } } } } } }`,
	"suspects": `{ incidents PAGE { nodes { suspectChanges(first: 5) { nodes { points reasons { kind sentence } change { number } ci { name } symptom { name } path { cis { name } } } } } } }`,
	"windows":  `{ changeWindows PAGE { nodes { cis { name } classes { code } occurrences(from: "2027-01-10T00:00:00Z", to: "2027-01-11T00:00:00Z") { startsAt } history(first: 2) { nodes { id } } } } }`,
	"calendar": `{ changeCalendar(from: "2027-01-10T22:00:00Z", to: "2027-01-11T00:00:00Z", filter: {service: "HUB"}, first: 100) { nodes { change { number } window { name } } } }`,
	"people":   `{ people PAGE { nodes { teams { name } externalIdentities { source } } } teams PAGE { nodes { parent { name } children { name } members { nodes { name } } owns(first: 3) { totalCount nodes { name } } } } }`,
	"journal":  `{ journal PAGE { nodes { record { id ... on CI { name class { code } owner { name } } ... on Incident { cis { ci { name } } } ... on Relationship { source { name } } } } } }`,
	"search":   `{ search(query: "row", first: 100) { nodes { name owner { name } incidents(first: 2) { totalCount } } } }`,
	"search of records": `{ searchRecords(query: "row", first: 100) { edges { score node { ... on CI { name owner { name } } ... on Service { name tier { code } } ... on Incident { number caller { name } } ... on Change { number scope { ci { name } } }
		... on Team { name members { nodes { name } } } ... on Person { name teams { name } } } } } parts: searchRecords(query: "wow ro") { nodes { __typename } } mistyped: searchRecords(query: "twinn twnis") { nodes { __typename } } }`,
	"dangling": `{ danglingReferences PAGE { nodes { record { ... on CI { name owner { name } } } } } }`,
	"reference": `{ ciClasses PAGE { nodes { parent { code } attributeSchema } } relationshipTypes PAGE { nodes { code allowedPairs { source } } }
		serviceTiers { code } changeTemplates PAGE { nodes { name classes { code } calendar { name } operations { kind isRestricted ci { name } relationship { id } dependencyGroup { name } fields { field } } } } approvalPolicies PAGE { nodes { name team { name } } } }`,
	"service levels": `{ incidents PAGE { nodes { timeToAcknowledge timeToResolve serviceLevels { state dueAt elapsed remaining marks { percent at isReached } stoppedAt
		target { name duration calendar { name hours { weekday } holidays { date } } services { ci { name } } } } } }
		services PAGE { nodes { serviceLevelTargets { name } } } calendars PAGE { nodes { name } } breached: incidents(filter: {isBreached: true}, first: 3) { nodes { number } } }`,
	"resolving": `mutation { resolveIncident(input: {id: "INCIDENT", code: FIXED, notes: "NOW", withChildren: false}) { incident { number }
		resolvedChildren { number } openChildren PAGE { totalCount nodes { caller { name } impactDifference { services { ci { name } } } } } userErrors { message } } }`,
	"sources": `{ sources { code isDescribed fieldPriorities { field } keySpaces scopes { name claimCount missingCount lastCompleteAt } } }`,
	"runs": `{ importRuns PAGE { nodes { id figures { kind plannedCount } rows(first: 3) { totalCount nodes { kind outcome origin ci { name class { code } owner { name } } changes { field before after } } }
		created: rows(outcome: CREATE, first: 2) { nodes { key } } } } }`,
	"claims":             `{ cis PAGE { nodes { claims { source key isStale fields { field value isBelieved isLocked } } } } }`,
	"drift":              `{ drift(first: 100) { pageInfo { endCursor } nodes { kind summary standing said ci { name class { code } owner { name } } } } }`,
	"drift of a service": `{ drift(first: 100, service: "HUB", ownerTeam: "TEAM", class: "server", source: "test") { nodes { kind ci { name } } } }`,
	"kpis": `{ kpis(period: DAY, from: "2027-01-01T00:00:00Z", to: "2027-02-01T00:00:00Z", groupBy: SERVICE, first: 100) { totalCount nodes { start end service { ci { name } } incidentsOpened incidentsResolved incidentsReopened
		incidentsBreached timeToAcknowledge { p50 } timeToResolve { p50 mean } backlog backlogAge { mean } changesClosed changesSuccessful changeSuccessRate changesThatCausedIncidents conflictsFound changesWithConflicts } }
		classes: kpis(period: MONTH, from: "2027-01-01T00:00:00Z", to: "2027-02-01T00:00:00Z", groupBy: CLASS) { nodes { ciClass { code } incidentsOpened backlog changesClosed } } }`,
	"mutation": `mutation { updateCI(input: {id: "HUB", description: "NOW"}) { ci { name owners { team { name } } relationships PAGE { nodes { source { name owner { name } } target { name } } }
		incidents PAGE { nodes { cis { ci { name } } } } } userErrors { message } } }`,
}

// fill puts pages of a size and ids into an operation.
func (e *estate) fill(operation string, size int) string {
	return strings.NewReplacer("PAGE", fmt.Sprintf("(first: %d)", size), "HUB", e.hub.String(), "TEAM", e.team.String(), "INCIDENT", e.incidents[0].String(),
		"CHANGE", e.changes[0].String(), "NOW", time.Now().String(), "REVISION", fmt.Sprint(e.revision)).Replace(operation)
}

func TestStatementsDoNotGrowWithRows(t *testing.T) {
	// The journal of a small estate has not all kinds of records on its first page; three rows have.
	small, large := newEstate(t, storetest.SQLite(t), 4), newEstate(t, storetest.SQLite(t), 25)
	for name, operation := range nestedOperations {
		t.Run(name, func(t *testing.T) {
			few, little := ask(t, small, small.fill(operation, 100), nil, "")
			many, much := ask(t, large, large.fill(operation, 100), nil, "")
			if firstCode(few) != "" || firstCode(many) != "" {
				t.Fatal(few, many)
			}
			if len(much) > len(little) {
				t.Errorf("%d statements for few rows, %d for many:\n%s", len(little), len(much), join(much))
			}
		})
	}
}

// TestTheRecordsThatAMutationAnswersLoadTogether checks that the records that a verb wrote one by one load together for
// the answer.
func TestTheRecordsThatAMutationAnswersLoadTogether(t *testing.T) {
	const resolve = `mutation { resolveIncident(input: {id: "INCIDENT", code: FIXED, notes: "Replaced", withChildren: true}) { resolvedChildren { %s } userErrors { message } } }`
	const nested = `id parent { number } caller { name } assignmentTeam { name } causedByChange { number scope { ci { name } } } cis { ci { name class { code } owner { name } } }
		timeline(first: 2) { nodes { body } } history(first: 2) { nodes { verb } }`
	statements := func(rows int, selected string) int {
		e := newEstate(t, storetest.SQLite(t), rows)
		got, all := ask(t, e, e.fill(fmt.Sprintf(resolve, selected), 100), nil, "")
		if text, _ := json.Marshal(got); strings.Count(string(text), `"id"`) != rows-1 {
			t.Fatalf("not all %d children were resolved: %s", rows-1, text)
		}
		return len(all)
	}
	few, many := statements(4, nested)-statements(4, "id"), statements(25, nested)-statements(25, "id")
	if few <= 0 || many > few {
		t.Errorf("what is selected of the children took %d statements for 3 of them, %d for 24", few, many)
	}
}

// events are what subscriptions ask for of all that one write touched.
var events = map[string]string{
	"ciChanged": `cis { name class { code } owner { name } owners { team { name } } externalIdentities { source } service { tier { code } } incidents(first: 2) { nodes { number } }
		operationalState } entries { record { id } }`,
	"incidentChanged": `incidents { number caller { name } cis { ci { name owner { name } } } parent { number } timeline(first: 2) { nodes { body } } } entries { record { id } }`,
	"changeChanged":   `changes { number requester { name } scope { ci { name class { code } } } approvals { approver } template { name } } entries { record { id } }`,
	"journal":         `entries { recordId record { ... on CI { name owner { name } } ... on Incident { caller { name } } ... on Change { scope { ci { name } } } } }`,
}

// event returns the first event of a subscription, and the statements that it took.
func event(t *testing.T, handler http.Handler, subscription string) (told, []store.Statement) {
	t.Helper()
	counted := make(chan *store.Statements, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, statements := store.CountStatements(r.Context())
		counted <- statements
		handler.ServeHTTP(w, r.WithContext(ctx))
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel() // before the server closes, which waits for open answers
	return next(t, subscribe(ctx, t, server.URL, subscription)), (<-counted).All()
}

// TestAnEventOfManyRecordsLoadsThemTogether checks that one write is one event, however many records it touched.
func TestAnEventOfManyRecordsLoadsThemTogether(t *testing.T) {
	count := func(rows int) map[string]int {
		e := newEstate(t, storetest.SQLite(t), rows)
		e.write(t, 0, func(ctx context.Context, tx *store.Tx) error {
			for i, id := range e.cis {
				if err := errors.Join(tx.CI.UpdateOneID(id).SetDescription("written again").Exec(ctx),
					tx.Incident.UpdateOneID(e.incidents[i]).SetTitle("written again").Exec(ctx),
					tx.Change.UpdateOneID(e.changes[i]).SetTitle("written again").Exec(ctx)); err != nil {
					return err
				}
			}
			return nil
		})
		before := e.s.Read.Head.Query().OnlyX(t.Context()).Revision - 1
		took := map[string]int{}
		for name, selected := range events {
			one, statements := event(t, e, fmt.Sprintf(`subscription { %s(after: %d) { revision %s } }`, name, before, selected))
			took[name] = len(statements)
			if n := strings.Count(one.data, `"record":`); one.revision != before+1 || n < rows || strings.Contains(one.data, `"errors"`) {
				t.Fatalf("%s: revision %d with %d records, not %d with %d: %.500s", name, one.revision, n, before+1, rows, one.data)
			}
		}
		return took
	}
	few, many := count(4), count(25)
	for name := range few {
		if few[name] == 0 || many[name] > few[name] {
			t.Errorf("%s took %d statements for 4 records of each kind, %d for 25", name, few[name], many[name])
		}
	}
}

func TestAliasesAndRepeatedRecordsEachGetTheirOwn(t *testing.T) {
	onEstates(t, 5, func(t *testing.T, e *estate) {
		ci, service := e.cis[1], strings.Replace(e.cis[1].String(), "ci_", "svc_", 1)
		got, _ := ask(t, e, fmt.Sprintf(`{ nodes(ids: [%q, %q, %q, %q, "ci_zzz", %q]) { id
			... on CI { name a: incidents(first: 1) { totalCount nodes { id } } b: incidents(first: 2, orderBy: [{field: CREATED_AT}]) { nodes { id } } c: relationships(direction: OUTGOING) { totalCount } d: relationships { totalCount } }
			... on Service { ci { id incidents(first: 1) { totalCount } } } ... on Team { name } } }`, ci, service, e.hub, ci, e.team), nil, "")
		text, _ := json.Marshal(got)
		one := fmt.Sprintf(`{"a":{"nodes":[{"id":"%[2]s"}],"totalCount":1},"b":{"nodes":[{"id":"%[2]s"}]},"c":{"totalCount":1},"d":{"totalCount":2},"id":"%[1]s","name":"twin 1"}`, ci, e.incidents[1])
		hub := fmt.Sprintf(`{"a":{"nodes":[{"id":"%s"}],"totalCount":5},"b":{"nodes":[{"id":"%s"},{"id":"%s"}]},"c":{"totalCount":5},"d":{"totalCount":9},"id":"%s","name":"twin 0"}`,
			e.incidents[4], e.incidents[0], e.incidents[1], e.hub)
		want := fmt.Sprintf(`{"data":{"nodes":[%s,{"ci":{"id":%q,"incidents":{"totalCount":1}},"id":%q},%s,%s,null,{"id":%q,"name":"team"}]}}`, one, ci, service, hub, one, e.team)
		if string(text) != want {
			t.Errorf("got  %s\nwant %s", text, want)
		}
	})
}

func TestAHungUpRequestEndsForEveryField(t *testing.T) {
	onEstates(t, 10, func(t *testing.T, e *estate) {
		for after := range 20 {
			ctx, cancel := context.WithCancel(t.Context())
			body, _ := json.Marshal(map[string]string{"query": e.fill(nestedOperations["records"], 100)})
			r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", strings.NewReader(string(body)))
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			stop := time.AfterFunc(time.Duration(after)*time.Millisecond, cancel)
			e.ServeHTTP(w, r)
			stop.Stop()
			cancel()
			for _, leak := range []string{"INTERNAL", "sql", "SELECT", "pq:"} {
				if strings.Contains(w.Body.String(), leak) {
					t.Fatalf("after %d ms: %.300s", after, w.Body)
				}
			}
		}
	})
}
