package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// rewinding is how long making one past snapshot may take. It goes on when the callers have left: the next caller finds
// the snapshot.
const rewinding = 2 * time.Minute

// At returns the graph as it was in a revision. It waits at most 2 s for one that this graph has not heard of yet.
// Failures: errs.Unavailable if the graph does not get there, errs.BadUserInput if the revision lies in the future or
// before the first one, errs.TooOld if it was purged.
//
// The past is the present with all later writes undone: the cost grows with their number. The revisions asked for last
// are kept.
func (f *Feed) At(ctx context.Context, revision int64) (*topology.Snapshot, error) {
	now := f.graph.Snapshot()
	if revision > now.Revision() {
		if err := f.Await(ctx, revision); err != nil {
			return nil, err
		}
		now = f.graph.Snapshot()
	}
	if revision == now.Revision() {
		return now, nil
	}
	if first, isPurged, err := f.first(ctx); err != nil {
		return nil, err
	} else if revision < first.Revision {
		return nil, beforeAll(isPurged, "revision %d lies before the journal begins, which is with revision %d", revision, first.Revision)
	}
	return f.kept.at(ctx, revision, func() (*topology.Snapshot, error) { return f.rewind(revision) })
}

// beforeAll returns the failure of a question about what lies before the journal, which was purged, perhaps.
func beforeAll(isPurged bool, what string, args ...any) error {
	if !isPurged {
		return errs.New(errs.BadUserInput, what, args...)
	}
	return errs.New(errs.TooOld, what+": what lies before was purged, and the export that was made then has it", args...)
}

// Lately returns the graph as it was at a moment. If that lies in the future, before the journal, or more than most
// entries back, it returns the graph as it is now, for callers to whom an answer matters more than the past. The
// snapshot tells its revision.
func (f *Feed) Lately(ctx context.Context, moment time.Time, most int) (*topology.Snapshot, error) {
	revision, err := f.RevisionAt(ctx, moment)
	if code := errs.CodeOf(err); code == errs.BadUserInput || code == errs.TooOld {
		return f.graph.Snapshot(), nil
	}
	if err != nil {
		return nil, err
	}
	isLong, err := f.store.Show.Entry.Query().Where(entry.IDGTE(store.EntryID(revision+1, 0))).Order(entry.ByID(sql.OrderAsc())).Offset(most).Exist(ctx)
	if err != nil {
		return nil, store.Translate(err)
	}
	if isLong {
		return f.graph.Snapshot(), nil
	}
	return f.At(ctx, revision)
}

// RevisionAt returns the last revision written at or before a moment, found by bisection: if the clocks of several
// writers disagree, it is one of which the next was written later. Failures: errs.BadUserInput if the moment lies in
// the future or before the first write, errs.TooOld if what was then was purged.
func (f *Feed) RevisionAt(ctx context.Context, moment time.Time) (int64, error) {
	if moment.Truncate(time.Microsecond).After(f.store.Now(ctx)) { // as the store keeps time
		return 0, errs.New(errs.BadUserInput, "%s lies in the future: name a moment of the past", moment.UTC().Format(time.RFC3339Nano))
	}
	head, err := f.store.Revision(ctx)
	if err != nil {
		return 0, err
	}
	first, isPurged, err := f.first(ctx)
	if err != nil {
		return 0, err
	}
	if first.At.After(moment) {
		return 0, beforeAll(isPurged, "%s lies before the first write, which was at %s",
			moment.UTC().Format(time.RFC3339Nano), first.At.UTC().Format(time.RFC3339Nano))
	}
	before, after := first.Revision, head+1
	for before+1 < after {
		middle := before + (after-before)/2
		e, err := f.from(ctx, middle)
		if err != nil {
			return 0, err
		}
		if e == nil || e.Revision >= after || e.At.After(moment) {
			after = middle
		} else {
			before = e.Revision
		}
	}
	return before, nil
}

// first returns the first entry of the first revision that the journal has whole, and whether older ones were purged.
func (f *Feed) first(ctx context.Context) (e *ent.Entry, isPurged bool, err error) {
	floor, err := f.store.Floor(ctx)
	if err != nil {
		return nil, false, err
	}
	e, err = f.from(ctx, floor)
	if err == nil && e == nil {
		return nil, false, errs.New(errs.BadUserInput, "the journal is empty: there is no past")
	}
	return e, floor > 1, err
}

// from returns the first entry of a revision, or of the next revision that has one. If there is none, it returns nil.
func (f *Feed) from(ctx context.Context, revision int64) (*ent.Entry, error) {
	found, err := f.store.Show.Entry.Query().Where(entry.IDGTE(store.EntryID(revision, 0))).Order(entry.ByID(sql.OrderAsc())).
		Limit(1).Select(entry.FieldRevision, entry.FieldAt).All(ctx)
	if err != nil || len(found) == 0 {
		return nil, store.Translate(err)
	}
	return found[0], nil
}

// rewind makes the snapshot of a revision from the newest. It returns a panic as an error: nobody else would catch it.
func (f *Feed) rewind(revision int64) (s *topology.Snapshot, err error) {
	defer func() {
		if p := recover(); p != nil {
			s, err = nil, fmt.Errorf("rewind to revision %d: panic: %v", revision, p)
		}
	}()
	ctx, cancel := context.WithTimeout(f.running, rewinding)
	defer cancel()
	now := f.graph.Snapshot() // before the journal is read: the entries of all it shows are there to be read
	b, err := then(ctx, f.store, revision)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return nil, errs.New(errs.Timeout, "too much was written since revision %s to undo it in %v", strconv.FormatInt(revision, 10), rewinding).Because(err)
	case err != nil:
		return nil, store.Translate(err)
	}
	if floor, err := f.store.Floor(ctx); err != nil || revision < floor { // it may have been purged while it was read
		return nil, cmp.Or(err, beforeAll(true, "revision %d lies before the journal begins, which is with revision %d", revision, floor))
	}
	return now.Rewound(b)
}
