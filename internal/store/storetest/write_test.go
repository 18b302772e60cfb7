package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
	"golang.org/x/sync/errgroup"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// eachAddress runs a test on each database with a function that opens further stores on it, as several servers do.
func eachAddress(t *testing.T, test func(t *testing.T, open func() *store.Store)) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		address := "sqlite:" + sqliteFile(t, s)
		if s.IsPostgres() {
			address = storetest.PostgresAddress(t)
		}
		test(t, func() *store.Store { return second(t, address) })
	})
}

func sqliteFile(t *testing.T, s *store.Store) string {
	t.Helper()
	if s.IsPostgres() {
		return ""
	}
	return column(t, s.Writer(), "SELECT file FROM pragma_database_list WHERE name = 'main'")[0]
}

// TestATailSeesEveryCommitInOrder reads revisions while servers write: it must see each once and in order, with all of
// its entries. A counter taken last in the transaction ensures that; a sequence does not.
func TestATailSeesEveryCommitInOrder(t *testing.T) {
	eachAddress(t, func(t *testing.T, open func() *store.Store) {
		const writers, each = 8, 15
		one, other := open(), open()
		named(t, one, "first")
		var wrote atomic.Bool
		g, ctx := errgroup.WithContext(t.Context())
		g.Go(func() error {
			defer wrote.Store(true)
			g, ctx := errgroup.WithContext(ctx)
			for w := range writers {
				s := []*store.Store{one, other}[w%2]
				g.Go(func() error {
					for i := range each {
						name := fmt.Sprintf("%d-%d", w, i)
						_, err := store.Write(ctx, s, by, func(ctx context.Context, tx *store.Tx) (any, error) {
							for range 2 {
								if _, err := ci(name, nil)(ctx, tx); err != nil {
									return nil, err
								}
							}
							if i%5 == 4 {
								return nil, errors.New("this one changes its mind")
							}
							return nil, nil
						})
						if i%5 != 4 && err != nil {
							return err
						}
					}
					return nil
				})
			}
			return g.Wait()
		})
		var seen []int64
		g.Go(func() error {
			for last := int64(1); ; {
				done := wrote.Load() // before the read, so that the last read sees all
				entries, err := other.Read.Entry.Query().Where(entry.RevisionGT(last)).Order(ent.Asc("id")).All(ctx)
				if err != nil {
					return err
				}
				for i, e := range entries {
					if i%2 == 0 {
						seen = append(seen, e.Revision)
					} else if e.Revision != last {
						return fmt.Errorf("half of revision %d", last)
					}
					if e.Revision > last && e.Revision != last+1 {
						return fmt.Errorf("%d after %d", e.Revision, last)
					}
					last = e.Revision
				}
				if len(entries)%2 != 0 {
					return fmt.Errorf("half of revision %d", last)
				}
				if done && len(entries) == 0 {
					return nil
				}
			}
		})
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		const commits = writers * each * 4 / 5
		if len(seen) != commits || !slices.IsSorted(seen) || seen[0] != 2 || seen[commits-1] != commits+1 {
			t.Errorf("%d revisions of %d: %v", len(seen), commits, seen)
		}
		if r, err := one.Revision(t.Context()); r != commits+1 || err != nil {
			t.Errorf("revision %d, %v", r, err)
		}
	})
}

// TestWritersThatDeadlockAllSucceed lets two servers touch the same records in opposite orders.
func TestWritersThatDeadlockAllSucceed(t *testing.T) {
	eachAddress(t, func(t *testing.T, open func() *store.Store) {
		servers := []*store.Store{open(), open()}
		a, b := write(t, servers[0], ci("a", nil)), write(t, servers[0], ci("b", nil))
		var attempts atomic.Int64
		var together sync.WaitGroup
		together.Add(2)
		g, ctx := errgroup.WithContext(t.Context())
		for i, s := range servers {
			order := []*ent.CI{a, b}
			if i == 1 {
				order = []*ent.CI{b, a}
			}
			g.Go(func() error {
				first := true
				_, err := store.Write(ctx, s, by, func(ctx context.Context, tx *store.Tx) (any, error) {
					attempts.Add(1)
					if err := tx.CI.UpdateOne(order[0]).AddVersion(1).Exec(ctx); err != nil {
						return nil, err
					}
					if first && tx.IsPostgres() { // SQLite has one writer: they cannot both be here
						first = false
						together.Done()
						together.Wait()
					}
					return nil, tx.CI.UpdateOne(order[1]).AddVersion(1).Exec(ctx)
				})
				return err
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		for _, c := range servers[0].Read.CI.Query().AllX(t.Context()) {
			if c.Version != 3 {
				t.Errorf("%s has version %d, want 3: each write once", c.Name, c.Version)
			}
		}
		if servers[0].IsPostgres() && attempts.Load() < 3 {
			t.Errorf("%d attempts: they never met", attempts.Load())
		}
		if r, err := servers[0].Revision(t.Context()); r != 4 || err != nil {
			t.Errorf("revision %d, %v", r, err)
		}
	})
}

func TestOnlyATransientFailureIsTriedAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, c := range []struct {
			code  pqerror.Code
			fails int
			want  errs.Code
			runs  int
		}{
			{"40001", 3, "", 4}, {"40P01", 1, "", 2}, {"55P03", 100, errs.Unavailable, 1}, {"40001", 100, errs.Unavailable, 8}, {"23505", 100, errs.AlreadyExists, 1}, {"57014", 100, errs.Timeout, 1},
		} {
			runs := 0
			_, err := store.Write(t.Context(), s, by, func(ctx context.Context, tx *store.Tx) (any, error) {
				if _, err := ci(fmt.Sprintf("%s-%d", c.code, c.fails), nil)(ctx, tx); err != nil {
					return nil, err
				}
				if runs++; runs <= c.fails {
					return nil, fmt.Errorf("wrapped: %w", &pq.Error{Code: c.code})
				}
				return nil, nil
			})
			if errs.CodeOf(err) != c.want || runs != c.runs {
				t.Errorf("%s: %d runs, %v; want %d and %q", c.code, runs, err, c.runs, c.want)
			}
		}
		same(t, "what was written", namesOf(t, s, nil), []string{"40001-3", "40P01-1"})
	})
}

// TestAHangUpLeavesTheOutcomeKnown cancels the caller's context while its write runs.
func TestAHangUpLeavesTheOutcomeKnown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for i := range 30 {
			ctx, cancel := context.WithCancel(t.Context())
			name := fmt.Sprint(i)
			hangUp := time.AfterFunc(time.Duration(i)*100*time.Microsecond, func() {
				if i > 0 {
					cancel()
				}
			})
			_, err := store.Write(ctx, s, by, func(ctx context.Context, tx *store.Tx) (any, error) {
				if i == 0 {
					cancel()
				}
				if err := ctx.Err(); err != nil {
					return nil, fmt.Errorf("the transaction sees the hang-up: %w", err)
				}
				return ci(name, nil)(ctx, tx)
			})
			hangUp.Stop()
			cancel()
			exists := len(column(t, s.Writer(), "SELECT name FROM ci WHERE name = $1", name)) == 1
			switch code := errs.CodeOf(err); {
			case err == nil && exists, code == errs.Timeout && !exists:
			default:
				t.Errorf("%v, and the CI exists: %v", err, exists)
			}
			if i == 0 && err != nil {
				t.Errorf("a write under way was given up: %v", err)
			}
		}
	})
}

// TestALimitEndsAWriteBeforeItsCommit lets the limit of a write pass while another holds what it needs, and at any
// moment of a write that nobody hinders: what is told to be late has not happened.
func TestALimitEndsAWriteBeforeItsCommit(t *testing.T) {
	eachAddress(t, func(t *testing.T, open func() *store.Store) {
		s, other := open(), open()
		named(t, s, "contested")
		contested := s.Read.CI.Query().OnlyIDX(t.Context())
		rename := func(to string, then func(context.Context)) func(context.Context, *store.Tx) (any, error) {
			return func(ctx context.Context, tx *store.Tx) (any, error) {
				err := tx.CI.UpdateOneID(contested).SetName(to).Exec(ctx)
				then(ctx)
				return nil, err
			}
		}
		holds, release := make(chan struct{}), make(chan struct{})
		var g errgroup.Group
		g.Go(func() error {
			_, err := store.Write(t.Context(), other, by, rename("held", func(context.Context) { close(holds); <-release }))
			return err
		})
		<-holds
		limited := store.WriteUntil(t.Context(), time.Now().Add(300*time.Millisecond))
		_, err := store.Write(limited, s, by, rename("late", func(context.Context) {}))
		if errs.CodeOf(err) != errs.Timeout {
			t.Errorf("a write that waits for a lock: %v", err)
		}
		close(release)
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		same(t, "CIs", namesOf(t, s, nil), []string{"held"})
		limited = store.WriteUntil(t.Context(), time.Now().Add(50*time.Millisecond))
		_, err = store.Write(limited, s, by, rename("slow", func(ctx context.Context) { <-ctx.Done() }))
		if errs.CodeOf(err) != errs.Timeout {
			t.Errorf("a write that is slow: %v", err)
		}
		for i := range 50 {
			name := fmt.Sprint(i)
			limited := store.WriteUntil(t.Context(), time.Now().Add(time.Duration(i)*100*time.Microsecond))
			_, err := store.Write(limited, s, by, ci(name, nil))
			exists := len(column(t, s.Writer(), "SELECT name FROM ci WHERE name = $1", name)) == 1
			switch code := errs.CodeOf(err); {
			case err == nil && exists, code == errs.Timeout && !exists:
			default:
				t.Errorf("%v, and the CI exists: %v", err, exists)
			}
		}
	})
}

// TestClosingUnderWritersBreaksNothing closes a store while requests end, as a server that stops does.
func TestClosingUnderWritersBreaksNothing(t *testing.T) {
	eachAddress(t, func(t *testing.T, open func() *store.Store) {
		s, witness := open(), open()
		named(t, s, "first")
		var acknowledged atomic.Int64
		var g errgroup.Group
		for w := range 4 {
			g.Go(func() error {
				for i := 0; ; i++ {
					if _, err := store.Write(t.Context(), s, by, ci(fmt.Sprintf("%d-%d", w, i), nil)); err != nil {
						return nil //nolint:nilerr // the store is closed
					}
					acknowledged.Add(1)
				}
			})
		}
		soon(t, "writers write", func() bool { return acknowledged.Load() > 8 })
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		_ = g.Wait()
		if n := witness.Read.CI.Query().CountX(t.Context()); int64(n) < acknowledged.Load()+1 {
			t.Errorf("%d CIs, %d were acknowledged", n, acknowledged.Load()+1)
		}
		if err := s.Close(); err != nil {
			t.Errorf("closing twice: %v", err)
		}
	})
}

// TestHintsEndWithTheirContext ends hints while the database accepts connections and while it refuses them.
func TestHintsEndWithTheirContext(t *testing.T) {
	address := storetest.PostgresAddress(t)
	s := second(t, address)
	ctx, cancel := context.WithCancel(t.Context())
	hints := s.Hints(ctx)
	soon(t, "a hint comes", func() bool {
		named(t, s, "x")
		select {
		case <-hints:
			return true
		default:
			return false
		}
	})
	cancel()

	// More hints than are received, while several listeners end.
	ctx, cancel = context.WithCancel(t.Context())
	for range 8 {
		s.Hints(ctx)
	}
	soon(t, "all listen", func() bool {
		return len(column(t, s.Writer(), "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'")) >= 8
	})
	raw(t, s, "SELECT pg_notify('linchpin_revision', g::text) FROM generate_series(1, 50000) g")
	cancel()

	// From here on nobody can connect; the server's own connections stay.
	admin := second(t, storetest.PostgresAddress(t))
	database := column(t, s.Writer(), "SELECT current_database()")[0]
	raw(t, admin, `ALTER DATABASE "`+database+`" WITH ALLOW_CONNECTIONS false`)
	t.Cleanup(func() {
		_, _ = admin.Writer().ExecContext(context.Background(), `ALTER DATABASE "`+database+`" WITH ALLOW_CONNECTIONS true`)
	})
	ctx, cancel = context.WithCancel(t.Context())
	s.Hints(ctx)
	time.Sleep(50 * time.Millisecond) // it tries to connect, and TestMain looks for what it leaves
	cancel()
}
