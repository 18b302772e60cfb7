package journal_test

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// teams makes revisions, each with some entries, and returns the number of the last.
func teams(t testing.TB, s *store.Store, revisions, entries int) int64 {
	t.Helper()
	for range revisions {
		_, err := store.Write(context.Background(), s, by, func(ctx context.Context, tx *store.Tx) (int, error) {
			for range entries {
				name := fmt.Sprint("team ", time.Now().UnixNano())
				if _, err := tx.Team.Create().SetName(name).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx); err != nil {
					return 0, err
				}
			}
			return 0, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	head, err := s.Revision(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return head
}

type heard = journal.Told[[]*ent.Entry]

// token returns the token of a revision without a mark, or nil.
func token(revision *int64) *domain.RevisionToken {
	if revision == nil {
		return nil
	}
	return &domain.RevisionToken{Revision: *revision}
}

// listen follows the commits; next returns one after the other.
func listen(t testing.TB, f *follower, after *int64) (next func() heard) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	commits, err := f.Commits(ctx, token(after))
	if err != nil {
		t.Fatal(err)
	}
	pull, stop := iter.Pull(commits)
	t.Cleanup(func() { cancel(); stop() })
	return func() heard {
		t.Helper()
		one, more := pull()
		if !more {
			t.Fatal("nothing more is told")
		}
		return one
	}
}

func TestEveryCommitIsToldOnceAndInOrder(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		mine, theirs := open(), open()
		f := follow(t, mine, journal.Tolerate(1<<20)) // so that most is read from the database
		start := teams(t, mine, 1, 1)
		f.wait(t, start)
		live := listen(t, f, nil)
		var writers sync.WaitGroup
		for _, s := range []*store.Store{mine, theirs} {
			for range 2 {
				writers.Go(func() { teams(t, s, 20, 3) })
			}
		}
		writers.Wait()
		past := listen(t, f, &start)
		for want := start + 1; want <= start+80; want++ {
			for _, got := range []heard{live(), past()} {
				if got.Revision != want || got.Resync != "" || len(got.What) != 3 || got.What[0].Revision != want {
					t.Fatalf("revision %d %s with %d entries, not %d", got.Revision, got.Resync, len(got.What), want)
				}
			}
		}
	})
}

func TestARevisionLargerThanAPageIsToldWhole(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		f := follow(t, s, journal.Tolerate(1<<20))
		zero := int64(0)
		teams(t, s, 3, 400)
		teams(t, s, 1, 1500)
		f.wait(t, teams(t, s, 2, 1))
		next := listen(t, f, &zero)
		for i, want := range []int{400, 400, 400, 1500, 1, 1} {
			if got := next(); got.Revision != int64(i+1) || len(got.What) != want {
				t.Errorf("revision %d with %d entries, not %d with %d", got.Revision, len(got.What), i+1, want)
			}
		}
	})
}

func TestAFollowerTooFarBehindIsToldToResync(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		f := follow(t, s, journal.Tolerate(10))
		zero, head := int64(0), teams(t, s, 11, 1)
		f.wait(t, head)
		slow := listen(t, f, nil)
		late := listen(t, f, &zero)
		if got := late(); got.Revision != head || got.Resync != domain.TooOld || got.What != nil {
			t.Errorf("after 0: %d %s", got.Revision, got.Resync)
		}
		head = teams(t, s, 1, 1)
		if got := slow(); got.Revision != head || got.Resync != "" {
			t.Errorf("live: %d %s", got.Revision, got.Resync)
		}
		head = teams(t, s, 11, 1)
		f.wait(t, head)
		if got := slow(); got.Revision != head || got.Resync != domain.TooSlow {
			t.Errorf("slow: %d %s", got.Revision, got.Resync)
		}
		head = teams(t, s, 1, 1)
		if got := slow(); got.Revision != head || got.Resync != "" {
			t.Errorf("afterwards: %d %s", got.Revision, got.Resync)
		}
	})
}

func TestARevisionMissingFromTheJournalIsAResync(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		f := follow(t, s, journal.Tolerate(1<<20))
		head := teams(t, s, 6, 1)
		f.wait(t, head)
		raw(t, s, "DELETE FROM entry WHERE revision = 3")
		for after, want := range map[int64]heard{
			0: {Revision: 1}, 1: {Revision: 2}, 2: {Revision: head, Resync: domain.TooOld}, 3: {Revision: 4},
			head + 5: {Revision: head, Resync: domain.UnknownRevision},
		} {
			if got := listen(t, f, &after)(); got.Revision != want.Revision || got.Resync != want.Resync {
				t.Errorf("after %d: %d %s, not %d %s", after, got.Revision, got.Resync, want.Revision, want.Resync)
			}
		}
		if _, err := f.Commits(t.Context(), &domain.RevisionToken{Revision: -1}); errs.CodeOf(err) != errs.BadUserInput {
			t.Errorf("after -1: %v", err)
		}
	})
}

func TestAFollowerMayBeAheadOfItsServer(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		mine, theirs := open(), open()
		f := follow(t, mine)
		head := teams(t, theirs, 3, 1)
		next := listen(t, f, &head) // this server may not have heard of it yet
		teams(t, theirs, 1, 1)
		if got := next(); got.Revision != head+1 || got.Resync != "" {
			t.Errorf("%d %s, not %d", got.Revision, got.Resync, head+1)
		}
	})
}
