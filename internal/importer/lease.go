package importer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

const (
	// aliveFor is for how long a run that is being applied is taken to be at work after each batch: longer than any
	// batch takes.
	aliveFor = 3 * time.Minute
	// patience is for how long a run waits for another of its scope, and look how often it asks.
	patience = 20 * time.Second
	look     = 100 * time.Millisecond

	columnAlive = "alive_until"
	halfway     = "what applied it ended halfway: the next run of the scope does the rest"
)

// errBusy says that another run of the scope is being applied.
var errBusy = errors.New("another run of the scope is being applied")

// takeScope begins a run in a scope in which no other run is being applied. One that nobody is at work on any more has
// failed. It waits for one that is, for a while.
func (a *applying) takeScope(ctx context.Context, begin func(context.Context, *store.Tx) (int64, error)) (run int64, err error) {
	for end := time.Now().Add(patience); ; {
		run, err = store.Write(ctx, a.store, a.by, func(ctx context.Context, tx *store.Tx) (int64, error) {
			if err := tx.TakeTurns(ctx, fmt.Sprintf("linchpin.run.%q.%q", a.plan.Source, a.plan.Scope)); err != nil {
				return 0, err
			}
			if _, err := tx.ExecContext(ctx, "UPDATE x_run SET state = $1, reason = $2, finished_at = $3 WHERE source = $4 AND scope = $5 AND state = $6 AND (alive_until IS NULL OR alive_until < $3)",
				string(domain.RunFailed), halfway, tx.Now, a.plan.Source, a.plan.Scope, string(domain.RunApplying)); err != nil {
				return 0, err
			}
			var n int64
			if err := scanOne(ctx, tx, &n, "SELECT count(*) FROM x_run WHERE source = $1 AND scope = $2 AND state = $3", a.plan.Source, a.plan.Scope, string(domain.RunApplying)); err != nil {
				return 0, err
			}
			if n > 0 {
				return 0, errBusy
			}
			return begin(ctx, tx)
		})
		if !errors.Is(err, errBusy) {
			return run, err
		}
		if time.Now().After(end) {
			return 0, errs.New(errs.Unavailable, "another run of %s%s is being applied: try again once it has ended", a.plan.Source, inScope(a.plan.Scope))
		}
		select {
		case <-ctx.Done():
			return 0, store.Translate(ctx.Err())
		case <-time.After(look):
		}
	}
}

func inScope(scope string) string {
	if scope == "" {
		return ""
	}
	return fmt.Sprintf(", scope %q,", scope)
}

// beat says, in the transaction of a batch, that the run is being worked on. A run that was taken for dead meanwhile
// writes nothing any more.
func (a *applying) beat(ctx context.Context, tx *store.Tx) error {
	done, err := tx.ExecContext(ctx, "UPDATE x_run SET alive_until = $1 WHERE id = $2 AND state = $3", tx.Now.Add(aliveFor), a.run, string(domain.RunApplying))
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return errs.New(errs.Stale, "run %d was not heard of for %s, and has been given up: run it again", a.run, aliveFor)
}

func scanOne(ctx context.Context, tx *store.Tx, into any, query string, args ...any) (err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if rows.Next() {
		return rows.Scan(into)
	}
	return rows.Err()
}

// InState returns the condition that a run is in a state at a time, as runs are shown: if nobody is at work on it any
// more, it has failed.
func InState(s *sql.Selector, state domain.RunState, now time.Time) *sql.Predicate {
	is := sql.EQ(s.C(ColumnState), string(state))
	dead := sql.Or(sql.IsNull(s.C(columnAlive)), sql.LT(s.C(columnAlive), now))
	switch state {
	case domain.RunApplying:
		return sql.And(is, sql.Not(dead))
	case domain.RunFailed:
		return sql.Or(is, sql.And(sql.EQ(s.C(ColumnState), string(domain.RunApplying)), dead))
	default:
		return is
	}
}
