// Package safe starts goroutines. It refuses to let a panic in one of them take the process down.
package safe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// Go runs f in a goroutine of its own. A panic of f is logged, with what f does, and ends f alone. A nil log is slog's default.
func Go(log *slog.Logger, what string, f func()) {
	go guarded(log, what, f)
}

// Every runs f in a goroutine of its own, again and again until ctx ends, after the pause that is asked for each time. A
// panic of f is logged and ends that run alone, as does an error.
func Every(ctx context.Context, log *slog.Logger, what string, pause func() time.Duration, f func(context.Context) error) {
	Go(log, what, func() {
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
	})
}

func guarded(log *slog.Logger, what string, f func()) {
	if err := Call(func() error { f(); return nil }); err != nil {
		if log == nil {
			log = slog.Default()
		}
		log.Error("panic", "in", what, "error", err)
	}
}

// Call calls f. A panic of f is the error, which tells where it was.
func Call(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}

// Crew does work in n goroutines, told apart by number, and returns when all have ended. A panic of one is a panic of the caller.
func Crew(n int, work func(member int)) {
	var all sync.WaitGroup
	failures := make([]error, n)
	for i := range n {
		all.Add(1)
		go func() {
			defer all.Done()
			failures[i] = Call(func() error { work(i); return nil })
		}()
	}
	all.Wait()
	if err := errors.Join(failures...); err != nil {
		panic(err)
	}
}
