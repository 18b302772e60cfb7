package importer

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Run is one reading of a scope of a source, and what it did.
type Run struct {
	added
	ID         int64           `json:"id"`
	Source     string          `json:"source"`
	Scope      string          `json:"scope,omitempty"`
	Kind       domain.RunKind  `json:"kind"`
	State      domain.RunState `json:"state"`
	IsComplete bool            `json:"isComplete"`
	StartedAt  time.Time       `json:"startedAt"`
	FinishedAt *time.Time      `json:"finishedAt,omitempty"`
	// FromRevision is the revision that was planned for, ToRevision the last one when it ended.
	FromRevision int64  `json:"fromRevision"`
	ToRevision   int64  `json:"toRevision,omitempty"`
	Actor        string `json:"actor"`
	Reason       string `json:"reason,omitempty"` // why it failed or was refused
	// RetireUpTo is how many records a person let go missing in it, and ApprovedBy who that was.
	RetireUpTo int    `json:"retireUpTo,omitempty"`
	ApprovedBy string `json:"approvedBy,omitempty"`
	// Otherwise counts the steps that are others than when it was planned.
	Otherwise int     `json:"otherwise,omitempty"`
	Planned   Summary `json:"planned,omitempty"`
	Written   Summary `json:"written,omitempty"`
}

// RunQuery narrows a list of runs. Empty fields leave all in.
type RunQuery struct {
	Source string
	Scope  *string
	Before int64 // an id
	First  int   // 50 if 0
}

// ReadRuns lists runs, the newest first, in one statement.
func ReadRuns(ctx context.Context, s *store.Store, q RunQuery) ([]*Run, error) {
	return QueryRuns(ctx, s, func(sel *entsql.Selector) {
		if q.Source != "" {
			sel.Where(entsql.EQ(sel.C(ColumnSource), q.Source))
		}
		if q.Scope != nil {
			sel.Where(entsql.EQ(sel.C(ColumnScope), *q.Scope))
		}
		if q.Before > 0 {
			sel.Where(entsql.LT(sel.C(ColumnID), q.Before))
		}
		n := q.First
		if n <= 0 {
			n = 50
		}
		sel.OrderBy(entsql.Desc(sel.C(ColumnID))).Limit(n)
	})
}

// ReadRun reads a run. If it is not found, it returns errs.NotFound.
func ReadRun(ctx context.Context, s *store.Store, id int64) (*Run, error) {
	found, err := QueryRuns(ctx, s, func(sel *entsql.Selector) { sel.Where(entsql.EQ(sel.C(ColumnID), id)) })
	if err == nil && len(found) == 0 {
		err = errs.New(errs.NotFound, "there is no run %d", id)
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// ReadRunSteps reads what a run did about each record that was not unchanged, from a place on: at most first steps, and
// the place of the next one, or 0 if there are no more. Runs keep them for 30 days.
func ReadRunSteps(ctx context.Context, s *store.Store, run int64, from, first int, outcome Outcome) (steps []Step, next int, err error) {
	condition, args := "run = $1 AND place >= $2", []any{run, from}
	if outcome != "" {
		condition, args = condition+" AND outcome = $3", append(args, string(outcome))
	}
	rows, err := s.Read.QueryContext(ctx, fmt.Sprintf("SELECT place, step FROM x_run_row WHERE %s ORDER BY place LIMIT %d", condition, first+1), args...)
	if err != nil {
		return nil, 0, store.Translate(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var place int
		var text string
		var step Step
		if err := rows.Scan(&place, &text); err != nil {
			return nil, 0, err
		}
		if len(steps) == first {
			return steps, place, nil
		}
		if err := json.Unmarshal([]byte(text), &step); err != nil {
			return nil, 0, fmt.Errorf("step %d of run %d: %w", place, run, err)
		}
		steps = append(steps, step)
	}
	return steps, 0, store.Translate(rows.Err())
}

// Scope is a part of a source, and what the source claims in it.
type Scope struct {
	Source, Scope   string
	Claims, Missing int
	LastComplete    *time.Time // when it was last read whole
}

// ReadScopes lists the scopes that were ever read, by source and name, in two statements. One counts all claims that
// restrict leaves; nil leaves all.
func ReadScopes(ctx context.Context, s *store.Store, restrict func(*entsql.Selector)) ([]*Scope, error) {
	d := entsql.Dialect(s.Dialect())
	byName := map[scopeOf]*Scope{}
	var all []*Scope
	runs := d.Table(RunTable).As("r")
	last := d.Table(RunTable).As("l")
	whole := d.Select(entsql.Max(last.C(ColumnID))).From(last).Where(entsql.And(
		entsql.ColumnsEQ(last.C(ColumnSource), runs.C(ColumnSource)), entsql.ColumnsEQ(last.C(ColumnScope), runs.C(ColumnScope)),
		entsql.EQ(last.C(ColumnState), string(domain.RunApplied)), entsql.EQ(last.C("is_complete"), true), entsql.EQ(last.C(ColumnKind), string(domain.FullRun))))
	finished := d.Table(RunTable).As("f")
	read := d.Select(runs.C(ColumnSource), runs.C(ColumnScope), finished.C("finished_at")).Distinct().From(runs).
		LeftJoin(finished).OnP(entsql.EQ(finished.C(ColumnID), whole)).OrderBy(runs.C(ColumnSource), runs.C(ColumnScope))
	if err := scan(ctx, s, read, func(row func(...any) error) error {
		at, last := &Scope{}, sql.NullTime{}
		if err := row(&at.Source, &at.Scope, &last); err != nil {
			return err
		}
		if last.Valid {
			at.LastComplete = &last.Time
		}
		byName[scopeOf{at.Source, at.Scope}], all = at, append(all, at)
		return nil
	}); err != nil {
		return nil, err
	}
	claims := d.Table("x_claim")
	counted := d.Select(claims.C("source"), claims.C("scope"), "COUNT(*)", entsql.Count(claims.C("missing_since"))).From(claims).GroupBy(claims.C("source"), claims.C("scope"))
	if restrict != nil {
		restrict(counted)
	}
	return all, scan(ctx, s, counted, func(row func(...any) error) error {
		var of scopeOf
		var n, missing int
		if err := row(&of.source, &of.scope, &n, &missing); err != nil {
			return err
		}
		if at := byName[of]; at != nil {
			at.Claims, at.Missing = n, missing
		}
		return nil
	})
}

// scan reads the rows of a statement.
func scan(ctx context.Context, s *store.Store, statement *entsql.Selector, take func(row func(...any) error) error) (err error) {
	text, args := statement.Query()
	rows, err := s.Read.QueryContext(ctx, text, args...)
	if err != nil {
		return store.Translate(err)
	}
	defer func() { err = errors.Join(err, store.Translate(rows.Close())) }()
	for rows.Next() {
		if err := take(rows.Scan); err != nil {
			return store.Translate(err)
		}
	}
	return store.Translate(rows.Err())
}
