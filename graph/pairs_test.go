package graph_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

var pairRows = flag.Int("pair-rows", 10_000, "how many rows each list has whose filters are tried two by two")

// narrow are values by which a filter keeps few of the rows of populous, by the list and the field. Of the fields that
// are not here every value is usual.
var narrow = map[string]map[string]string{
	"cis": {
		"name": `{eq: "row 77"}`, "class": `{eq: "database"}`, "ids": `["CI77", "CI78"]`, "source": `{eq: "scan"}`, "operationalState": `{eq: DOWN}`, "isInMaintenance": `true`,
		"ownerTeam": `{eq: "TEAM"}`, "ownerPerson": `{eq: "PERSON"}`, "relatedTo": `[{ci: "CI5", type: {eq: "depends_on"}}]`, "labels": `[{name: "row", in: ["7", "8"]}]`,
		"attributes": `[{path: "row", eq: 7}]`, "createdAt": `{gte: "LATE"}`, "updatedAt": `{gte: "LATE"}`,
	},
	"services": {
		"name": `{eq: "row 70"}`, "tier": `{eq: "tier-4"}`, "operationalState": `{eq: DOWN}`, "isInMaintenance": `true`, "hasOpenIncidents": `true`, "category": `{eq: "category 7"}`,
		"ownerTeam": `{eq: "TEAM"}`, "ownerPerson": `{eq: "PERSON"}`, "supportTeam": `{eq: "TEAM"}`, "labels": `[{name: "row", in: ["70", "80"]}]`, "updatedAt": `{gte: "LATE"}`,
	},
	"incidents": {
		"isOpen": `true`, "number": `{eq: "INC0001077"}`, "state": `{eq: IN_PROGRESS}`, "title": `{eq: "row 77"}`, "problem": `{eq: "PRB7"}`, "category": `{eq: "category 7"}`,
		"assignmentTeam": `{eq: "TEAM"}`, "assignee": `{eq: "PERSON"}`, "caller": `{eq: "PERSON"}`, "parent": `{eq: "INC5"}`, "causedByChange": `{eq: "CHG5"}`, "affectedService": `{eq: "CI5"}`,
		"ci": `{eq: "CI77"}`, "isMajor": `true`, "createdAt": `{gte: "LATE"}`, "resolvedAt": `{gte: "LATE"}`, "updatedAt": `{gte: "LATE"}`, "isBreached": `true`,
	},
	"changes": {
		"isOpen": `true`, "number": `{eq: "CHG0001077"}`, "state": `{eq: SCHEDULED}`, "title": `{eq: "row 77"}`, "outcome": `{eq: BACKED_OUT}`, "requestedBy": `{eq: "actor 7"}`, "requester": `{eq: "PERSON"}`,
		"template": `{eq: "TPL7"}`, "assignmentTeam": `{eq: "TEAM"}`, "assignee": `{eq: "PERSON"}`, "ci": `{eq: "CI77"}`, "service": `{eq: "CI77"}`, "plannedStart": `{gte: "LATE"}`,
		"plannedEnd": `{gte: "LATE"}`, "createdAt": `{gte: "LATE"}`, "updatedAt": `{gte: "LATE"}`, "riskLevel": `{eq: HIGH}`, "hasConflicts": `true`,
	},
}

// usual are values that most rows have, or a good part of them.
var usual = map[string]map[string]string{
	"cis":       {"lifecycle": `{eq: LIVE}`, "environment": `{eq: PRODUCTION}`, "criticality": `{eq: MEDIUM}`, "visibility": `{eq: EVERYONE}`},
	"services":  {"kind": `{eq: APPLICATION_SERVICE}`, "portfolioStage": `{eq: CATALOG}`, "lifecycle": `{eq: LIVE}`, "environment": `{eq: PRODUCTION}`, "criticality": `{eq: MEDIUM}`},
	"incidents": {"priority": `{eq: 2}`, "urgency": `{eq: 2}`, "channel": `{eq: PORTAL}`},
	"changes":   {"type": `{eq: NORMAL}`},
}

// populous returns an estate with as many rows in each of the large lists, written without a journal.
func populous(t testing.TB, s *store.Store, rows int) *estate {
	t.Helper()
	e := newEstate(t, s, 4)
	cast := func(text string) string { return text }
	yes, no := "1", "0"
	if s.IsPostgres() {
		cast = func(text string) string { return "(" + text + ")::jsonb" }
		yes, no = "true", "false"
	}
	one := func(k ident.Kind) string { return fmt.Sprint(k.First() + firstCrowd) }
	id := func(k ident.Kind, of string) string { return one(k) + " + " + of }
	from := fmt.Sprintf(" FROM (WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT i FROM n) AS n", rows-1)
	some := func(n int) string {
		return fmt.Sprintf(" FROM (WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT i FROM n) AS n", n-1)
	}
	const early = "'2027-01-10 22:00:00+00:00'"
	late := "CASE WHEN i % 500 = 3 THEN '2027-03-01 00:00:00+00:00' ELSE " + early + " END"
	if s.IsPostgres() {
		late = "(" + late + ")::timestamptz"
	}
	database := "(SELECT id FROM ci_class WHERE code = 'database')"
	service := fmt.Sprint(int64(e.service))
	tiers := "(SELECT id FROM service_tier WHERE code = CASE WHEN i % 300 = 0 THEN 'tier-4' ELSE 'tier-2' END)"
	for _, statement := range []string{
		"INSERT INTO team (id, name, description, email, version, created_at, updated_at) SELECT " + id(ident.Team, "i") + ", 'crowd ' || i, '', '', 1, " + early + ", " + early + some(200),
		"INSERT INTO person (id, name, email, version, created_at, updated_at) SELECT " + id(ident.Person, "i") + ", 'crowd ' || i, '', 1, " + early + ", " + early + some(500),
		"INSERT INTO change_template (id, name, description, classes, may_take_down, operations, plan, backout_plan, test_plan, version, created_at, updated_at) SELECT " +
			id(ident.ChangeTemplate, "i") + ", 'crowd ' || i, '', " + cast("'[]'") + ", " + no + ", " + cast("'[]'") + ", '', '', '', 1, " + early + ", " + early + some(100),
		"INSERT INTO ci (id, name, description, lifecycle, environment, criticality, visibility, attributes, labels, category, service_kind, portfolio_stage, tier_id, support_team_id, version, created_at, updated_at, class_id) SELECT " +
			id(ident.CI, "i") + ", 'row ' || i, '', CASE WHEN i % 10 = 9 THEN 'RETIRED' ELSE 'LIVE' END, CASE WHEN i % 7 = 0 THEN 'STAGING' ELSE 'PRODUCTION' END, CASE WHEN i % 5 = 0 THEN 'HIGH' ELSE 'MEDIUM' END, 'EVERYONE', " +
			cast(`'{"row": ' || (i % 1000) || '}'`) + ", " + cast(`'{"row": "' || (i % 1000) || '"}'`) + ", CASE WHEN i % 10 = 0 THEN 'category ' || ((i / 10) % 200) ELSE '' END, CASE WHEN i % 10 = 0 THEN 'APPLICATION_SERVICE' END, " +
			"CASE WHEN i % 10 = 0 THEN 'CATALOG' END, CASE WHEN i % 10 = 0 THEN " + tiers + " END, CASE WHEN i % 10 = 0 THEN " + id(ident.Team, "(i / 10) % 200") + " END, 1, " + late + ", " + late +
			", CASE WHEN i % 10 = 0 THEN " + service + " WHEN i % 200 = 1 THEN " + database + fmt.Sprintf(" ELSE %d END", e.class) + from,
		"INSERT INTO owner (id, ci_id, team_id, role, is_primary) SELECT " + id(ident.Owner, "i") + ", " + id(ident.CI, "i") + ", " + id(ident.Team, "i % 200") + ", 'owner', " + yes + from,
		"INSERT INTO owner (id, ci_id, person_id, role, is_primary) SELECT " + id(ident.Owner, fmt.Sprint("i + ", rows)) + ", " + id(ident.CI, "i") + ", " + id(ident.Person, "i % 500") + ", 'expert', " + no + from,
		"INSERT INTO external_identity (id, record_id, source, external_id, created_at, is_event) SELECT " + id(ident.ExternalIdentity, "i") + ", " + id(ident.CI, "i") + ", CASE WHEN i % 200 = 5 THEN 'scan' ELSE 'bulk' END, 'key ' || i, " + early + ", " + no + from,
		"INSERT INTO relationship (id, attributes, reported_by, evidence, version, created_at, updated_at, type_id, source_id, target_id) SELECT " + id(ident.Relationship, "i") + ", " + cast("'{}'") + ", 'test', '', 1, " + early + ", " + early +
			fmt.Sprintf(", %d, ", e.dependsOn) + id(ident.CI, "i") + ", " + id(ident.CI, "i / 20") + from + " WHERE i / 20 <> i",
		"INSERT INTO change (id, title, type, state, requested_by, requester_id, assignee_id, assignment_team_id, template_id, planned_start, planned_end, outcome, version, created_at, updated_at) SELECT " + id(ident.Change, "i") + ", 'row ' || i, " +
			"CASE WHEN i % 9 = 0 THEN 'EMERGENCY' ELSE 'NORMAL' END, CASE WHEN i % 1000 = 8 THEN 'SCHEDULED' ELSE 'CLOSED' END, 'actor ' || (i % 300), " + id(ident.Person, "i % 500") + ", " + id(ident.Person, "i % 500") + ", " + id(ident.Team, "i % 200") + ", " +
			"CASE WHEN i % 50 = 0 THEN " + id(ident.ChangeTemplate, "(i / 50) % 100") + " END, " + late + ", " + late + ", CASE WHEN i % 1000 = 8 THEN NULL WHEN i % 400 = 1 THEN 'BACKED_OUT' ELSE 'SUCCESSFUL' END, 1, " + late + ", " + late + from,
		"INSERT INTO change_ci (id, change_id, ci_id, role) SELECT " + id(ident.ChangeCI, "i") + ", " + id(ident.Change, "i") + ", " + id(ident.CI, "i") + ", 'CHANGED'" + from,
		"INSERT INTO incident (id, title, state, impact, urgency, priority, category, channel, is_major, opened_by, problem, detected_at, resolved_at, caller_id, assignee_id, assignment_team_id, parent_id, caused_by_change_id, version, created_at, updated_at) SELECT " +
			id(ident.Incident, "i") + ", 'row ' || i, CASE WHEN i % 1000 = 8 THEN 'IN_PROGRESS' ELSE 'CLOSED' END, 1, 1 + i % 3, 1 + i % 5, 'category ' || (i % 300), CASE WHEN i % 6 = 0 THEN 'PHONE' ELSE 'PORTAL' END, CASE WHEN i % 700 = 2 THEN " + yes + " ELSE " + no + " END, 'test', " +
			"CASE WHEN i % 300 = 4 THEN 'PRB' || (i % 50) ELSE '' END, " + early + ", " + late + ", " + id(ident.Person, "i % 500") + ", " + id(ident.Person, "i % 500") + ", " + id(ident.Team, "i % 200") + ", CASE WHEN i % 100 = 7 THEN " + id(ident.Incident, "5") + " END, " +
			"CASE WHEN i % 100 = 7 THEN " + id(ident.Change, "5") + " END, 1, " + late + ", " + late + from,
		"INSERT INTO incident_ci (id, incident_id, ci_id, role) SELECT " + id(ident.IncidentCI, "i") + ", " + id(ident.Incident, "i") + ", " + id(ident.CI, "i") + ", 'AFFECTED'" + from,
		"INSERT INTO service_level_mark (id, record_id, target_id, metric, percent, reached_at) SELECT " + id(ident.ServiceLevelMark, "i") + ", " + id(ident.Incident, "i * 100") + ", (SELECT MIN(id) FROM service_level_target), 'RESOLVE', 100, " + early + some(rows/100),
	} {
		if _, err := s.Writer().ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%v: %s", err, statement)
		}
	}
	if s.IsPostgres() { // SQLite is in use as it is: nobody says ANALYZE
		if _, err := s.Writer().ExecContext(t.Context(), "ANALYZE"); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// TestTwoFiltersTogetherReadNoWholeTable asks each large list with each two fields of its filter, counted and by pages:
// if one of the two keeps few rows, no statement reads a whole large table, whatever the other keeps.
func TestTwoFiltersTogetherReadNoWholeTable(t *testing.T) {
	if testing.Short() {
		t.Skip("-short, which the race detector runs with, leaves it out: plans are the same under the race detector")
	}
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		t.Parallel()
		e := populous(t, s, *pairRows)
		id := func(k ident.Kind, n int64) string { return ident.New(k, 1+firstCrowd+n).String() }
		fill := strings.NewReplacer(
			"CI77", id(ident.CI, 77), "CI78", id(ident.CI, 78), "CI5", id(ident.CI, 5), "TEAM", id(ident.Team, 7), "PERSON", id(ident.Person, 7), "INC5", id(ident.Incident, 5), "CHG5", id(ident.Change, 5),
			"TPL7", id(ident.ChangeTemplate, 7), "LATE", "2027-02-01T00:00:00Z",
		)
		seen, faults := map[string]bool{}, 0
		for list, fields := range narrow {
			filter := contract().Types[contract().Query.Fields.ForName(list).Arguments.ForName("filter").Type.Name()]
			names := fieldsToPair(t, filter, list)
			for i, first := range names {
				for _, second := range names[i+1:] {
					a, isNarrow := fields[first]
					b, isToo := fields[second]
					if !isNarrow && !isToo {
						continue // both keep most rows, which are read to be counted
					}
					if !isNarrow {
						a = usual[list][first]
					}
					if !isToo {
						b = usual[list][second]
					}
					operation := fill.Replace(fmt.Sprintf(`{ %s(first: 5, filter: {%s: %s, %s: %s}) { totalCount nodes { id } } }`, list, first, a, second, b))
					got, statements := ask(t, e, operation, nil, "")
					if code := firstCode(got); code != "" {
						t.Fatalf("%s: %.500v", operation, got)
					}
					for _, statement := range statements {
						if seen[statement.SQL] || !strings.HasPrefix(statement.SQL, "SELECT") {
							continue
						}
						seen[statement.SQL] = true
						if read := readsWhole(t, s, statement, *pairRows); read != "" && (s.IsPostgres() || !isRange(first, second)) {
							if faults++; faults <= 40 {
								t.Errorf("%s of %s and %s: %s\n%.1500s\n%.300v", list, first, second, read, statement.SQL, statement.Args)
							}
						}
					}
				}
			}
		}
		t.Logf("%d statements explained, %d read a whole table", len(seen), faults)
	})
}

// isRange reports whether both fields are moments: SQLite does not know how wide a range is, and reads a page of two of
// them in the order of the page, which is right if they are wide.
func isRange(first, second string) bool {
	return strings.HasSuffix(first, "At") && strings.HasSuffix(second, "At")
}

// fieldsToPair returns the fields of a filter, each of which has a value to try.
func fieldsToPair(t *testing.T, filter *ast.Definition, list string) (names []string) {
	t.Helper()
	for _, f := range filter.Fields {
		switch f.Name {
		case "and", "or", "not":
			continue
		case "ownedByMyTeams", "assignedToMe", "awaitingMyVote": // as ownerTeam, assignee and number with the caller's own values
			continue
		}
		if narrow[list][f.Name] == "" && usual[list][f.Name] == "" {
			t.Errorf("%s: no value of %s is there to try", list, f.Name)
			continue
		}
		names = append(names, f.Name)
	}
	return names
}

// readsWhole returns the part of a plan by which a statement reads a whole large table, or a good part of it.
func readsWhole(t *testing.T, s *store.Store, statement store.Statement, rows int) string {
	t.Helper()
	if !s.IsPostgres() {
		return scanIn(explain(t, s, statement))
	}
	return readByPostgres(t, s, statement, rows)
}

// scanIn returns the line of a plan of SQLite that reads a table from its beginning.
func scanIn(plan string) string {
	for line := range strings.Lines(plan) {
		line = strings.TrimSpace(line)
		if of, ok := strings.CutPrefix(line, "SCAN "); ok {
			table, _, _ := strings.Cut(of, " ")
			if slices.Contains(grown, table) {
				return line
			}
		}
	}
	return ""
}

// readByPostgres runs a statement and returns the part of the plan that read a tenth of the rows of a large table.
func readByPostgres(t *testing.T, s *store.Store, statement store.Statement, rows int) string {
	t.Helper()
	found, err := s.Writer().QueryContext(t.Context(), "EXPLAIN (ANALYZE, FORMAT JSON) "+statement.SQL, statement.Args...)
	if err != nil {
		t.Fatalf("%v: %s", err, statement.SQL)
	}
	defer found.Close()
	var text []byte
	for found.Next() {
		if err := found.Scan(&text); err != nil {
			t.Fatal(err)
		}
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	var plans []struct{ Plan planNode }
	if err := json.Unmarshal(text, &plans); err != nil {
		t.Fatal(err)
	}
	return plans[0].Plan.reads(rows)
}

// planNode is a part of a plan, with what it did.
type planNode struct {
	Type     string  `json:"Node Type"`
	Relation string  `json:"Relation Name"`
	Index    string  `json:"Index Name"`
	Rows     float64 `json:"Actual Rows"`
	Loops    float64 `json:"Actual Loops"`
	Removed  float64 `json:"Rows Removed by Filter"`
	Plans    []planNode
}

func (n planNode) reads(rows int) string {
	if read := (n.Rows + n.Removed) * n.Loops; slices.Contains(grown, n.Relation) && read > float64(rows)/4 {
		return fmt.Sprintf("%s of %s by %q reads %.0f of %d rows", n.Type, n.Relation, n.Index, read, rows)
	}
	for _, part := range n.Plans {
		if read := part.reads(rows); read != "" {
			return read
		}
	}
	return ""
}
