package journal_test

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
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
