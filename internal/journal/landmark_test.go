package journal_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// TestAnotherHistoryOfTheSameLengthIsNoticed replaces the newest write under a server, as a promoted standby does that
// lacked it and has taken another since: the number is the same.
func TestAnotherHistoryOfTheSameLengthIsNoticed(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		e := newEstate(t, s, 1)
		f := follow(t, open())
		oneMore(t, s, e)
		f.agrees(t, "before")
		head := f.Revision()
		next := listen(t, f, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		states, err := f.States(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		nextState, stop := iter.Pull(states)
		defer stop()

		tx, err := s.Writer().BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{
			"DELETE FROM version WHERE valid_from = $1", "UPDATE entry SET verb = 'another' WHERE revision = $1",
			"DELETE FROM ci WHERE name = 'more' AND $1 > 0",
		} {
			if _, err := tx.ExecContext(t.Context(), statement, head); err != nil {
				t.Fatal(err)
			}
		}
		want, _ := truth(t, s) // of before
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		if got := next(); got.Resync != domain.HistoryChanged || got.Revision != head {
			t.Errorf("a follower of commits heard %d %s", got.Revision, got.Resync)
		}
		if got, _ := nextState(); got.Resync != domain.HistoryChanged || got.Revision != head {
			t.Errorf("a follower of states heard %d %s", got.Revision, got.Resync)
		}
		if now, _ := truth(t, s); now == want || f.graph.Snapshot().Digest() != now {
			t.Error("the graph is not that of the tables")
		}
		oneMore(t, s, e)
		f.agrees(t, "after")
		if got := next(); got.Resync != "" || got.Revision != head+1 {
			t.Errorf("the next write is told as %d %s", got.Revision, got.Resync)
		}
		if n := f.Rebuilds(); n != 1 {
			t.Errorf("%d rebuilds", n)
		}
	})
}

// TestARedactionOfTheNewestRevisionIsNoOtherHistory takes the content out of the entry by which the graph knows its
// history.
func TestARedactionOfTheNewestRevisionIsNoOtherHistory(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		f := follow(t, open())
		person := write(t, s, func(ctx context.Context, tx *store.Tx) (ident.ID, error) {
			p, err := tx.Person.Create().SetName("Olga").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
			if err != nil {
				return 0, err
			}
			return p.ID, nil
		})
		f.agrees(t, "before")
		if _, err := store.Write(t.Context(), s, store.By{Actor: "ada", Verb: store.RedactVerb}, func(ctx context.Context, tx *store.Tx) (int, error) {
			return tx.Redact(ctx, person, "asked for it")
		}); err != nil {
			t.Fatal(err)
		}
		f.agrees(t, "after")
		if f.HistoryChanges() != 0 || f.Rebuilds() != 0 {
			t.Errorf("%d other histories were met, and %d graphs built", f.HistoryChanges(), f.Rebuilds())
		}
	})
}

// TestAGraphThatMissedAPurgeIsBuiltAnew purges revisions that a graph has not heard of yet: some of their entries are
// kept, and are no whole revision.
func TestAGraphThatMissedAPurgeIsBuiltAnew(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		e := newEstate(t, s, 2)
		f := follow(t, open())
		f.agrees(t, "before")
		f.stop() // it hears nothing, until it is told to look
		for range 3 {
			write(t, s, func(ctx context.Context, tx *store.Tx) (any, error) {
				return nil, errors.Join(createCI(tx, e.class, "more").Exec(ctx), createCI(tx, e.class, "and more").Exec(ctx))
			})
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) (any, error) {
			return nil, tx.CI.UpdateOneID(e.cis[0]).SetLifecycle(domain.Retired).Exec(ctx)
		})
		oneMore(t, s, e)
		head, err := s.Revision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{
			"INSERT INTO x_floor (revision, at, note) VALUES ($1, '2026-11-30 10:00:00+00:00', '')",
			"DELETE FROM entry WHERE revision < $1 AND record_id IN (SELECT id FROM ci WHERE name = 'more')",
		} {
			if _, err := s.Writer().ExecContext(t.Context(), statement, head); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Tail(t.Context()); err != nil {
			t.Fatal(err)
		}
		want, _ := truth(t, s)
		if got := f.graph.Snapshot(); got.Digest() != want || f.Rebuilds() != 1 || f.HistoryChanges() != 0 {
			t.Errorf("the graph of revision %d of %d was built %d times; %d other histories", got.Revision(), head, f.Rebuilds(), f.HistoryChanges())
		}
	})
}
