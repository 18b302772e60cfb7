package importer

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgconn"
)

// kept is what a source yielded, as a run keeps it until it is applied.
type kept struct {
	Origin  Origin   `json:"origin"`
	Row     *Row     `json:"row,omitempty"`
	Deleted string   `json:"deleted,omitempty"`
	Notices []Notice `json:"notices,omitempty"` // of the row
	Notice  *Notice  `json:"notice,omitempty"`  // in place of a row
}

func keptRow(r Row) kept {
	return kept{Origin: r.Origin, Row: &r, Deleted: r.Deleted, Notices: r.Notices}
}

// input is what a run has kept, as a source.
type input struct {
	name string
	all  []kept
}

// Name returns the name of the source that yielded it.
func (i input) Name() string { return i.name }

// Rows yields what the source yielded.
func (i input) Rows(context.Context) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, k := range i.all {
			var row Row
			if k.Row != nil {
				row = *k.Row
			}
			row.Origin, row.Deleted, row.Notices = k.Origin, k.Deleted, k.Notices
			var err error
			if k.Notice != nil {
				err = k.Notice
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

const keptAtOnce = 2_000

// packed is what a plan has read, to be kept if it is not applied at once: in parts that take little memory.
type packed struct {
	parts [][]byte
	rest  []kept
}

func (p *packed) add(k kept) error {
	if p.rest = append(p.rest, k); len(p.rest) < keptAtOnce {
		return nil
	}
	return p.flush()
}

// flush packs what has been added since it was last called.
func (p *packed) flush() error {
	if len(p.rest) == 0 {
		return nil
	}
	var part bytes.Buffer
	w, err := gzip.NewWriterLevel(&part, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if err := errors.Join(json.NewEncoder(w).Encode(p.rest), w.Close()); err != nil {
		return err
	}
	p.parts, p.rest = append(p.parts, part.Bytes()), nil
	return nil
}

// keepInput keeps what was read, so that the run can be applied later. It keeps nothing that a newer reading makes void
// by its serial: read that again.
func (a *applying) keepInput(ctx context.Context) error {
	if len(a.plan.serials) > 0 {
		return nil
	}
	for i, part := range a.plan.input.parts {
		if _, err := store.Write(ctx, a.store, a.by, func(ctx context.Context, tx *store.Tx) (struct{}, error) {
			_, err := tx.ExecContext(ctx, "INSERT INTO x_run_input (run, part, rows) VALUES ($1, $2, $3)", a.run, i, part)
			return struct{}{}, err
		}); err != nil {
			return err
		}
	}
	return nil
}

// readInput reads what a run has kept.
func readInput(ctx context.Context, s *store.Store, run int64) (all []kept, err error) {
	rows, err := s.Read.QueryContext(ctx, "SELECT rows FROM x_run_input WHERE run = $1 ORDER BY part", run)
	if err != nil {
		return nil, store.Translate(err)
	}
	defer func() { err = errors.Join(err, store.Translate(rows.Close())) }()
	for rows.Next() {
		var packed []byte
		if err := rows.Scan(&packed); err != nil {
			return nil, store.Translate(err)
		}
		r, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return nil, fmt.Errorf("what run %d has kept: %w", run, err)
		}
		var some []kept
		if err := json.NewDecoder(r).Decode(&some); err != nil {
			return nil, fmt.Errorf("what run %d has kept: %w", run, err)
		}
		all = append(all, some...)
	}
	return all, store.Translate(rows.Err())
}

// Keep stores the plan as a run, with what was read, so that it can be looked at, applied later by ApplyRun, or
// discarded. It returns the number of the run.
func (p *Plan) Keep(ctx context.Context, s *store.Store) (int64, error) {
	actor, err := auth.RequireOf(ctx, "import.apply", p.Source)
	if err != nil {
		return 0, err
	}
	if len(p.serials) > 0 {
		return 0, errs.New(errs.BadUserInput, "a plan of %s is not kept, since a newer reading makes it void: look at it by --dry-run", p.Source)
	}
	a := newApplying(p, s, actor, nil)
	a.run, err = store.Write(ctx, s, a.by, func(ctx context.Context, tx *store.Tx) (int64, error) {
		return a.insertRun(ctx, tx, domain.RunFailed, "it could not be kept as a whole: run it again")
	})
	if err != nil {
		return 0, err
	}
	state := domain.RunPlanned
	if p.Refused != "" {
		state = domain.RunRefused
	}
	return a.run, errors.Join(a.keepInput(ctx), a.endRun(ctx, state, p.Refused))
}

// ApplyRun applies a run that is planned, or that failed halfway, to the database as it is now: what it has read is
// compared anew, and the result counts the steps that are others than when it was planned. Failures: errs.NotFound if
// there is no such run, errs.TransitionRefused if it is in another state or has kept nothing, those of Apply.
func ApplyRun(ctx context.Context, s *store.Store, id int64, progress func(Progress)) (*Plan, Result, error) {
	ctx = store.Anew(pgconn.Patient(ctx))
	run, err := ReadRun(ctx, s, id)
	if err != nil {
		return nil, Result{}, err
	}
	if _, err := auth.RequireOf(ctx, "import.apply", run.Source); err != nil {
		return nil, Result{}, err
	}
	if run.State != domain.RunPlanned && run.State != domain.RunFailed {
		return nil, Result{}, errs.New(errs.TransitionRefused, "run %d is %s: what is PLANNED or FAILED can be applied, and what was REFUSED once somebody has approved it", id, run.State)
	}
	all, err := readInput(ctx, s, id)
	if err == nil && len(all) == 0 {
		err = errs.New(errs.TransitionRefused, "what run %d had read is not kept: read the source again", id)
	}
	if err != nil {
		return nil, Result{}, err
	}
	before, err := QueryRows(ctx, s, ofRun(id))
	if err != nil {
		return nil, Result{}, err
	}
	o := Options{Scope: run.Scope, Kind: run.Kind, RetireUpTo: run.RetireUpTo, Progress: progress}
	plan, err := NewPlan(ctx, s, input{run.Source, all}, o)
	if err != nil {
		return nil, Result{}, err
	}
	plan.run = id
	otherwise, err := plan.otherThan(before)
	if err != nil {
		return nil, Result{}, err
	}
	plan.otherwise = otherwise
	result, err := plan.Apply(ctx, s, progress)
	result.Otherwise = otherwise
	return plan, result, err
}

// otherThan counts the steps that are not among those that were planned before, and those that are no more.
func (p *Plan) otherThan(before []*RunRow) (n int, err error) {
	count := map[string]int{}
	for _, r := range before {
		text, err := json.Marshal(r.Step)
		if err != nil {
			return 0, err
		}
		count[string(text)]++
	}
	for _, step := range p.Steps {
		if step.Outcome == Unchanged {
			continue
		}
		text, err := json.Marshal(step)
		if err != nil {
			return 0, err
		}
		if count[string(text)]--; count[string(text)] < 0 {
			count[string(text)] = 0
			n++
		}
	}
	for _, more := range count {
		n += more
	}
	return n, nil
}

// ApproveRun lets a run pass that was refused since too much is gone: up to so many records may go missing in it. It is
// planned then, and is applied by ApplyRun.
func ApproveRun(ctx context.Context, s *store.Store, id int64, retireUpTo int) error {
	if retireUpTo < 1 {
		return errs.New(errs.Invalid, "%d is no number of records that may go missing: 1 or more", retireUpTo).At("retireUpTo")
	}
	_, err := auth.Write(ctx, s, "import.approve", func(ctx context.Context, tx *store.Tx) (bool, error) {
		return true, moveRun(ctx, tx, id, domain.RunPlanned, []domain.RunState{domain.RunRefused}, ", reason = '', retire_up_to = $4, approved_by = $5", retireUpTo, tx.Actor)
	})
	return err
}

// DiscardRun gives up a run that is planned or was refused, and forgets what it has read.
func DiscardRun(ctx context.Context, s *store.Store, id int64) error {
	run, err := ReadRun(ctx, s, id)
	if err != nil {
		return err
	}
	actor, err := auth.RequireOf(ctx, "import.discard", run.Source)
	if err != nil {
		return err
	}
	_, err = store.Write(ctx, s, actor.By("import.discard"), func(ctx context.Context, tx *store.Tx) (bool, error) {
		if err := moveRun(ctx, tx, id, domain.RunDiscarded, []domain.RunState{domain.RunPlanned, domain.RunRefused}, ", finished_at = $4", tx.Now); err != nil {
			return false, err
		}
		return true, forgetInput(ctx, tx, id)
	})
	return err
}

func forgetInput(ctx context.Context, tx *store.Tx, run int64) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM x_run_input WHERE run = $1", run)
	return err
}

// moveRun moves a run from one of some states to another one, and sets more of it, whose first parameter is the fourth.
func moveRun(ctx context.Context, tx *store.Tx, id int64, to domain.RunState, from []domain.RunState, more string, args ...any) error {
	var is string
	if err := scanOne(ctx, tx, &is, "SELECT state FROM x_run WHERE id = $1", id); err != nil {
		return err
	}
	if is == "" {
		return errs.New(errs.NotFound, "there is no run %d", id).At("id")
	}
	refused := errs.New(errs.TransitionRefused, "run %d is %s: that is for runs that are %v", id, is, from).At("id")
	if !slices.Contains(from, domain.RunState(is)) {
		return refused
	}
	done, err := tx.ExecContext(ctx, "UPDATE x_run SET state = $1"+more+" WHERE id = $2 AND state = $3", append([]any{string(to), id, is}, args...)...)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return refused // it has moved meanwhile
}
