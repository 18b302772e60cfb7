// Package topology owns the CI graph in memory: facts, the arcs on which impact travels, and dependency groups compiled
// to counters, as immutable snapshots, one per revision. Package journal tells it every fact. It refuses I/O, and does
// not know what a failure does to whom.
package topology

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Graph makes the snapshots. Readers take the newest with one atomic load and never wait; writers wait for each other.
//
// Each direction of the graph is a compacted base of flat arrays under a small copy-on-write overlay. A write costs
// what it touches; when the overlay has grown to a few per cent of the base, a goroutine compacts a snapshot into a new
// base while writes go on, and lays their changes over the new base before it is published. Compaction also numbers the
// vertices anew, so that a walk finds neighbours close together.
type Graph struct {
	current atomic.Pointer[Snapshot]

	mu         sync.Mutex // held by writers
	writer     writer
	compaction *compaction // the one that runs
	compacted  int64       // how often
	slack      int         // rows that may be laid over before any share of the base counts

	published atomic.Int64 // nanoseconds: see Published
}

// Option changes a default of a graph.
type Option func(*Graph)

// New returns an empty graph at revision 0.
func New(options ...Option) *Graph {
	g := &Graph{writer: newWriter(0, usualPatching), slack: 2048}
	for _, option := range options {
		option(g)
	}
	g.writer.recompile()
	g.current.Store(&Snapshot{tables: g.writer.tables, superseded: make(chan struct{}), descent: &descent{}})
	return g
}

// GapError says that a batch is not the next one. The graph is unchanged; its feed reads the missing revisions again or
// loads everything.
type GapError struct{ Have, Got int64 }

func (e *GapError) Error() string {
	return fmt.Sprintf("revision %d cannot follow revision %d; it must be %d", e.Got, e.Have, e.Have+1)
}

// Load replaces everything by the facts of b, at its revision, in O(facts). If it fails, nothing changes.
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
	g.publish(b.Revision, &descent{})
	g.compactWhenDue()
	return nil
}

// Apply makes the next revision. Failures, which leave the graph as it was: *GapError if b is not the revision after
// the newest, errs.Invalid if a fact is impossible.
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
	isAnew := g.writer.apply(b)
	next := g.Snapshot().descent.next(g.writer.touched())
	if isAnew {
		g.compaction = nil // it compacts tables that are replaced
		next = &descent{}
	}
	g.publish(b.Revision, next)
	g.compactWhenDue()
	return nil
}

func (g *Graph) publish(revision int64, d *descent) {
	s := &Snapshot{tables: g.writer.tables, revision: revision, superseded: make(chan struct{}), descent: d}
	close(g.current.Swap(s).superseded)
}

// Compactions returns how often the overlay was compacted into a new base.
func (g *Graph) Compactions() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.compacted
}

// Published returns for how long the newest compaction held writers up while it published its base, or 0 before the
// first.
func (g *Graph) Published() time.Duration { return time.Duration(g.published.Load()) }

// Snapshot returns the newest snapshot. It is never nil.
func (g *Graph) Snapshot() *Snapshot { return g.current.Load() }

// Wait returns the newest snapshot as soon as it contains a revision, or ctx's error.
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
