// Package safe starts goroutines. It refuses to let a panic in one of them take the process down.
package safe

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"
)

// Go runs f in a goroutine of its own. A panic of f is logged, with what f does, and ends f alone.
func Go(log *slog.Logger, what string, f func()) {
	go guarded(log, what, f)
}

// Every runs f in a goroutine of its own, again and again until ctx ends, after the pause that is asked for each time. A
// panic of f is logged and ends that run alone, as does an error.
func Every(ctx context.Context, log *slog.Logger, what string, pause func() time.Duration, f func(context.Context) error) {
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause()):
			}
			guarded(log, what, func() {
				if err := f(ctx); err != nil && ctx.Err() == nil {
					log.Warn("failed, and will be tried again", "in", what, "error", err)
				}
			})
		}
	}()
}

func guarded(log *slog.Logger, what string, f func()) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("panic", "in", what, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	f()
}
