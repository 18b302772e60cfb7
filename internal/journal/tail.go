package journal

import (
	"context"
	"iter"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

const (
	replayLimit = 10_000 // revisions that a follower may be behind
	keptEntries = 4_096  // of the newest revisions, in memory
	pageEntries = 1_000  // read at once from the database
	pageItems   = 100    // taken at once from memory
)

// Told is one message to a follower: the content of one revision, or, if Resync is set, that it missed the revisions up
// to this one and will not hear of them.
type Told[T any] struct {
	Revision int64
	Mark     uint64 // of the revision's token
	What     T
	Resync   domain.Resync
}

// Token returns the token of the revision.
func (t Told[T]) Token() domain.RevisionToken {
	return domain.RevisionToken{Revision: t.Revision, Mark: t.Mark}
}

// Commits returns, revision by revision and without end, the entries written after a revision, or from now on. It reads
// only the journal, so that a follower that resumes after the last revision it heard misses nothing and hears nothing
// twice, whichever server wrote. It ends with ctx. The graph shows each revision before it is told.
func (f *Feed) Commits(ctx context.Context, after *domain.RevisionToken) (iter.Seq[Told[[]*ent.Entry]], error) {
	return follow(ctx, f, f.commits, after, followed[[]*ent.Entry]{
		older: f.older,
		mark:  func(_ int64, entries []*ent.Entry) uint64 { return domain.MarkOf(entries[0].Digest) },
	})
}

// followed is what followers hear of a kind: older reads revisions that the window no longer has, and mark returns that
// of a revision's token.
type followed[T any] struct {
	older func(ctx context.Context, from, to int64) ([]T, error)
	mark  func(revision int64, what T) uint64
}

// follow runs the loop of every follower: it waits for the next revision, takes it from the window or else from what is
// older, and tells a resync if neither has it.
func follow[T any](ctx context.Context, f *Feed, w *window[T], after *domain.RevisionToken, of followed[T]) (iter.Seq[Told[T]], error) {
	era := w.now()
	last, resync := max(w.newest(), f.graph.Snapshot().Revision()), domain.Resync("")
	if after != nil {
		var err error
		if resync, err = f.missed(ctx, *after, last); err != nil {
			return nil, err
		}
		if resync == "" {
			last = after.Revision
		}
	}
	resynced := func(reason domain.Resync) Told[T] {
		return Told[T]{Revision: last, Mark: f.Token(ctx, last).Mark, Resync: reason}
	}
	return func(yield func(Told[T]) bool) {
		f.live.Add(1)
		defer f.live.Add(-1)
		if resync != "" && !yield(resynced(resync)) {
			return
		}
		for reason := domain.TooOld; ; reason = domain.TooSlow {
			newest, err := w.wait(ctx, last+1, era)
			if err != nil {
				return
			}
			if now := w.now(); now != era {
				era, last = now, w.newest()
				if !yield(resynced(domain.HistoryChanged)) {
					return
				}
				continue
			}
			var items []T
			if newest-last <= f.replay {
				if items, err = retry(ctx, f, func() ([]T, error) {
					if found := w.from(last+1, pageItems); found != nil {
						return found, nil
					}
					return of.older(ctx, last+1, newest)
				}); err != nil {
					return
				}
			}
			if w.now() != era {
				continue // what was read may be of either history
			}
			if len(items) == 0 {
				last = newest
				if !yield(resynced(reason)) {
					return
				}
			}
			for _, item := range items {
				last++
				if !yield(Told[T]{Revision: last, Mark: of.mark(last, item), What: item}) {
					return
				}
			}
		}
	}, nil
}

// missed returns why a follower that heard the revision of a token last cannot go on after it. If it can, it returns
// "". shown is the newest revision that this server shows.
func (f *Feed) missed(ctx context.Context, after domain.RevisionToken, shown int64) (domain.Resync, error) {
	if after.Revision < 0 {
		return "", errs.New(errs.BadUserInput, "after is %d: revisions count from 0", after.Revision)
	}
	switch err := f.Recognise(ctx, after); {
	case errs.CodeOf(err) == errs.HistoryChanged:
		return domain.HistoryChanged, nil
	case errs.CodeOf(err) == errs.TooOld:
		return domain.TooOld, nil
	case err != nil || after.Revision <= shown:
		return "", err
	}
	head, err := f.store.Revision(ctx)
	if err == nil && after.Revision > head {
		return domain.UnknownRevision, nil
	}
	return "", err
}

// retry calls read until it succeeds or ctx ends: while the database is away nothing can be missed.
func retry[T any](ctx context.Context, f *Feed, read func() (T, error)) (T, error) {
	for {
		found, err := read()
		if err == nil || ctx.Err() != nil {
			return found, err
		}
		f.log.Warn("a follower cannot read the journal", "error", err)
		select {
		case <-time.After(retryAfter):
		case <-ctx.Done():
		}
	}
}

// older reads whole revisions from the database, in pages and from the first on. If the first is not there, or was
// purged, it returns none.
func (f *Feed) older(ctx context.Context, from, to int64) ([][]*ent.Entry, error) {
	read := func(to int64, limit int) ([]*ent.Entry, error) {
		rows, err := f.store.Show.Entry.Query().
			Where(entry.IDGTE(store.EntryID(from, 0)), entry.IDLT(store.EntryID(to+1, 0))).
			Order(entry.ByID(sql.OrderAsc())).Limit(limit).All(ctx)
		return rows, store.Translate(err)
	}
	rows, err := read(min(to, from+revisions), pageEntries)
	if err == nil && len(rows) == pageEntries && rows[0].Revision == rows[len(rows)-1].Revision { // one revision fills the page
		rows, err = read(from, store.MostEntries)
	} else if len(rows) == pageEntries { // the last revision may go on
		for cut := rows[len(rows)-1].Revision; rows[len(rows)-1].Revision == cut; {
			rows = rows[:len(rows)-1]
		}
	}
	if err != nil {
		return nil, err
	}
	if floor, err := f.store.Floor(ctx); err != nil || floor > from { // some of what was read may have been purged meanwhile
		return nil, err
	}
	var found [][]*ent.Entry
	for len(rows) > 0 && rows[0].Revision == from+int64(len(found)) {
		n := 1
		for n < len(rows) && rows[n].Revision == rows[0].Revision {
			n++
		}
		found, rows = append(found, rows[:n:n]), rows[n:]
	}
	return found, nil
}
