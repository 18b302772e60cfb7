package main

import (
	"log/slog"
	"os"

	"golang.org/x/term"
)

// newLog writes lines for people on a terminal, JSON otherwise.
func newLog(env *environment) *slog.Logger {
	if isTerminal(env.stderr) {
		return slog.New(slog.NewTextHandler(env.stderr, nil))
	}
	return slog.New(slog.NewJSONHandler(env.stderr, nil))
}

// isTerminal reports whether what is written is seen by a person at once.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
