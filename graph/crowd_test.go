package graph_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

const (
	crowd      = 10_000 // CIs, of which the first hundred have a hundred relationships each
	hubbed     = 5_000  // relationships of the hub
	firstCrowd = 1_000
)

// crowded returns an estate with thousands of additional rows, written without a journal: lists and look-ups see them.
func crowded(t testing.TB, s *store.Store) *estate {
	t.Helper()
	e := newEstate(t, s, 4)
	cast := func(text string) string { return text }
	if s.IsPostgres() {
		cast = func(text string) string { return "(" + text + ")::jsonb" }
	}
	number := func(k ident.Kind) string { return fmt.Sprint(k.First() + firstCrowd) }
	ci := number(ident.CI)
	numbers := func(n int) string {
		return fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT ", n-1)
	}
	const at = "'2027-01-10 22:00:00+00:00'"
	for _, statement := range []string{
		"INSERT INTO ci (id, name, description, lifecycle, environment, criticality, attributes, labels, category, version, created_at, updated_at, class_id) " + numbers(crowd) +
			ci + " + i, 'zcrowd ' || i, '', CASE WHEN i % 10 = 0 THEN 'RETIRED' ELSE 'LIVE' END, 'PRODUCTION', 'MEDIUM', " + cast(`'{"row": ' || i || '}'`) + ", " +
			cast(`'{"row": "' || i || '"}'`) + ", '', 1, " + at + ", " + at + fmt.Sprintf(", %d FROM n", e.class),
		"INSERT INTO relationship (id, attributes, reported_by, evidence, version, created_at, updated_at, type_id, source_id, target_id) " + numbers(crowd) +
			number(ident.Relationship) + " + i, " + cast("'{}'") + ", 'test', '', 1, " + at + ", " + at + fmt.Sprintf(", %d, %s + i / 100, %s + i FROM n WHERE i / 100 <> i", e.dependsOn, ci, ci),
		"INSERT INTO relationship (id, attributes, reported_by, evidence, version, created_at, updated_at, type_id, source_id, target_id) " + numbers(hubbed) +
			number(ident.Relationship) + fmt.Sprintf(" + %d + i, ", crowd) + cast("'{}'") + ", 'test', '', 1, " + at + ", " + at + fmt.Sprintf(", %d, %d, %s + i FROM n", e.dependsOn, e.hub, ci),
		`INSERT INTO entry (id, revision, at, actor, verb, operation, record_id, subject_id, "before", "after") ` + numbers(crowd) +
			fmt.Sprint(int64(store.EntryID(firstCrowd, 0))) + " + i, 1000, " + at + ", 'test', 'test', 'CREATED', " + ci + " + i, " + ci + " + i, NULL, " + cast("'{}'") + " FROM n",
		"ANALYZE",
	} {
		if _, err := s.Writer().ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%v: %s", err, statement)
		}
	}
	if !s.IsPostgres() {
		// The database knows now how few rows the other tables have, and would rather read them all. Without that it
		// plans as for a large estate.
		for _, statement := range []string{"DELETE FROM sqlite_stat1 WHERE tbl NOT IN ('ci', 'relationship', 'entry')", "ANALYZE sqlite_schema"} {
			if _, err := s.Writer().ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	return e
}

func TestHubsAndLongListsAreRead(t *testing.T) {
	if testing.Short() {
		t.Skip("10,000 records in one answer: the race detector makes that too slow for the time of an operation")
	}
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		t.Parallel()
		e := crowded(t, s)
		for name, operation := range map[string]string{
			"both ends of 100 × 100": `{ nodes(ids: [IDS]) { ... on CI { relationships(first: 100, direction: OUTGOING) { totalCount nodes { source { name }
				target { name relationships(first: 1) { nodes { id } } } } } } } }`,
			"hub": `{ ci(id: "HUB") { relationships(first: 100) { totalCount pageInfo { hasNextPage } nodes { source { name } target { name } } } } }`,
		} {
			ids := make([]string, 100)
			for i := range ids {
				ids[i] = fmt.Sprintf("%q", ident.New(ident.CI, 1+firstCrowd+int64(i)))
			}
			began := time.Now()
			got, statements := ask(t, e, strings.NewReplacer("HUB", e.hub.String(), "IDS", strings.Join(ids, ", ")).Replace(operation), nil, "")
			if code := firstCode(got); code != "" {
				t.Fatalf("%s: %.500v", name, got)
			}
			t.Logf("%s: %d statements, %s", name, len(statements), time.Since(began))
			data := got.(object)["data"].(object)
			if name == "hub" {
				if total := data["ci"].(object)["relationships"].(object)["totalCount"]; total != float64(hubbed+7) {
					t.Errorf("the hub has %v relationships", total)
				}
				continue
			}
			for i, n := range data["nodes"].([]any) {
				page := n.(object)["relationships"].(object)
				want := 100
				if i == 0 {
					want = 99 // it is not related to itself
				}
				if page["totalCount"] != float64(want) || len(page["nodes"].([]any)) != want {
					t.Errorf("CI %d: %v relationships", i, page["totalCount"])
				}
			}
		}
	})
}

// scans are the statements that may read a whole table, and why.
var scans = map[string]string{
	"COUNT(*)":     "a total counts what it counts, when it is asked for",
	"LIKE":         "parts of names have no index on SQLite, and on PostgreSQL none in a collation that knows case",
	" IS NOT TRUE": "what is not something is nearly everything",

	"`person` WHERE lower(": "a name that acts for the first time in dev mode, or was written before there were accounts",
	`"person" WHERE lower(`: "the same on PostgreSQL",
}

func TestNoStatementReadsAWholeTable(t *testing.T) {
	if testing.Short() {
		t.Skip("-short, which the race detector runs with, leaves it out: plans are the same under the race detector")
	}
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		t.Parallel()
		e := crowded(t, s)
		operations := map[string]string{
			"by name":       `{ cis(filter: {name: {eq: "zcrowd 7"}}) { nodes { id } } }`,
			"by names":      `{ cis(filter: {name: {in: ["zcrowd 7", "zcrowd 8"]}}) { nodes { id } } }`,
			"by attribute":  `{ cis(filter: {attributes: [{path: "row", eq: 7}]}) { nodes { id } } }`,
			"by label":      `{ cis(filter: {labels: [{name: "row", eq: "7"}]}) { nodes { id } } }`,
			"by class":      `{ cis(filter: {class: {eq: "service"}}) { nodes { id } } }`,
			"by owner":      `{ cis(filter: {ownerTeam: {eq: "TEAM"}}) { nodes { id } } }`,
			"by tier":       `{ services(filter: {tier: {eq: "tier-1"}}) { nodes { id } } }`,
			"by key":        `{ ciByExternalId(source: "test", externalId: "x") { id } }`,
			"by part":       `{ cis(filter: {name: {contains: "7"}}) { nodes { id } } }`,
			"by time":       `{ cis(filter: {updatedAt: {lt: "2026-01-01T00:00:00Z"}}, orderBy: [{field: UPDATED_AT}]) { nodes { id } } }`,
			"words":         `{ searchRecords(query: "zcrowd 7") { nodes { __typename } } }`,
			"parts":         `{ searchRecords(query: "rowd") { nodes { __typename } } }`,
			"mistyped":      `{ searchRecords(query: "zcorwd") { nodes { __typename } } }`,
			"service":       `{ serviceByName(name: "zcrowd 7") { id } }`,
			"incidents":     `{ incidents(filter: {ci: {eq: "HUB"}}) { nodes { id } } }`,
			"after":         `{ journal(afterRevision: 3) { nodes { id } } }`,
			"not something": `{ cis(filter: {not: {name: {eq: "zcrowd 7"}}}) { nodes { id } } }`,
		}
		for name, operation := range nestedOperations {
			operations[name] = operation
		}
		for name, l := range lists {
			for i, order := range l.orders() {
				if strings.Contains(order, "}, {") {
					continue // what the first field leaves open is sorted
				}
				if order != "" {
					order = "orderBy: [" + order + "], "
				}
				cursor := e.mustPage(t, l, strings.TrimSuffix(strings.TrimPrefix(order, "orderBy: ["), "], "), "first: 1").PageInfo.EndCursor
				page := fmt.Sprintf("(%sfirst: 4, after: %q) { nodes { %s } }", order, *cursor, l.node)
				operations[fmt.Sprint(name, i)] = strings.NewReplacer(") LIST", ", "+page[1:], "LIST", page).Replace(l.query)
			}
		}
		seen := map[string]bool{}
		check := func(name string, statements []store.Statement) {
			for _, statement := range statements {
				if asksForNone(statement) {
					t.Errorf("%s: %s\n%v\nnone are asked for", name, statement.SQL, statement.Args)
				}
				if !seen[statement.SQL] && !isExcused(statement.SQL) && !strings.Contains(statement.SQL, "SAVEPOINT") {
					seen[statement.SQL] = true
					if plan := explain(t, s, statement); scansTable(plan) && !startsAtAnEnd(statement.SQL) {
						t.Errorf("%s: %s\n%v\n%s", name, statement.SQL, statement.Args, plan)
					}
				}
			}
		}
		for name, operation := range operations {
			got, statements := ask(t, e, e.fill(operation, 4), nil, "")
			if code := firstCode(got); code != "" {
				t.Fatalf("%s: %.500v", name, got)
			}
			check(name, statements)
		}
		late := serverOver(t, s) // what was written before it began it reads
		for name, selected := range events {
			one, statements := event(t, late, fmt.Sprintf(`subscription { %s(after: %d) { revision resync %s } }`, name, e.revision, selected))
			if len(statements) == 0 || !strings.Contains(one.data, `"resync":null`) {
				t.Errorf("%s: %d statements for %.300s", name, len(statements), one.data)
			}
			check(name, statements)
		}
		another := storetest.SQLite
		if s.IsPostgres() {
			another = storetest.Postgres
		}
		for _, file := range scenarios(t) {
			t.Run(file, func(t *testing.T) { check(file, runScenario(t, file, another(t))) }) // which closes the database again
		}
		t.Logf("%d statements explained", len(seen))
	})
}

func TestAPageInAnotherOrderSortsNoTable(t *testing.T) {
	if testing.Short() {
		t.Skip("-short, which the race detector runs with, leaves it out: plans are the same under the race detector")
	}
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		t.Parallel()
		e := crowded(t, s)
		if !s.IsPostgres() { // as it is in use, where nobody says ANALYZE
			for _, statement := range []string{"DELETE FROM sqlite_stat1", "ANALYZE sqlite_schema"} {
				if _, err := s.Writer().ExecContext(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, order := range []string{"NAME", "CREATED_AT", "UPDATED_AT"} {
			got, statements := ask(t, e, fmt.Sprintf(`{ cis(first: 5, filter: {environment: {eq: PRODUCTION}, lifecycle: {in: [LIVE, PLANNED]}}, orderBy: [{field: %s}]) { nodes { name } } }`, order), nil, "")
			if code := firstCode(got); code != "" {
				t.Fatalf("%.500v", got)
			}
			for _, statement := range statements {
				if plan := explain(t, s, statement); strings.Contains(plan, "TEMP B-TREE") || strings.Contains(plan, "Sort ") {
					t.Errorf("by %s: %s\n%s", order, statement.SQL, plan)
				}
			}
		}
	})
}

// asksForNone reports whether a statement looks for rows by an empty list of ids.
func asksForNone(statement store.Statement) bool {
	return strings.Contains(statement.SQL, "WHERE FALSE") || strings.HasPrefix(statement.SQL, "SELECT") &&
		slices.ContainsFunc(statement.Args, func(arg any) bool { return arg == "[]" || arg == "{}" })
}

// startsAtAnEnd reports whether a statement reads the first or the last rows in the order in which they lie.
func startsAtAnEnd(statement string) bool {
	return (strings.Contains(statement, ".`id` ASC LIMIT") || strings.Contains(statement, ".`id` DESC LIMIT")) && !strings.Contains(statement, "WHERE")
}

func isExcused(statement string) bool {
	if strings.Contains(statement, "x_key") {
		return true // a facet counts what it counts, as a total does
	}
	if strings.Contains(statement, "AS found ORDER BY score") {
		return false // a search has its index of parts
	}
	for part := range scans {
		if strings.Contains(statement, part) && !strings.Contains(statement, "GROUP BY") {
			return true
		}
	}
	return false
}

// explain returns the plan of the database for a statement.
func explain(t *testing.T, s *store.Store, statement store.Statement) string {
	t.Helper()
	tx, err := s.Writer().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	prefix := "EXPLAIN QUERY PLAN "
	if s.IsPostgres() {
		// Thousands of rows are few for it: it would rather read them all than use the index that it has.
		prefix = "EXPLAIN "
		if _, err := tx.ExecContext(t.Context(), "SET LOCAL enable_seqscan = off"); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := tx.QueryContext(t.Context(), prefix+statement.SQL, statement.Args...)
	if err != nil {
		t.Fatalf("%v: %s", err, statement.SQL)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var plan strings.Builder
	for rows.Next() {
		fields := make([]any, len(columns))
		for i := range fields {
			fields[i] = new(string)
		}
		if err := rows.Scan(fields...); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(*fields[len(fields)-1].(*string) + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

// grown are the tables that grow with the estate and with time.
var grown = []string{
	"ci", "relationship", "dependency_group", "external_identity", "dangling_reference", "owner", "entry", "version",
	"incident", "incident_ci", "change", "change_ci", "planned_operation", "approval", "timeline_entry", "person", "membership", "service_level_mark",
	"conflict_finding", "account", "x_run_row", "x_claim",
}

// scansTable reports whether a plan reads all of a table that grows with the estate.
func scansTable(plan string) bool {
	for line := range strings.Lines(plan) {
		for _, table := range grown {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "SCAN "+table) && !strings.HasPrefix(line, "SCAN "+table+"_") && !strings.Contains(line, "INDEX") || strings.Contains(line, "Seq Scan on "+table+" ") {
				return true
			}
		}
	}
	return false
}
