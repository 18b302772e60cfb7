package store

import (
	"context"
	"sync/atomic"
)

// Work counts what was done to the database for one context.
type Work struct {
	statements, revision atomic.Int64
}

type workKey struct{}

// Watch returns a context whose work is counted, and the count. If ctx is watched already, it returns ctx and the count
// of the whole.
func Watch(ctx context.Context) (context.Context, *Work) {
	if w := workOf(ctx); w != nil {
		return ctx, w
	}
	w := &Work{}
	return context.WithValue(ctx, workKey{}, w), w
}

func workOf(ctx context.Context) *Work {
	w, _ := ctx.Value(workKey{}).(*Work)
	return w
}

// Statements returns the number of SQL statements that were sent.
func (w *Work) Statements() int64 { return w.statements.Load() }

// Revision returns the newest revision that was written, or 0 if nothing was.
func (w *Work) Revision() int64 { return w.revision.Load() }

func (w *Work) wrote(revision int64) {
	if w == nil {
		return
	}
	for {
		known := w.revision.Load()
		if known >= revision || w.revision.CompareAndSwap(known, revision) {
			return
		}
	}
}
