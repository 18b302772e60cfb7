package journal_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func oneMore(t testing.TB, s *store.Store, e *estate) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx *store.Tx) (any, error) { return createCI(tx, e.class, "more").Save(ctx) })
}

// TestReplicasFollowWithAndWithoutHints cuts notifications: a replica that hears none notices a revision by itself.
func TestReplicasFollowWithAndWithoutHints(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		one, other := open(), open()
		e := newEstate(t, one, 1)
		a, b := follow(t, one), follow(t, other)
		const writes = 30
		concurrently := func() {
			t.Helper()
			g, ctx := errgroup.WithContext(context.Background())
			for w, s := range []*store.Store{one, other, one, other} {
				g.Go(func() error {
					for i := range writes / 2 {
						_, err := store.Write(ctx, s, by, func(ctx context.Context, tx *store.Tx) (any, error) {
							made, err := createCI(tx, e.class, fmt.Sprintf("%d-%d", w, i)).Save(ctx)
							if err != nil {
								return nil, err
							}
							return createRelationship(tx, e.kind, made.ID, e.cis[0]).Save(ctx)
						})
						if err != nil {
							return err
						}
					}
					return nil
				})
			}
			if err := g.Wait(); err != nil {
				t.Fatal(err)
			}
			a.agrees(t, "one")
			b.agrees(t, "other")
		}
		concurrently()
		if one.IsPostgres() {
			// Cut off all listeners for as long as the writes take.
			done := make(chan struct{})
			g := errgroup.Group{}
			g.Go(func() error {
				for {
					select {
					case <-done:
						return nil
					default:
					}
					raw(t, one, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'")
				}
			})
			concurrently()
			close(done)
			_ = g.Wait()
		}
		if n := a.Rebuilds() + b.Rebuilds(); n != 0 {
			t.Errorf("%d rebuilds", n)
		}
	})
}

// TestAWriterReadsItsOwnWrites checks each write in the writer's graph while others write.
func TestAWriterReadsItsOwnWrites(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		e := newEstate(t, s, 0)
		f := follow(t, s)
		g, ctx := errgroup.WithContext(context.Background())
		for w := range 8 {
			g.Go(func() error {
				for i := range 10 {
					made, err := store.Write(ctx, s, by, func(ctx context.Context, tx *store.Tx) (*ent.CI, error) {
						return createCI(tx, e.class, fmt.Sprintf("%d-%d", w, i)).Save(ctx)
					})
					if err != nil {
						return err
					}
					if _, ok := f.graph.Snapshot().Index(made.ID); !ok {
						return fmt.Errorf("%v is written, and the graph of revision %d does not know it", made.ID, f.graph.Snapshot().Revision())
					}
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	})
}

func TestABigBatchIsOneRevision(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		e := newEstate(t, s, 1)
		own, replica := follow(t, s), follow(t, open())
		before := own.graph.Snapshot().Revision()
		const many = 1500
		write(t, s, func(ctx context.Context, tx *store.Tx) (any, error) {
			for i := range many {
				made, err := createCI(tx, e.class, fmt.Sprint(i)).Save(ctx)
				if err != nil {
					return nil, err
				}
				if i%10 == 0 {
					if err := createRelationship(tx, e.kind, made.ID, e.cis[0]).Exec(ctx); err != nil {
						return nil, err
					}
				}
			}
			return nil, nil
		})
		own.agrees(t, "the writer")
		if n := own.graph.Snapshot().Revision() - before; n != 1 {
			t.Errorf("%d revisions", n)
		}
		replica.agrees(t, "the replica")
		if n := own.Rebuilds() + replica.Rebuilds(); n != 0 {
			t.Errorf("%d rebuilds", n)
		}
	})
}

// TestManyRevisionsAtOnceAreReadPageByPage makes them visible in one moment, as they are to a follower that slept.
func TestManyRevisionsAtOnceAreReadPageByPage(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		e := newEstate(t, s, 2)
		write(t, s, func(ctx context.Context, tx *store.Tx) (any, error) {
			return createRelationship(tx, e.kind, e.cis[0], e.cis[1]).Save(ctx)
		})
		f := follow(t, open())
		last := f.graph.Snapshot().Revision()
		var statements []string
		for i := range int64(450) {
			direction := domain.BothDirections.Values()[i%4]
			statements = append(statements,
				fmt.Sprintf(`INSERT INTO entry (id, revision, at, actor, verb, operation, record_id, subject_id, after)
					VALUES (%d, %d, CURRENT_TIMESTAMP, 'x', 'x', 'UPDATED', %d, %d, '{"id":"%v","impact_direction":%q,"strength":"HARD"}')`,
					store.EntryID(last+i+1, 0), last+i+1, e.kind, e.kind, e.kind, direction),
				fmt.Sprintf(`UPDATE relationship_type SET impact_direction = '%s'`, direction))
		}
		atOnce(t, s, append(statements, "UPDATE head SET revision = revision + 450")...)
		f.agrees(t, "after 450 revisions")
		if n := f.Rebuilds(); n != 0 {
			t.Errorf("%d rebuilds", n)
		}
	})
}

// atOnce runs statements past the journal in one transaction.
func atOnce(t testing.TB, s *store.Store, statements ...string) {
	t.Helper()
	tx, err := s.Writer().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := tx.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// TestAGapCausesARebuild skips revisions in the journal, few or more than a page.
func TestAGapCausesARebuild(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		for _, missing := range []int{1, 1000} {
			t.Run(fmt.Sprint(missing), func(t *testing.T) {
				s := open()
				e := newEstate(t, s, 1)
				f := follow(t, open())
				f.agrees(t, "before")
				if f.Rebuilds() != 0 {
					t.Fatalf("%d rebuilds before", f.Rebuilds())
				}
				// A write that nobody journalled: an administrator's hand, or a journal that was cut.
				raw(t, s, "UPDATE ci SET environment = 'TESTING'")
				raw(t, s, "UPDATE head SET revision = revision + $1", missing)
				oneMore(t, s, e)
				f.agrees(t, "after a gap")
				if f.Rebuilds() != 1 {
					t.Errorf("%d rebuilds", f.Rebuilds())
				}
				oneMore(t, s, e)
				f.agrees(t, "after that")
				if f.Rebuilds() != 1 {
					t.Errorf("%d rebuilds", f.Rebuilds())
				}
			})
		}
	})
}

// TestAGapWithNothingAfterItIsSeen shows that a follower notices a gap without a further write.
func TestAGapWithNothingAfterItIsSeen(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		newEstate(t, s, 1)
		f := follow(t, open())
		raw(t, s, "UPDATE ci SET environment = 'TESTING'")
		raw(t, s, "UPDATE head SET revision = revision + 1")
		f.agrees(t, "after a gap")
		if f.Rebuilds() != 1 {
			t.Errorf("%d rebuilds", f.Rebuilds())
		}
	})
}

// TestADatabaseThatWentBackIsFollowed restores a backup under a running server.
func TestADatabaseThatWentBackIsFollowed(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		e := newEstate(t, s, 1)
		f := follow(t, open())
		_, revision := truth(t, s)
		oneMore(t, s, e)
		f.agrees(t, "before")
		tx, err := s.Writer().BeginTx(t.Context(), nil) // at once, as a restore does
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{
			"DELETE FROM version WHERE valid_from > $1", "DELETE FROM entry WHERE revision > $1",
			"DELETE FROM ci WHERE name = 'more' AND $1 >= 0", "DELETE FROM x_revision WHERE revision > $1",
			"UPDATE head SET revision = $1, chained = $1, chain = (SELECT chain FROM x_revision WHERE revision = $1)",
		} {
			if _, err := tx.ExecContext(t.Context(), statement, revision); err != nil {
				t.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		want, _ := truth(t, s)
		for deadline := time.Now().Add(time.Minute); f.graph.Snapshot().Digest() != want; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("the graph stays at %d, the database is at %d", f.graph.Snapshot().Revision(), revision)
			}
		}
		oneMore(t, s, e)
		f.agrees(t, "after a restore")
	})
}

// TestAGraphThatDiffersFromTheTablesIsBuiltAnew changes a row by hand, past the journal.
func TestAGraphThatDiffersFromTheTablesIsBuiltAnew(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		e := newEstate(t, s, 2)
		f := follow(t, open())
		spare(t, f.store, 4) // as many as a comparison takes: it has to give them back before it waits for the graph
		verify := func(mismatches int64) {
			t.Helper()
			if err := f.Verify(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := f.Mismatches(); n != mismatches {
				t.Fatalf("%d mismatches, wanted %d", n, mismatches)
			}
		}
		verify(0)
		busy, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			for range 50 {
				oneMore(t, s, e)
			}
			close(busy)
		}()
		for writing := true; writing; {
			verify(0)
			select {
			case <-busy:
				writing = false
			case <-done: // a write failed
				writing = false
			default:
			}
		}
		<-done
		f.agrees(t, "before")
		raw(t, s, fmt.Sprintf("UPDATE ci SET environment = 'TESTING' WHERE id = %d", e.cis[0]))
		want, _ := truth(t, s)
		verify(1)
		for deadline := time.Now().Add(time.Minute); f.graph.Snapshot().Digest() != want; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the graph stays wrong")
			}
		}
		oneMore(t, s, e)
		f.agrees(t, "after it was built anew")
		verify(1)
	})
}

// spare takes the connections of a store's readers until so many are left. Those in use beside it come back by
// themselves.
func spare(t *testing.T, s *store.Store, left int) {
	t.Helper()
	var held []*ent.Tx
	for {
		ctx, cancel := context.WithCancel(context.Background())
		t.Cleanup(cancel)
		exhausted := time.AfterFunc(time.Second, cancel)
		tx, err := s.Read.Tx(ctx)
		if !exhausted.Stop() {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, tx)
		t.Cleanup(func() { _ = tx.Rollback() })
	}
	if len(held) < left {
		t.Fatalf("the readers have %d connections", len(held))
	}
	for _, tx := range held[:left] {
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestACorruptEntryIsNeverHalfApplied shows that the graph keeps the last good revision until it can be built anew.
func TestACorruptEntryIsNeverHalfApplied(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		e := newEstate(t, s, 1)
		f := follow(t, open())
		f.agrees(t, "before")
		good := f.graph.Snapshot()
		// One good fact and one that nobody can read, in the journal as in the table.
		next := good.Revision() + 1
		atOnce(t, s,
			fmt.Sprintf(`UPDATE head SET revision = %d`, next),
			fmt.Sprintf(`UPDATE ci SET environment = 'MARS' WHERE id = %d`, e.cis[0]),
			`UPDATE relationship_type SET impact_direction = 'BOTH'`,
			fmt.Sprintf(`INSERT INTO entry (id, revision, at, actor, verb, operation, record_id, subject_id, after) VALUES
				(%d, %d, CURRENT_TIMESTAMP, 'x', 'x', 'UPDATED', %d, %d, '{"id":"%v","impact_direction":"BOTH","strength":"HARD"}'),
				(%d, %d, CURRENT_TIMESTAMP, 'x', 'x', 'UPDATED', %d, %d, '{"id":"%v","class_id":"%v","environment":"MARS","lifecycle":"LIVE"}')`,
				store.EntryID(next, 0), next, e.kind, e.kind, e.kind, store.EntryID(next, 1), next, e.cis[0], e.cis[0], e.cis[0], e.class))
		for deadline := time.Now().Add(time.Minute); f.Rebuilds() < 2; time.Sleep(5 * time.Millisecond) { // the first has failed
			if time.Now().After(deadline) {
				t.Fatal("the feed has not noticed the corrupt entry")
			}
		}
		if now := f.graph.Snapshot(); now.Digest() != good.Digest() || now.Revision() != good.Revision() {
			t.Error("half of a revision shows")
		}
		raw(t, s, "UPDATE ci SET environment = 'TESTING'")
		f.agrees(t, "once the table is mended")
	})
}

// TestAFeedThatStoppedDelaysNoWrite stops a feed before the last writes are done, as a server that drains does.
func TestAFeedThatStoppedDelaysNoWrite(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		e := newEstate(t, s, 1)
		f := follow(t, s)
		f.stop()
		written := make(chan struct{})
		go func() { defer close(written); oneMore(t, s, e) }()
		select {
		case <-written:
		case <-time.After(30 * time.Second): // half of its patience
			t.Error("a write waits for a feed that has stopped")
			<-written
		}
	})
}

func TestAFeedThatCannotStartSaysSo(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		newEstate(t, s, 1)
		raw(t, s, "UPDATE ci SET environment = 'MARS'")
		if f, err := tryFollow(s); err == nil {
			t.Errorf("it follows: %v", f)
		}
	})
}

func TestAwaitReturnsAtTheRevisionOrFailsWithTheReason(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		mine, theirs := open(), open()
		f := follow(t, mine)
		write := func(code string) int64 {
			t.Helper()
			at, work := store.Watch(t.Context())
			_, err := store.Write(at, theirs, by, func(ctx context.Context, tx *store.Tx) (*ent.CIClass, error) {
				return tx.CIClass.Create().SetCode(code).SetLabel(code).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
			})
			if err != nil {
				t.Fatal(err)
			}
			return work.Revision()
		}
		revision := write("one")
		if err := f.Await(t.Context(), revision); err != nil || f.Revision() < revision {
			t.Errorf("revision %d: %v, the graph shows %d", revision, err, f.Revision())
		}
		if err := f.Await(t.Context(), revision+1); errs.CodeOf(err) != errs.BadUserInput {
			t.Errorf("a revision to come: %v", err)
		}
		next := write("more")
		if err := f.CatchUp(t.Context()); err != nil || f.Revision() < next {
			t.Errorf("caught up with %d: %v, the graph shows %d", next, err, f.Revision())
		}
		f.stop()
		if err := f.Await(t.Context(), write("two")); errs.CodeOf(err) != errs.Unavailable {
			t.Errorf("a feed that has stopped: %v", err)
		}
		if err := f.CatchUp(t.Context()); errs.CodeOf(err) != errs.Unavailable {
			t.Errorf("a feed that has stopped catches up: %v", err)
		}
	})
}
