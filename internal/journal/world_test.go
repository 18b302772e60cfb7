package journal_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// TestMain fails if goroutines are left. Those of a listener end soon after it is closed, not at once.
func TestMain(m *testing.M) {
	code := m.Run()
	left := error(nil)
	for range 100 { // each for half a second
		if left = goleak.Find(goleak.IgnoreAnyFunction(pgtest.Guard)); left == nil {
			break
		}
	}
	if left != nil && code == 0 {
		fmt.Fprintln(os.Stderr, left)
		code = 1
	}
	os.Exit(code)
}

var (
	by    = store.By{Actor: "ada", Verb: "test"}
	quiet = slog.New(slog.DiscardHandler)
)

// each runs a test on both databases; open returns further stores on the same one, as other servers have them.
func each(t *testing.T, test func(t *testing.T, open func() *store.Store)) {
	for name, address := range map[string]func() string{
		"sqlite":   func() string { return "sqlite:" + filepath.Join(t.TempDir(), "linchpin.db") },
		"postgres": func() string { return storetest.PostgresAddress(t) },
	} {
		t.Run(name, func(t *testing.T) {
			at := address()
			test(t, func() *store.Store {
				s, err := store.Open(t.Context(), at)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					if err := s.Close(); err != nil {
						t.Error(err)
					}
				})
				if _, err := s.Migrate(t.Context()); err != nil {
					t.Fatal(err)
				}
				return s
			})
		})
	}
}

// follower is a graph and its feed.
type follower struct {
	*journal.Feed
	store *store.Store
	graph *topology.Graph
	stop  func()
}

// follow lets a graph follow a store, with much patience: tests want it to get there, not soon.
func follow(t testing.TB, s *store.Store, options ...journal.Option) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	graph := topology.New()
	feed, err := journal.Follow(ctx, s, graph, quiet, append(options, journal.Patience(time.Minute))...)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	f := &follower{feed, s, graph, func() { cancel(); <-feed.Done(); graph.Settle() }}
	t.Cleanup(f.stop)
	return f
}

// wait returns the follower's snapshot once it shows a revision and its followers are told of it.
func (f *follower) wait(t testing.TB, revision int64) *topology.Snapshot {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	snapshot, err := f.graph.Wait(ctx, revision)
	if err != nil {
		t.Fatalf("the graph stays at %d, revision %d is there: %v", f.graph.Snapshot().Revision(), revision, err)
	}
	if err := f.Tells(ctx, revision); err != nil {
		t.Fatalf("the graph has revision %d and it is not told: %v", revision, err)
	}
	return snapshot
}

// truth returns the digest of the facts in the tables, and its revision.
func truth(t testing.TB, s *store.Store) (topology.Digest, int64) {
	t.Helper()
	b, err := journal.RecordFacts(context.Background(), s.Read)
	if err != nil {
		t.Fatal(err)
	}
	d, err := topology.DigestOf(b)
	if err != nil {
		t.Fatal(err)
	}
	return d, b.Revision
}

// agrees fails the test if a follower differs from the tables.
func (f *follower) agrees(t testing.TB, about string) {
	t.Helper()
	want, revision := truth(t, f.store)
	if got := f.wait(t, revision); got.Digest() != want {
		t.Fatalf("%s: the graph of revision %d differs from the tables of revision %d", about, got.Revision(), revision)
	}
}

func write[T any](t testing.TB, s *store.Store, decide func(context.Context, *store.Tx) (T, error)) T {
	t.Helper()
	v, err := store.Write(context.Background(), s, by, decide)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// estate is the start of every test: a class, a type that harms its sources, and some CIs.
type estate struct {
	class, kind ident.ID
	cis         []ident.ID
}

func newEstate(t testing.TB, s *store.Store, cis int) *estate {
	t.Helper()
	return write(t, s, func(ctx context.Context, tx *store.Tx) (*estate, error) {
		suffix := fmt.Sprint(tx.CIClass.Query().CountX(ctx))
		class := tx.CIClass.Create().SetCode("server" + suffix).SetLabel("Server").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
		kind := tx.RelationshipType.Create().SetCode("needs" + suffix).SetForwardLabel("needs").SetReverseLabel("is needed by").
			SetImpactDirection(domain.TargetToSource).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
		e := &estate{class: class.ID, kind: kind.ID}
		for i := range cis {
			e.cis = append(e.cis, createCI(tx, e.class, fmt.Sprint(i)).SaveX(ctx).ID)
		}
		return e, nil
	})
}

func createCI(tx *store.Tx, class ident.ID, name string) *ent.CICreate {
	return tx.CI.Create().SetName(name).SetClassID(class).SetAttributes(map[string]any{}).SetLabels(map[string]string{}).
		SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now)
}

func createRelationship(tx *store.Tx, kind, source, target ident.ID) *ent.RelationshipCreate {
	return tx.Relationship.Create().SetTypeID(kind).SetSourceID(source).SetTargetID(target).SetAttributes(map[string]any{}).
		SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now)
}

func createIncident(tx *store.Tx) *ent.IncidentCreate {
	return tx.Incident.Create().SetTitle("x").SetImpact(1).SetUrgency(1).SetPriority(1).SetOpenedBy("ada").
		SetDetectedAt(tx.Now).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now)
}

func raw(t testing.TB, s *store.Store, statement string, args ...any) {
	t.Helper()
	if _, err := s.Writer().ExecContext(context.Background(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// tryFollow follows and stops at once.
func tryFollow(s *store.Store) (*journal.Feed, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	feed, err := journal.Follow(ctx, s, topology.New(), quiet)
	if err == nil {
		cancel()
		<-feed.Done()
	}
	return feed, err
}
