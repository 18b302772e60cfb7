package importer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// rowsKept is for how long runs tell what they did about each record; rowsAtOnce of them are written in a transaction.
const (
	rowsKept   = 30 * 24 * time.Hour
	rowsAtOnce = 10_000
)

// digest works out what the claim of each row is.
func (p *planner) digest(context.Context) (err error) {
	for _, r := range p.records {
		if r.hash != "" {
			continue
		}
		if r.body, r.hash, err = r.reported.body(); err != nil {
			return fmt.Errorf("%s: %w", r.origin, err)
		}
	}
	return nil
}

// settles reports whether the next run need not look at the record: it is as the source says, nobody else claims it,
// and there is nothing to say.
func (r *record) settles() bool { return !r.isNoisy && len(r.diff.kept) == 0 && r.values == nil }

// planClaims lists the claims to be written: those that are new or stand otherwise, and those of records that were
// missing.
func (p *planner) planClaims(context.Context) error {
	for _, r := range p.records {
		if r.isWoken && !r.isNoisy {
			continue
		}
		if r.isDropped || r.isWoken {
			p.plan.work.unsettled = append(p.plan.work.unsettled, r.key)
			continue
		}
		if r.own == nil || r.own.hash != r.hash || r.own.isMissing() || r.own.scope != p.options.Scope || r.own.isSettled != r.settles() {
			p.plan.work.claims = append(p.plan.work.claims, r)
		}
	}
	return nil
}

// beginRun records that a run of a scope is being applied: a new one, or the one that the plan was kept in.
func (a *applying) beginRun(ctx context.Context) (err error) {
	a.run, err = a.takeScope(ctx, func(ctx context.Context, tx *store.Tx) (int64, error) {
		old := "(SELECT id FROM x_run WHERE source = $1 AND started_at < $2)"
		for _, table := range []string{RowTable, inputTable} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE run IN "+old, a.plan.Source, tx.Now.Add(-rowsKept)); err != nil {
				return 0, err
			}
		}
		if a.plan.run == 0 {
			return a.insertRun(ctx, tx, domain.RunApplying, "")
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM x_run_row WHERE run = $1", a.plan.run); err != nil {
			return 0, err
		}
		return a.plan.run, moveRun(ctx, tx, a.plan.run, domain.RunApplying, []domain.RunState{domain.RunPlanned, domain.RunFailed},
			", reason = '', finished_at = NULL, alive_until = $4, from_revision = $5, is_complete = $6", tx.Now.Add(aliveFor), a.plan.Revision, a.plan.IsComplete)
	})
	return err
}

// insertRun adds a run in a state.
func (a *applying) insertRun(ctx context.Context, tx *store.Tx, state domain.RunState, reason string) (id int64, err error) {
	err = scanOne(ctx, tx, &id, `INSERT INTO x_run (source, scope, kind, state, started_at, is_complete, from_revision, actor, reason, alive_until, finished_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id`,
		a.plan.Source, a.plan.Scope, string(a.plan.Kind), string(state), tx.Now, a.plan.IsComplete, a.plan.Revision, a.by.Actor, reason, tx.Now.Add(aliveFor), whenEnded(state, tx.Now))
	if err == nil && id == 0 {
		err = fmt.Errorf("begin a run of %s: it has no number", a.plan.Source)
	}
	return id, err
}

// whenEnded returns the time as the end of a run in a state, or nothing if it goes on.
func whenEnded(state domain.RunState, now time.Time) any {
	if state == domain.RunApplying || state == domain.RunPlanned {
		return nil
	}
	return now
}

// endRun records how a run ended, and what it did about every record that was not unchanged.
func (a *applying) endRun(ctx context.Context, state domain.RunState, reason string) error {
	counts, err := json.Marshal(struct {
		Planned Summary `json:"planned"`
		Written Summary `json:"written"`
		// Otherwise counts the steps that are others than when the run was planned.
		Otherwise int `json:"otherwise,omitempty"`
	}{a.plan.Summary, a.result.Written, a.plan.otherwise})
	if err != nil {
		return err
	}
	told := slices.DeleteFunc(slices.Clone(a.plan.Steps), func(i Step) bool { return i.Outcome == Unchanged })
	if err := a.keepRows(ctx, told); err != nil {
		return err
	}
	to, err := a.store.Revision(ctx)
	if err != nil {
		return err
	}
	_, err = store.Write(ctx, a.store, a.by, func(ctx context.Context, tx *store.Tx) (struct{}, error) {
		if _, err := tx.ExecContext(ctx, "UPDATE x_run SET state = $1, reason = $2, finished_at = $3, counts = $4, to_revision = $5, is_whole = $6 WHERE id = $7",
			string(state), reason, whenEnded(state, tx.Now), string(counts), to, a.plan.isWhole, a.run); err != nil || state != domain.RunApplied {
			return struct{}{}, err
		}
		return struct{}{}, errors.Join(a.plan.keepSerials(ctx, tx), forgetInput(ctx, tx, a.run))
	})
	return err
}

// writeClaims writes what the source says of each record, once the records are there. A record that was left out is
// not claimed: the next run does it.
func (a *applying) writeClaims(ctx context.Context) error {
	for chunk := range slices.Chunk(a.plan.work.claims, batchSize) {
		if a.failed {
			return nil
		}
		var fresh, all []*claim
		for _, r := range chunk {
			id := r.id
			if id == 0 {
				id = a.ids[r]
			}
			if id == 0 || a.left[r] {
				continue
			}
			c := &claim{source: a.plan.Source, key: r.key, scope: a.plan.Scope, record: id, hash: r.hash, body: r.body, isSettled: r.settles()}
			if all = append(all, c); r.own == nil {
				fresh = append(fresh, c)
			}
		}
		if len(fresh) == len(all) {
			err := a.plainly(ctx, len(chunk), func(ctx context.Context, tx *store.Tx) error { return addClaims(ctx, tx, a.run, all) })
			if errs.CodeOf(err) != errs.AlreadyExists {
				if err != nil {
					return err
				}
				continue
			}
			a.failed = false // another run has made some of the claims meanwhile
		}
		if err := a.plainly(ctx, len(chunk), func(ctx context.Context, tx *store.Tx) error { return saveClaims(ctx, tx, a.run, all) }); err != nil {
			return err
		}
	}
	return nil
}

// unsettle notes of which records the next run has something to say: rows that were left out as they were read, and
// those that could not be written as planned.
func (a *applying) unsettle(ctx context.Context) error {
	keys := slices.Clone(a.plan.work.unsettled)
	for r := range a.left {
		if r.own != nil {
			keys = append(keys, r.key)
		}
	}
	for chunk := range slices.Chunk(keys, batchSize) {
		if a.failed {
			return nil
		}
		list, args := in(2, chunk)
		if err := a.plainly(ctx, 0, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE x_claim SET is_settled = false WHERE is_settled AND source = $1 AND key IN "+list, append([]any{a.plan.Source}, args...)...)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// writeMissing notes which records the source has lost, and in how many complete runs.
func (a *applying) writeMissing(ctx context.Context) error {
	for chunk := range slices.Chunk(a.plan.work.missing, batchSize) {
		if a.failed {
			return nil
		}
		keys := make([]string, len(chunk))
		for i, c := range chunk {
			keys[i] = c.key
		}
		list, args := in(3, keys)
		if err := a.plainly(ctx, len(chunk), func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE x_claim SET missing_runs = CASE WHEN missing_since IS NULL THEN 0 ELSE missing_runs + 1 END,
				missing_since = coalesce(missing_since, $1) WHERE source = $2 AND key IN `+list, append([]any{tx.Now, a.plan.Source}, args...)...)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// forget drops dangling references that nobody makes any more.
func (a *applying) forget(ctx context.Context) error {
	for chunk := range slices.Chunk(a.plan.work.forgotten, batchSize) {
		if a.failed {
			return nil
		}
		if err := a.plainly(ctx, 0, func(ctx context.Context, tx *store.Tx) error { return cmdb.ForgetDanglingTx(ctx, tx, chunk) }); err != nil {
			return err
		}
	}
	return nil
}

// plainly writes n units in a transaction without refusals.
func (a *applying) plainly(ctx context.Context, n int, write func(context.Context, *store.Tx) error) error {
	_, err := store.Write(ctx, a.store, a.by, func(ctx context.Context, tx *store.Tx) (struct{}, error) {
		if err := a.beat(ctx, tx); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, write(ctx, tx)
	})
	if err != nil {
		a.failed = true
		return err
	}
	if a.done += n; a.progress != nil {
		a.progress(Progress{Applying, a.done, a.total})
	}
	return nil
}
