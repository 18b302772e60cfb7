package main

import (
	"log/slog"
	"os"

	"golang.org/x/term"
)

// newLog writes lines for people on a terminal, JSON otherwise.
func newLog(env *environment) *slog.Logger { return logFrom(env, slog.LevelInfo) }

// logFrom writes the lines of a level and above.
func logFrom(env *environment, least slog.Level) *slog.Logger {
	o := &slog.HandlerOptions{Level: least}
	if isTerminal(env.stderr) {
		return slog.New(slog.NewTextHandler(env.stderr, o))
	}
	return slog.New(slog.NewJSONHandler(env.stderr, o))
}

// isTerminal reports whether what is written is seen by a person at once.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
