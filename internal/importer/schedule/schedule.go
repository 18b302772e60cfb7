// Package schedule imports what is to be read again and again, such as databases and folders. Of any number of servers
// one does it: the one that takes the lease of the schedule. Of a time that was missed, one reading is made up for.
package schedule

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/safe"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Runner runs schedules on one server.
type Runner struct {
	Store  *store.Store
	Holder string // the name of the server, for people
	Open   func(Schedule) (importer.Source, error)
	Log    *slog.Logger

	runs, failures atomic.Int64
}

const (
	hold   = 2 * time.Minute // for how long a server that is gone keeps others waiting
	jitter = 10              // percent by which readings are earlier or later than every says
)

// Runs counts the readings that this server made, and Failures those that failed.
func (r *Runner) Runs() int64 { return r.runs.Load() }

// Failures counts the readings that failed.
func (r *Runner) Failures() int64 { return r.failures.Load() }

// Start runs schedules until ctx ends.
func (r *Runner) Start(ctx context.Context, all []Schedule, pause func() time.Duration) {
	for _, s := range all {
		safe.Every(ctx, r.Log, "importing as the schedule "+s.Name+" says", pause, func(ctx context.Context) error {
			_, err := r.Due(ctx, s)
			return err
		})
	}
}

// Due imports what a schedule says, if it is due and no other server does it. It reports whether it did.
func (r *Runner) Due(ctx context.Context, s Schedule) (did bool, err error) {
	lease, err := r.Store.TakeLease(ctx, auth.System.By("source.schedule"), s.Name, r.Holder, hold)
	if err != nil || lease == nil {
		return false, err
	}
	r.runs.Add(1)
	running, stop := context.WithCancelCause(lease.Fence(auth.With(ctx, auth.System)))
	kept := make(chan struct{})
	safe.Go(r.Log, "keeping the lease of the schedule "+s.Name, func() {
		defer close(kept)
		keep(running, lease, stop)
	})
	err = safe.Call(func() error { return r.read(running, s) })
	if cause := context.Cause(running); cause != nil {
		err = cause
	}
	stop(nil)
	<-kept
	if err != nil {
		r.failures.Add(1)
		err = fmt.Errorf("schedule %s: %w", s.Name, err)
	}
	next := s.Every + time.Duration(rand.Int64N(int64(s.Every)*2*jitter/100)) - s.Every*jitter/100
	if ended := lease.End(context.WithoutCancel(ctx), next, err); err == nil {
		err = ended
	}
	return true, err
}

// keep keeps a lease until ctx ends, and ends ctx if another server has it.
func keep(ctx context.Context, lease *store.Lease, stop context.CancelCauseFunc) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(hold / 4):
		}
		if ok, err := lease.Keep(ctx, hold); err == nil && !ok {
			stop(fmt.Errorf("another server has taken over, since this one was not heard of for %s", hold))
			return
		}
	}
}

// read imports what a schedule says. A reading that fails before it plans is noted as a run too.
func (r *Runner) read(ctx context.Context, s Schedule) error {
	options := importer.Options{Scope: s.Scope}
	if s.Full {
		options.Kind = domain.FullRun
	}
	name := s.Source
	plan, err := func() (*importer.Plan, error) {
		source, err := r.Open(s)
		if err != nil {
			return nil, err
		}
		if name = source.Name(); s.Source != "" {
			name = s.Source
			source = importer.Named(source, name)
		}
		classes, err := importer.ClassesOf(ctx, source)
		if err != nil {
			return nil, err
		}
		if _, _, err := importer.Declare(ctx, r.Store, cmdb.New(r.Store), classes); err != nil {
			return nil, err
		}
		return importer.NewPlan(ctx, r.Store, source, options)
	}()
	if err != nil {
		if name == "" {
			name = s.Import
		}
		return importer.NoteFailure(ctx, r.Store, name, options, err)
	}
	result, err := plan.Apply(ctx, r.Store, nil)
	switch {
	case err != nil:
		return err
	case result.Refused != "":
		return fmt.Errorf("the run was refused: %s", result.Refused)
	}
	r.Log.Info("imported", "schedule", s.Name, "source", plan.Source, "run", result.Run, "result", plan.Summary.Sentence())
	return nil
}
