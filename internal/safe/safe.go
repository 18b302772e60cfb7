// Package safe starts goroutines. It refuses to let a panic in one of them take the process down.
package safe

import (
	"log/slog"
	"runtime/debug"
)

// Go runs f in a goroutine of its own. A panic of f is logged, with what f does, and ends f alone.
func Go(log *slog.Logger, what string, f func()) {
	go func() {
		defer func() {
			if p := recover(); p != nil {
				log.Error("panic", "in", what, "panic", p, "stack", string(debug.Stack()))
			}
		}()
		f()
	}()
}
