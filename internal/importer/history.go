package importer

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Run is one reading of a scope of a source, and what it did.
type Run struct {
	ID         int64           `json:"id"`
	Source     string          `json:"source"`
	Scope      string          `json:"scope,omitempty"`
	Kind       domain.RunKind  `json:"kind"`
	State      domain.RunState `json:"state"`
	IsComplete bool            `json:"isComplete"`
	StartedAt  time.Time       `json:"startedAt"`
	FinishedAt *time.Time      `json:"finishedAt,omitempty"`
	// FromRevision is the revision that was planned for, ToRevision the last one when it ended.
	FromRevision int64   `json:"fromRevision"`
	ToRevision   int64   `json:"toRevision,omitempty"`
	Actor        string  `json:"actor"`
	Reason       string  `json:"reason,omitempty"` // why it failed or was refused
	Planned      Summary `json:"planned,omitempty"`
	Written      Summary `json:"written,omitempty"`
}

// RunQuery narrows a list of runs. Empty fields leave all in.
type RunQuery struct {
	Source string
	Scope  *string
	Before int64 // an id
	First  int   // 50 if 0
}

const runColumns = "id, source, scope, kind, state, is_complete, started_at, finished_at, from_revision, to_revision, actor, reason, counts"

// ReadRuns lists runs, the newest first, in one statement.
func ReadRuns(ctx context.Context, s *store.Store, q RunQuery) ([]Run, error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(condition string, value any) {
		args = append(args, value)
		where = append(where, fmt.Sprintf(condition, len(args)))
	}
	if q.Source != "" {
		add("source = $%d", q.Source)
	}
	if q.Scope != nil {
		add("scope = $%d", *q.Scope)
	}
	if q.Before > 0 {
		add("id < $%d", q.Before)
	}
	n := q.First
	if n <= 0 {
		n = 50
	}
	return queryRuns(ctx, s, strings.Join(where, " AND ")+fmt.Sprintf(" ORDER BY id DESC LIMIT %d", n), args...)
}

// ReadRun reads a run. If it is not found, it returns errs.NotFound.
func ReadRun(ctx context.Context, s *store.Store, id int64) (Run, error) {
	found, err := queryRuns(ctx, s, "id = $1", id)
	if err == nil && len(found) == 0 {
		err = errs.New(errs.NotFound, "there is no run %d", id)
	}
	if err != nil {
		return Run{}, err
	}
	return found[0], nil
}

func queryRuns(ctx context.Context, s *store.Store, condition string, args ...any) (all []Run, err error) {
	rows, err := s.Read.QueryContext(ctx, "SELECT "+runColumns+" FROM x_run WHERE "+condition, args...)
	if err != nil {
		return nil, store.Translate(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r Run
		var finished sql.NullTime
		var counts string
		if err := rows.Scan(&r.ID, &r.Source, &r.Scope, &r.Kind, &r.State, &r.IsComplete, &r.StartedAt, &finished, &r.FromRevision, &r.ToRevision, &r.Actor, &r.Reason, &counts); err != nil {
			return nil, err
		}
		if finished.Valid {
			r.FinishedAt = &finished.Time
		}
		if err := json.Unmarshal([]byte(counts), &r); err != nil {
			return nil, fmt.Errorf("the counts of run %d: %w", r.ID, err)
		}
		all = append(all, r)
	}
	return all, store.Translate(rows.Err())
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

// ReadScopes lists the scopes that were ever read, by source and name, in one statement that counts all claims.
func ReadScopes(ctx context.Context, s *store.Store) (all []Scope, err error) {
	rows, err := s.Read.QueryContext(ctx, `SELECT r.source, r.scope, coalesce(c.claims, 0), coalesce(c.missing, 0), last.finished_at
		FROM (SELECT source, scope, max(CASE WHEN state = $1 AND is_complete AND kind = $2 THEN id END) AS whole FROM x_run GROUP BY source, scope) AS r
		LEFT JOIN (SELECT source, scope, count(*) AS claims, count(missing_since) AS missing FROM x_claim GROUP BY source, scope) AS c ON c.source = r.source AND c.scope = r.scope
		LEFT JOIN x_run AS last ON last.id = r.whole ORDER BY r.source, r.scope`, string(domain.RunApplied), string(domain.FullRun))
	if err != nil {
		return nil, store.Translate(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var at Scope
		var last sql.NullTime
		if err := rows.Scan(&at.Source, &at.Scope, &at.Claims, &at.Missing, &last); err != nil {
			return nil, err
		}
		if last.Valid {
			at.LastComplete = &last.Time
		}
		all = append(all, at)
	}
	return all, store.Translate(rows.Err())
}
