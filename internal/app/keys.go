package app

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/safe"
)

// sweepEvery is how often old idempotency keys are looked for.
const sweepEvery = time.Minute

// ForgetKeys forgets idempotency keys that are older than an age, until ctx ends.
func (a *App) ForgetKeys(ctx context.Context, age time.Duration) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(sweepEvery + rand.N(sweepEvery)): // replicas take turns
		}
		err := safe.Call(func() error { _, err := a.Store.ForgetKeys(ctx, age); return err })
		if err != nil && ctx.Err() == nil {
			a.log.Warn("old idempotency keys were not forgotten", "error", err)
		}
	}
}
