// Package safe starts goroutines. It refuses to let a panic in one of them take the process down.
package safe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"sync"
	"time"
)

// Go runs f in a goroutine of its own. A panic of f is logged, with what f does, and ends f alone. A nil log stands for
// slog's default.
func Go(log *slog.Logger, what string, f func()) {
	go guarded(log, what, f)
}

// AfterFunc runs f in a goroutine of its own once ctx ends, unless stop is called before, as context.AfterFunc does. A
// panic of f is logged, with what f does.
func AfterFunc(ctx context.Context, log *slog.Logger, what string, f func()) (stop func() bool) {
	return context.AfterFunc(ctx, func() { guarded(log, what, f) })
}

// Timer runs f in a goroutine of its own after a while, as time.AfterFunc does. A panic of f is logged, with what f
// does.
func Timer(log *slog.Logger, what string, after time.Duration, f func()) *time.Timer {
	return time.AfterFunc(after, func() { guarded(log, what, f) })
}

// Every runs f in a goroutine of its own, again and again until ctx ends, and calls pause for the time to wait before
// each run. A panic or an error of f is logged and ends that run alone.
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

// Measure returns value for callers that run it in goroutines of their own, as Prometheus does. If value panics, the
// panic is logged and the measurement is NaN.
func Measure(log *slog.Logger, what string, value func() float64) func() float64 {
	return func() float64 {
		measured := math.NaN()
		guarded(log, what, func() { measured = value() })
		return measured
	}
}

// Call calls f and returns its error. If f panics, the error holds the panic and its stack.
func Call(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}

// Crew calls work with the numbers below n, each in a goroutine of its own, and returns when all have ended. If one
// panicked, it panics.
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
