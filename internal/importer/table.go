package importer

import (
	"context"
	stdsql "database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"entgo.io/ent"
	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// The tables of runs and of what they did, and their columns that lists narrow and order by.
const (
	RunTable = "x_run"
	RowTable = "x_run_row"

	inputTable = "x_run_input"

	ColumnID      = "id"
	ColumnRun     = "run"
	ColumnSource  = "source"
	ColumnScope   = "scope"
	ColumnKind    = "kind"
	ColumnState   = "state"
	ColumnOutcome = "outcome"
	// ColumnAbout and ColumnOther have the CI that a row is about, and the one at its other end; ColumnIsTold whether
	// the row tells of nothing else.
	ColumnAbout  = "about"
	ColumnOther  = "other"
	ColumnIsTold = "is_told"
)

var (
	runColumns = []string{ColumnID, ColumnSource, ColumnScope, ColumnKind, ColumnState, "is_complete", "started_at", "finished_at", "from_revision", "to_revision", "actor", "reason", "counts", columnAlive, "retire_up_to", "approved_by"}
	rowColumns = []string{ColumnID, ColumnRun, ColumnAbout, "step"}
)

// added is what a statement adds to the columns of a table, such as a count, by name.
type added map[string]int64

// Value returns what a statement added to the row, as ent's rows do.
func (a added) Value(name string) (ent.Value, error) {
	v, ok := a[name]
	if !ok {
		return nil, fmt.Errorf("the statement has no column %s", name)
	}
	return v, nil
}

// QueryRuns reads the runs that a statement on their table gives, which modify completes.
func QueryRuns(ctx context.Context, s *store.Store, modify func(*sql.Selector)) ([]*Run, error) {
	now := s.Now(ctx)
	return query(ctx, s, RunTable, runColumns, modify, func(r *Run, fields map[string]any) func() error {
		var finished, alive stdsql.NullTime
		var counts stdsql.NullString
		fields["finished_at"], fields["counts"], fields[columnAlive] = &finished, &counts, &alive
		for name, field := range map[string]any{
			ColumnID: &r.ID, ColumnSource: &r.Source, ColumnScope: &r.Scope, ColumnKind: &r.Kind, ColumnState: &r.State, "is_complete": &r.IsComplete,
			"started_at": &r.StartedAt, "from_revision": &r.FromRevision, "to_revision": &r.ToRevision, "actor": &r.Actor, "reason": &r.Reason,
			"retire_up_to": &r.RetireUpTo, "approved_by": &r.ApprovedBy,
		} {
			fields[name] = field
		}
		return func() error {
			if finished.Valid {
				r.FinishedAt = &finished.Time
			}
			if r.State == domain.RunApplying && alive.Time.Before(now) {
				r.State, r.Reason = domain.RunFailed, halfway
			}
			if !counts.Valid {
				return nil
			}
			return json.Unmarshal([]byte(counts.String), r)
		}
	}, func(r *Run) *added { return &r.added })
}

// RunRow is a step as a run has kept it.
type RunRow struct {
	added
	ID   int64
	Run  int64
	Step Step
	// CI is the CI that the step is about, also if the run created it; 0 if it is about none that is known.
	CI ident.ID
}

// QueryRows reads the rows of runs that a statement on their table gives, which modify completes.
func QueryRows(ctx context.Context, s *store.Store, modify func(*sql.Selector)) ([]*RunRow, error) {
	return query(ctx, s, RowTable, rowColumns, modify, func(r *RunRow, fields map[string]any) func() error {
		var about stdsql.NullInt64
		var step stdsql.NullString
		fields[ColumnID], fields[ColumnRun], fields[ColumnAbout], fields["step"] = &r.ID, &r.Run, &about, &step
		return func() error {
			r.CI = ident.ID(about.Int64)
			if !step.Valid {
				return nil
			}
			return json.Unmarshal([]byte(step.String), &r.Step)
		}
	}, func(r *RunRow) *added { return &r.added })
}

// ofRun chooses the rows of a run.
func ofRun(run int64) func(*sql.Selector) {
	return func(s *sql.Selector) { s.Where(sql.EQ(s.C(ColumnRun), run)) }
}

// query reads the rows of a table without code of ent's. Bind names the fields of a record by their columns, and
// returns what is to be done once they are read.
func query[R any](ctx context.Context, s *store.Store, table string, columns []string, modify func(*sql.Selector), bind func(*R, map[string]any) func() error, more func(*R) *added) (all []*R, err error) {
	t := sql.Dialect(s.Dialect()).Table(table)
	statement := sql.Dialect(s.Dialect()).Select(t.Columns(columns...)...).From(t)
	modify(statement)
	text, args := statement.Query()
	rows, err := s.Read.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, store.Translate(err)
	}
	defer func() { err = errors.Join(err, store.Translate(rows.Close())) }()
	names, err := rows.Columns()
	if err != nil {
		return nil, store.Translate(err)
	}
	for rows.Next() {
		one, fields := new(R), map[string]any{}
		done := bind(one, fields)
		into, extra := make([]any, len(names)), map[string]*int64{}
		for i, name := range names {
			field, ok := fields[name]
			if !ok {
				extra[name] = new(int64)
				field = extra[name]
			}
			into[i] = field
		}
		if err := rows.Scan(into...); err != nil {
			return nil, store.Translate(err)
		}
		for name, value := range extra {
			if *more(one) == nil {
				*more(one) = added{}
			}
			(*more(one))[name] = *value
		}
		if err := done(); err != nil {
			return nil, fmt.Errorf("a row of %s: %w", table, err)
		}
		all = append(all, one)
	}
	return all, store.Translate(rows.Err())
}
