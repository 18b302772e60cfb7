package app

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/auth/session"
	"github.com/linchpin-cmdb/linchpin/internal/importer/schedule"
	"github.com/linchpin-cmdb/linchpin/internal/safe"
)

// sweepEvery is how often old idempotency keys are looked for, at most.
const sweepEvery = time.Minute

// forgetEvery is how often sessions that have expired are looked for, at most.
const forgetEvery = 30 * time.Minute

// signEvery is how often the journal is signed, at most, if something was written.
const signEvery = time.Minute

// scheduledEvery is how often a server looks for imports that are due, at most.
const scheduledEvery = 5 * time.Second

// Chores are the intervals of a server's chores.
type Chores struct {
	KeepKeys      time.Duration // for how long an idempotency key is remembered, at least
	Verify        time.Duration // about how often the graph is compared with the tables; 0 for never
	CloseResolved time.Duration // how long after it was resolved an incident is closed; 0 for never
	Schedules     []schedule.Schedule
}

// Start starts the chores, which end with ctx. Any number of servers may do them for one database.
func (a *App) Start(ctx context.Context, c Chores) {
	safe.Every(ctx, a.log, "forgetting idempotency keys", about(sweepEvery, 2*sweepEvery), func(ctx context.Context) error {
		_, err := a.Store.ForgetKeys(ctx, c.KeepKeys)
		return err
	})
	safe.Every(ctx, a.log, "forgetting sessions and sign-ins", about(forgetEvery, 2*forgetEvery), func(ctx context.Context) error {
		return session.Forget(ctx, a.Store)
	})
	safe.Every(ctx, a.log, "signing the journal", about(signEvery/2, signEvery), a.Checkpoint)
	safe.Go(a.log, "watching service levels", func() { a.ServiceLevel.Watch(ctx, a.log) })
	a.scheduled.Start(ctx, c.Schedules, about(scheduledEvery, 2*scheduledEvery))
	if c.Verify > 0 {
		safe.Every(ctx, a.log, "comparing the graph with the tables", about(c.Verify/2, c.Verify/2+c.Verify), a.feed.Verify)
	}
	if c.CloseResolved > 0 {
		a.Incident.KeepClosing(ctx, c.CloseResolved, a.log)
	}
}

// about returns a pause of random length, so that servers take turns.
func about(least, most time.Duration) func() time.Duration {
	return func() time.Duration { return least + rand.N(most-least) }
}
