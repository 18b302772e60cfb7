// Package topology owns the CI graph in memory: facts, the arcs on which impact travels, and dependency
// groups compiled to counters, as immutable snapshots, one per revision. It is told every fact by whoever
// tails the journal; it does no I/O, and it does not know what a failure does to whom.
package topology

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Graph is the one place where snapshots are made. Readers take the newest with one atomic load and
// never wait; writers wait for each other.
//
// Each direction of the graph is a compacted base of flat arrays under a small copy-on-write overlay. A write
// costs what it touches; when the overlay has grown to a few per cent of the base, a goroutine compacts a
// snapshot into a new base while writes go on, and what they changed meanwhile is laid over the new base
// before it is published. Compaction also numbers the vertices anew, so that a walk finds neighbours close together.
type Graph struct {
	current atomic.Pointer[Snapshot]

	mu         sync.Mutex // held by writers
	writer     writer
	compaction *compaction // the one that runs
	compacted  int64       // how often
	slack      int         // rows that may be laid over before any share of the base counts

	published atomic.Int64 // nanoseconds: see Published
}

// Option makes a graph differ from what is usual.
type Option func(*Graph)

// New makes an empty graph at revision 0.
func New(options ...Option) *Graph {
	g := &Graph{writer: newWriter(0, usualPatching), slack: 2048}
	for _, option := range options {
		option(g)
	}
	g.writer.recompile()
	g.current.Store(&Snapshot{tables: g.writer.tables, superseded: make(chan struct{})})
	return g
}

// GapError says that a batch is not the next one. The graph is unchanged; whoever feeds it
// reads the missing revisions again or loads everything.
type GapError struct{ Have, Got int64 }

func (e *GapError) Error() string {
	return fmt.Sprintf("revision %d cannot follow revision %d; it must be %d", e.Got, e.Have, e.Have+1)
}

// Load replaces everything by the facts of b, at its revision, in O(facts). On an error nothing changes.
func (g *Graph) Load(b Batch) error {
	b, err := b.normalise()
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	edit := g.writer.edit + 1
	g.writer = newWriter(edit, g.writer.patching)
	g.writer.load(b)
	g.compaction = nil
	g.publish(b.Revision)
	g.compactWhenDue()
	return nil
}

// Apply makes the next revision. Another revision than the one after the newest is a *GapError, a fact
// that cannot be is errs.Invalid; both leave the graph as it was.
func (g *Graph) Apply(b Batch) error {
	b, err := b.normalise()
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if have := g.Snapshot().revision; b.Revision != have+1 {
		return &GapError{Have: have, Got: b.Revision}
	}
	if g.writer.apply(b) {
		g.compaction = nil // what it compacts is no longer what is
	}
	g.publish(b.Revision)
	g.compactWhenDue()
	return nil
}

func (g *Graph) publish(revision int64) {
	s := &Snapshot{tables: g.writer.tables, revision: revision, superseded: make(chan struct{})}
	close(g.current.Swap(s).superseded)
}

// Compactions is how often what writes lay over the graph was made part of it.
func (g *Graph) Compactions() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.compacted
}

// Published is for how long the newest compaction held writers up while it published its base; 0 before the first.
func (g *Graph) Published() time.Duration { return time.Duration(g.published.Load()) }

// Snapshot is the newest. It is never nil.
func (g *Graph) Snapshot() *Snapshot { return g.current.Load() }

// Wait gives the newest snapshot as soon as it contains a revision, or ctx's error.
func (g *Graph) Wait(ctx context.Context, revision int64) (*Snapshot, error) {
	for {
		s := g.Snapshot()
		if s.revision >= revision {
			return s, nil
		}
		select {
		case <-s.superseded:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
