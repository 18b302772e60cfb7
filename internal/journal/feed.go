// Package journal tails the committed revisions and tells the topology of them. Writer and replica run the same code:
// the graph hears of every revision through the journal. It refuses to skip one: a gap rebuilds the graph.
package journal

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/safe"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

const (
	tick       = 250 * time.Millisecond // how late a lost hint is noticed
	revisions  = 200                    // read at once, if their entries are not too many
	retryAfter = time.Second
	// standbyPause is how soon a standby is asked again that lacks a revision.
	standbyPause = 5 * time.Millisecond
	patience     = 2 * time.Second // how long a write waits until its graph shows it
)

// Feed keeps a graph at the newest revision of a store.
type Feed struct {
	store *store.Store
	graph *topology.Graph
	log   *slog.Logger

	patience time.Duration
	blockIDs int64 // ids of a block that is loaded at once
	replay   int64 // revisions that a follower may be behind

	running    context.Context // ends when the feed is told to
	wake       chan struct{}
	done       chan struct{}
	marks      *marks
	landmark   landmark // of the goroutine that follows
	kept       *kept
	commits    *window[[]*ent.Entry]
	shown      chan shown
	states     *window[[]impact.Transition]
	digests    *window[topology.Digest]
	tokens     *window[domain.RevisionToken]
	doubt      chan struct{} // the graph is known to be wrong
	rebuilds   atomic.Int64
	histories  atomic.Int64 // that were met
	mismatches atomic.Int64
	head       atomic.Int64              // the newest revision that is known to be written
	live       atomic.Int64              // followers
	current    atomic.Pointer[time.Time] // when the graph was last known to show everything
}

// Option changes a default of a feed.
type Option func(*Feed)

// Follow loads the graph and keeps it current until ctx ends. Writes through the store wait until the graph has heard
// of them, so that writers read their own writes.
func Follow(ctx context.Context, s *store.Store, graph *topology.Graph, log *slog.Logger, options ...Option) (*Feed, error) {
	f := &Feed{
		store: s, graph: graph, log: log, patience: patience, blockIDs: blockIDs, replay: replayLimit, running: ctx, wake: make(chan struct{}, 1), done: make(chan struct{}),
		commits: newWindow(keptEntries, func(entries []*ent.Entry) int { return len(entries) }),
		shown:   make(chan shown, unwatched),
		states:  newWindow(keptStates, func(changed []impact.Transition) int { return 1 + len(changed) }),
		kept:    newKept(graph),
		tokens:  newWindow(keptTokens, func(domain.RevisionToken) int { return 1 }),
		digests: newWindow(keptDigests, func(topology.Digest) int { return 1 }), doubt: make(chan struct{}, 1),
	}
	for _, option := range options {
		option(f)
	}
	if err := f.load(ctx); err != nil {
		return nil, err
	}
	f.states.reset(graph.Snapshot().Revision())
	f.isCurrent(time.Now())
	s.OnCommit(f.catchUp)
	hints, before := s.Hints(ctx), graph.Snapshot()
	safe.Go(log, "the feed", func() { f.run(ctx, hints, before) })
	return f, nil
}

// Log returns the log for failures of the feed and of its followers.
func (f *Feed) Log() *slog.Logger { return f.log }

// Done returns a channel that is closed when the feed has stopped, after its context ended.
func (f *Feed) Done() <-chan struct{} { return f.done }

// Rebuilds returns how often the graph had to be loaded anew because the journal and the graph did not fit.
func (f *Feed) Rebuilds() int64 { return f.rebuilds.Load() }

// HistoryChanges returns how often the database had another history than the one that was followed.
func (f *Feed) HistoryChanges() int64 { return f.histories.Load() }

// Lag returns the time since the graph was last known to show everything that is written. It is the longer one by the
// clock of the wall, which goes on while the machine is suspended, and by the one that nobody sets.
func (f *Feed) Lag() time.Duration {
	last := *f.current.Load()
	return max(time.Since(last), time.Duration(time.Now().UnixNano()-last.UnixNano()))
}

// isCurrent notes that at t the graph showed everything that was written.
func (f *Feed) isCurrent(t time.Time) { f.current.Store(&t) }

// Fresh returns nil if the graph shows all that was written until limit ago. If that is not known, as after a pause of
// the process, it reads the head and waits for the graph, for a short while. Errors: errs.Unavailable.
func (f *Feed) Fresh(ctx context.Context, limit time.Duration) error {
	if f.Lag() <= limit {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, f.patience)
	defer cancel()
	now := time.Now()
	if err := f.CatchUp(ctx); err != nil {
		return errs.New(errs.Unavailable, "this server cannot reach its database, and its graph may be %v old: try again in a moment, or ask another server", f.Lag().Round(time.Second)).Because(err)
	}
	f.isCurrent(now)
	return nil
}

// Behind returns how many revisions are known to be written that the graph does not show yet.
func (f *Feed) Behind() int64 { return max(0, f.head.Load()-f.Revision()) }

// Followers returns the number of followers at this moment: subscriptions.
func (f *Feed) Followers() int64 { return f.live.Load() }

// Past returns about how many bytes the kept graphs of the past take.
func (f *Feed) Past() int64 { return f.kept.bytes() }

// Revision returns the newest revision that the graph shows. A later read of the database sees it too.
func (f *Feed) Revision() int64 { return f.graph.Snapshot().Revision() }

// Await waits, for a short while, until the graph shows a revision. Failures: errs.BadUserInput if nobody has written
// it yet, errs.Unavailable if the graph does not get there.
func (f *Feed) Await(ctx context.Context, revision int64) error {
	if f.Revision() >= revision {
		return nil
	}
	head, err := f.store.Revision(ctx)
	if err != nil {
		return err
	}
	if revision > head {
		return errs.New(errs.BadUserInput, "revision %d lies in the future: the last one is %d", revision, head)
	}
	return f.await(ctx, revision)
}

// CatchUp waits, for a short while, until the graph shows all that is committed by now. Failures: errs.Unavailable if
// it does not get there.
func (f *Feed) CatchUp(ctx context.Context) error {
	head, err := f.store.Revision(ctx)
	if err != nil || f.Revision() >= head {
		return err
	}
	return f.await(ctx, head)
}

func (f *Feed) await(ctx context.Context, revision int64) error {
	f.stir()
	bounded, cancel := context.WithTimeout(ctx, f.patience)
	defer cancel()
	defer safe.AfterFunc(f.running, f.log, "the end of a wait", cancel)()
	if _, err := f.graph.Wait(bounded, revision); err != nil {
		return errs.New(errs.Unavailable, "this server shows revision %d and not yet %d: try again in a moment, or ask another server", f.Revision(), revision).Because(err)
	}
	return nil
}

// stir makes the feed look for new revisions now.
func (f *Feed) stir() {
	select {
	case f.wake <- struct{}{}:
	default: // it is about to
	}
}

// catchUp waits until the graph shows a revision, and no longer than the feed's patience.
func (f *Feed) catchUp(ctx context.Context, revision int64) {
	f.stir()
	ctx, cancel := context.WithTimeout(ctx, f.patience)
	defer cancel()
	defer safe.AfterFunc(f.running, f.log, "the end of a wait", cancel)() // nobody waits for a feed that has stopped
	if _, err := f.graph.Wait(ctx, revision); err != nil && f.running.Err() == nil {
		f.log.Warn("the graph lags behind a write", "revision", revision, "graph", f.graph.Snapshot().Revision())
	}
}

func (f *Feed) run(ctx context.Context, hints <-chan struct{}, before *topology.Snapshot) {
	defer close(f.done)
	defer f.kept.close()
	watched := make(chan struct{})
	defer func() { <-watched }()
	safe.Go(f.log, "the states of services", func() { defer close(watched); f.watch(ctx, before) })
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
		case <-hints:
		case <-ticker.C:
		}
		if err := safe.Call(func() error { return f.tail(ctx) }); err != nil && ctx.Err() == nil {
			f.log.Error("the graph cannot follow the journal", "error", err)
			select {
			case <-time.After(retryAfter):
			case <-ctx.Done():
			}
		}
	}
}

// tail applies every new revision. If the journal does not fit the graph, it builds the graph anew.
func (f *Feed) tail(ctx context.Context) error {
	select {
	case <-f.doubt:
		if err := f.rebuild(ctx, f.Revision(), errDiffers); err != nil {
			f.suspect()
			return err
		}
	default:
	}
	for {
		last := f.graph.Snapshot().Revision()
		// The head is read before the entries: those of a revision that it shows are there to be read.
		now := time.Now()
		pulse, err := f.store.Pulse(ctx)
		if err != nil {
			return err
		}
		f.head.Store(pulse.Revision)
		head, since := f.store.Reached(ctx, pulse, now)
		if pulse.Floor > max(1, last) { // what comes next, and what was told last, may be gone
			if err := f.rebuild(ctx, head, &topology.GapError{Have: last, Got: pulse.Floor}); err != nil {
				return err
			}
			continue
		}
		isHistory, err := f.isHistory(ctx)
		if err != nil {
			return err
		}
		if head < last || !isHistory {
			if err := f.rebuild(ctx, head, errAnotherHistory); err != nil {
				return err
			}
			continue
		}
		if head == last {
			f.isCurrent(since)
			if head == pulse.Revision {
				return nil
			}
			if err := wait(ctx, standbyPause); err != nil { // the standby is about to have it
				return err
			}
			continue
		}
		entries, err := f.store.Follow.Entry.Query().
			Where(entry.IDGTE(store.EntryID(last+1, 0)), entry.IDLT(store.EntryID(last+1+revisions, 0))).
			Order(entry.ByID(sql.OrderAsc())).Limit(store.MostEntries).All(ctx)
		if err != nil {
			return err
		}
		if len(entries) == store.MostEntries { // the last revision may be cut; it is not the only one
			cut := entries[len(entries)-1].Revision
			entries = entries[:slices.IndexFunc(entries, func(e *ent.Entry) bool { return e.Revision == cut })]
		}
		if len(entries) == 0 {
			if err := f.rebuild(ctx, head, &topology.GapError{Have: last, Got: head}); err != nil {
				return err
			}
			continue
		}
		for len(entries) > 0 {
			revision, n := entries[0].Revision, 1
			for n < len(entries) && entries[n].Revision == revision {
				n++
			}
			if err := safe.Call(func() error { return f.apply(revision, entries[:n:n]) }); err != nil {
				if err := f.rebuild(ctx, revision, err); err != nil {
					return err
				}
				break
			}
			entries = entries[n:]
		}
	}
}

func wait(ctx context.Context, pause time.Duration) error {
	select {
	case <-time.After(pause):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *Feed) rebuild(ctx context.Context, revision int64, why error) error {
	f.log.Error("the graph does not fit the journal and is built anew", "revision", revision, "error", why)
	f.rebuilds.Add(1)
	if err := f.load(ctx); err != nil {
		return err
	}
	isAnother := errors.Is(why, errAnotherHistory)
	if isAnother {
		f.histories.Add(1)
		f.commits.restart(f.Revision())
	}
	f.show(shown{f.graph.Snapshot(), isAnother})
	return nil
}

// apply applies one revision to the graph, all of it or nothing.
func (f *Feed) apply(revision int64, entries []*ent.Entry) error {
	mark, err := landmarkOf(entries[0])
	if err != nil {
		return err
	}
	b := topology.Batch{Revision: revision}
	if err := f.marks.read(&b, entries); err != nil {
		return err
	}
	f.tokens.push(mark.token()) // before anybody sees the revision
	if err := f.graph.Apply(b); err != nil {
		return err
	}
	f.landmark = mark
	f.commits.push(entries)
	f.digests.push(f.graph.Snapshot().Digest())
	f.show(shown{f.graph.Snapshot(), false})
	return nil
}
