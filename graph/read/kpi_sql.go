package read

import (
	"encoding/json"
	"fmt"
	"time"
)

// kpiDialect is what the two databases write differently. Everything else of a statement is the same.
type kpiDialect struct {
	periods string // $1 as rows of n, start, until
	hidden  string // $2 as rows of id
	among   string // that a column is one of $3
	micros  string // between two moments
	most    string // of two numbers
	future  string // a moment after all others
	moment  string // as Go writes one in $1
}

var kpiDialects = map[bool]kpiDialect{
	true: {
		`SELECT place - 1, CAST(value->>0 AS timestamptz), CAST(value->>1 AS timestamptz) FROM jsonb_array_elements(CAST($1 AS jsonb)) WITH ORDINALITY AS list(value, place)`,
		`SELECT unnest(CAST($2 AS bigint[]))`, `= ANY(CAST($3 AS bigint[]))`, `CAST(extract(epoch FROM (%s - %s)) * 1000000 AS bigint)`, `GREATEST`,
		`CAST('infinity' AS timestamptz)`, time.RFC3339Nano,
	},
	false: {
		`SELECT key, json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each($1)`,
		`SELECT value FROM json_each($2)`, `IN (SELECT value FROM json_each($3))`, sqliteMicros("%[1]s") + " - " + sqliteMicros("%[2]s"), `MAX`,
		`'a'`, "2006-01-02 15:04:05.999999-07:00",
	},
}

// sqliteMicros returns a moment in microseconds: its text has the fraction between the seconds and the zone, which is
// UTC's.
func sqliteMicros(moment string) string {
	return "(unixepoch(substr(" + moment + ", 1, 19)) * 1000000 + CAST(round(CAST(substr(" + moment + ", 20, length(" + moment + ") - 25) AS REAL) * 1000000) AS INTEGER))"
}

func (r *Reader) dialectOfKPIs() kpiDialect { return kpiDialects[r.store.IsPostgres()] }

// periodList returns periods as one argument.
func periodList(d kpiDialect, periods []KPI) string {
	list := make([][2]string, len(periods))
	for i, p := range periods {
		list[i] = [2]string{p.Start.UTC().Format(d.moment), p.End.UTC().Format(d.moment)}
	}
	text, err := json.Marshal(list)
	if err != nil {
		panic(err) // text only
	}
	return string(text)
}

// kpiStatement writes the statements. A fact is a row of n, id, v: the period, the incident or change, and a number of
// microseconds or of what else there is to tell.
type kpiStatement struct {
	dialect  kpiDialect
	by       KPIGroup
	isSpread bool // numbers of microseconds are spread, and not only counted
}

const openIncidents = "i.resolved_at IS NULL AND i.state IN ('NEW', 'IN_PROGRESS', 'ON_HOLD')"

// during returns the facts of a table whose column lies within a period.
func during(table, column, id, v, more string) string {
	return fmt.Sprintf("SELECT p.n, %s, %s FROM period p CROSS JOIN %s WHERE %s >= p.start AND %s < p.until%s", id, v, table, column, column, more)
}

// closed are the entries of timelines that say that a change was closed in a period.
const closed = "x.from_state = 'REVIEW' AND x.to_state = 'CLOSED' AND x.created_at >= p.start AND x.created_at < p.until"

// closures are the changes closed in a period. v has a bit for success and one for an incident that it caused.
const closures = "SELECT p.n, x.record_id, CASE WHEN c.outcome IN ('SUCCESSFUL', 'SUCCESSFUL_WITH_ISSUES') THEN 1 ELSE 0 END + " +
	"CASE WHEN EXISTS (SELECT 1 FROM incident i WHERE i.caused_by_change_id = c.id) THEN 2 ELSE 0 END " +
	"FROM period p CROSS JOIN timeline_entry x CROSS JOIN change c WHERE c.id = x.record_id AND " + closed

// fact returns the rows of a fact, and whether they are of incidents.
func (s kpiStatement) fact(name string) (rows string, ofIncidents bool) {
	since := func(a, b string) string {
		if !s.isSpread {
			return "0"
		}
		return fmt.Sprintf(s.dialect.micros, a, b)
	}
	switch name {
	case "opened":
		return during("incident i", "i.created_at", "i.id", "0", ""), true
	case "resolved":
		return during("incident i", "i.resolved_at", "i.id", since("i.resolved_at", "i.created_at"), ""), true
	case "acknowledged":
		return during("incident i", "i.acknowledged_at", "i.id", since("i.acknowledged_at", "i.created_at"), ""), true
	case "reopened": // an incident may be opened again twice: v tells them apart
		return during("timeline_entry x", "x.created_at", "x.record_id", "x.id", " AND x.from_state = 'RESOLVED' AND x.to_state = 'IN_PROGRESS'"), true
	case "breached":
		return "SELECT DISTINCT p.n, m.record_id, 0 FROM period p CROSS JOIN service_level_mark m WHERE m.percent = 100 AND m.reached_at >= p.start AND m.reached_at < p.until", true
	case "backlog":
		// Each incident is met once, in the period in which it was resolved; the time after all periods is one more.
		// For those that were opened before that alone the earlier periods are tried.
		age := "SELECT p.n, i.id, " + since("p.until", "i.created_at")
		return age + " FROM (SELECT n, start, until FROM period UNION ALL SELECT COUNT(*), MAX(until), " + s.dialect.future + " FROM period) AS b " +
			"CROSS JOIN incident i CROSS JOIN period p WHERE i.resolved_at >= b.start AND i.resolved_at < b.until AND i.created_at < b.start " +
			"AND p.n < b.n AND p.until > i.created_at UNION ALL " +
			age + " FROM incident i CROSS JOIN period p WHERE i.created_at < p.until AND " + openIncidents, true
	case "conflicts":
		return during("conflict_finding x", "x.found_at", "x.change_id", "x.id", ""), false
	default:
		return closures, false
	}
}

// grouped gives each fact its groups: by the CIs that its record names and that are not hidden. SQLite joins in the
// order written, from the facts of some periods, where it would rather begin with all that ever had a group.
func (s kpiStatement) grouped(ofIncidents bool) string {
	record, link, not := "change", "change_ci", ""
	if ofIncidents {
		record, link, not = "incident", "incident_ci", " AND l.role <> 'EXCLUDED'"
	}
	named := func(group, more string) string {
		return fmt.Sprintf("SELECT DISTINCT f.n, %s AS g, f.id, f.v FROM fact f CROSS JOIN %s l CROSS JOIN ci c "+
			"WHERE l.%s_id = f.id%s AND c.id = l.ci_id AND c.id NOT IN (SELECT id FROM hidden)%s", group, link, record, not, more)
	}
	switch s.by {
	case "TEAM":
		return fmt.Sprintf("SELECT f.n, r.assignment_team_id AS g, f.id, f.v FROM fact f CROSS JOIN %s r WHERE r.id = f.id AND r.assignment_team_id IS NOT NULL", record)
	case "SERVICE":
		return named("c.id", " AND c.service_kind IS NOT NULL")
	case "CLASS":
		return named("c.class_id", "")
	default:
		return "SELECT f.n, 0 AS g, f.id, f.v FROM fact f"
	}
}

// with begins a statement with its arguments as tables.
func (s kpiStatement) with() string {
	return "WITH period(n, start, until) AS MATERIALIZED (" + s.dialect.periods + "), hidden(id) AS (" + s.dialect.hidden + ")"
}

// figures counts the facts of each period and group. With them come, of closures, the bits of v, lower and upper; of
// conflicts how many changes there are; of microseconds their mean and percentiles. A percentile is interpolated
// between the two values beside it, as percentile_cont does: each value weighs by how near its place is to that of the
// percentile.
func (s kpiStatement) figures(name string) string {
	rows, ofIncidents := s.fact(name)
	facts := s.with() + ", fact(n, id, v) AS (" + rows + "), grouped AS (SELECT n, g, id, v FROM (" + s.grouped(ofIncidents) + ") AS f WHERE g " + s.dialect.among + ")"
	switch {
	case name == "closed":
		return facts + " SELECT n, g, COUNT(*), SUM(v % 2), SUM(v / 2), 0, 0 FROM grouped GROUP BY n, g"
	case name == "conflicts":
		return facts + " SELECT n, g, COUNT(*), COUNT(DISTINCT id), 0, 0, 0 FROM grouped GROUP BY n, g"
	case !s.isSpread:
		return facts + " SELECT n, g, COUNT(*), 0, 0, 0, 0 FROM grouped GROUP BY n, g"
	}
	percentile := func(p string) string {
		return fmt.Sprintf("CAST(SUM(v * %s(0, 1 - ABS(place - %s * last))) AS DOUBLE PRECISION)", s.dialect.most, p)
	}
	return facts +
		", ranked AS (SELECT n, g, v, ROW_NUMBER() OVER (PARTITION BY n, g ORDER BY v) - 1 AS place, COUNT(*) OVER (PARTITION BY n, g) - 1 AS last FROM grouped) " +
		"SELECT n, g, COUNT(*), CAST(AVG(v) AS DOUBLE PRECISION), " + percentile("0.5") + ", " + percentile("0.9") + ", " + percentile("0.95") + " FROM ranked GROUP BY n, g"
}

// groups returns the groups of what happened within the only period, and of what was open in it.
func (s kpiStatement) groups() string {
	return s.happened(map[KPIGroup]string{
		"TEAM":    "SELECT team FROM incidents WHERE team IS NOT NULL UNION SELECT team FROM changes WHERE team IS NOT NULL",
		"SERVICE": "SELECT c.id FROM named CROSS JOIN ci c WHERE c.id = named.id AND c.service_kind IS NOT NULL AND c.id NOT IN (SELECT id FROM hidden)",
		"CLASS":   "SELECT DISTINCT c.class_id FROM named CROSS JOIN ci c WHERE c.id = named.id AND c.id NOT IN (SELECT id FROM hidden)",
	}[s.by])
}

// restricted returns the hidden services, or the hidden CIs, of what happened within the only period.
func (s kpiStatement) restricted() string {
	return s.happened(map[KPIGroup]string{
		"SERVICE": "SELECT c.id FROM named CROSS JOIN ci c WHERE c.id = named.id AND c.service_kind IS NOT NULL AND c.id IN (SELECT id FROM hidden)",
		"CLASS":   "SELECT id FROM named WHERE id IN (SELECT id FROM hidden)",
	}[s.by])
}

// happened returns what is found among the incidents and changes of the only period, or the CIs that they name.
func (s kpiStatement) happened(found string) string {
	begun := "SELECT i.id, i.assignment_team_id FROM period p CROSS JOIN incident i WHERE i.created_at < p.start AND "
	incidents := "SELECT i.id, i.assignment_team_id FROM period p CROSS JOIN incident i WHERE i.created_at >= p.start AND i.created_at < p.until UNION ALL " +
		begun + "i.resolved_at >= p.start UNION ALL " + begun + openIncidents
	changes := "SELECT c.id, c.assignment_team_id FROM period p CROSS JOIN timeline_entry x CROSS JOIN change c WHERE c.id = x.record_id AND " + closed +
		" UNION ALL SELECT c.id, c.assignment_team_id FROM period p CROSS JOIN conflict_finding x CROSS JOIN change c WHERE c.id = x.change_id AND x.found_at >= p.start AND x.found_at < p.until"
	named := "SELECT l.ci_id FROM incidents r CROSS JOIN incident_ci l WHERE l.incident_id = r.id AND l.role <> 'EXCLUDED' UNION " +
		"SELECT l.ci_id FROM changes r CROSS JOIN change_ci l WHERE l.change_id = r.id"
	return s.with() + ", incidents(id, team) AS (" + incidents + "), changes(id, team) AS (" + changes + "), named(id) AS (" + named + "), found(g) AS (" + found + ") " +
		"SELECT 0, g, 0, 0, 0, 0, 0 FROM found LIMIT 10001"
}
