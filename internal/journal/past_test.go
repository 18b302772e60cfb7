package journal_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// told returns all that impact says of a graph: of the failure of each CI, and of the open incidents.
func told(t interface{ Fatal(...any) }, s *topology.Snapshot, cis []ident.ID) string {
	out := fmt.Sprint(s.Revision(), s.Digest())
	show := func(a *impact.Answer) {
		for _, h := range a.Affected(impact.Filter{AtLeast: impact.AtRisk}) {
			out += fmt.Sprint(" ", h.CI, h.State, h.Distance, a.Path(h.CI))
		}
		out += "\n"
	}
	show(impact.Estate(s))
	for _, ci := range cis {
		if _, ok := s.Index(ci); !ok {
			continue
		}
		a, err := impact.Of(context.Background(), s, impact.Question{Failed: []impact.Failure{{CI: ci, State: impact.Down}}})
		if err != nil {
			t.Fatal(err)
		}
		show(a)
		needs, err := impact.Dependencies(context.Background(), s, []ident.ID{ci}, impact.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range needs.CIs {
			out += fmt.Sprint(" ", n.CI, n.Distance, n.Strength, n.ViaGroup)
		}
	}
	return out
}

// rebuilt returns the graph that the tables of this moment make.
func rebuilt(t interface{ Fatal(...any) }, s *store.Store) *topology.Snapshot {
	b, err := journal.RecordFacts(context.Background(), s.Read)
	if err != nil {
		t.Fatal(err)
	}
	g := topology.New()
	if err := g.Load(b); err != nil {
		t.Fatal(err)
	}
	return g.Snapshot()
}

// TestThePastIsAsItWas compares, after a random history, the graph of each revision with the one built from the tables
// when that revision was the last: on the server that wrote, and on one that started later.
func TestThePastIsAsItWas(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		one, other := open(), open()
		rapid.Check(t, func(rt *rapid.T) {
			h := &history{estate: newEstate(t, one, 2)}
			own := follow(t, one)
			defer own.stop()
			was := map[int64]*topology.Snapshot{}
			var did []string
			asks := func(f *follower, revision int64) {
				then, err := f.At(context.Background(), revision)
				if err != nil {
					rt.Fatal(err)
				}
				if got, want := told(rt, then, h.cis), told(rt, was[revision], h.cis); got != want {
					rt.Fatalf("after %q, of revision %d:\n%s\nwas\n%s", did, revision, got, want)
				}
			}
			for range rapid.IntRange(1, 8).Draw(rt, "revisions") {
				names := rapid.SliceOfN(rapid.SampledFrom(stepNames()), 1, 6).Draw(rt, "steps")
				_, err := store.Write(context.Background(), one, by, func(ctx context.Context, tx *store.Tx) (any, error) {
					for _, name := range names {
						if _, err := steps[name](ctx, tx, rt, h); err != nil {
							return nil, fmt.Errorf("%s: %w", name, err)
						}
					}
					return nil, nil
				})
				if err != nil {
					rt.Fatal(err)
				}
				did = append(did, names...)
				now := rebuilt(rt, one)
				was[now.Revision()] = now
				if rapid.IntRange(0, 3).Draw(rt, "asks meanwhile") == 0 {
					asks(own, rapid.SampledFrom(slices.Sorted(maps.Keys(was))).Draw(rt, "revision"))
				}
			}
			for revision := range was {
				asks(own, revision)
			}
			if rapid.IntRange(0, 7).Draw(rt, "late") == 0 {
				late := follow(t, other)
				defer late.stop()
				for revision := range was {
					asks(late, revision)
				}
			}
		})
	})
}

func TestThereIsNoPastBeforeTheFirstRevisionNorInTheFuture(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		f := follow(t, s)
		if _, err := f.RevisionAt(t.Context(), time.Now()); errs.CodeOf(err) != errs.BadUserInput {
			t.Errorf("the past of an empty database: %v", err)
		}
		early := time.Now()
		e := newEstate(t, s, 2)
		first, err := s.Revision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		between := time.Now()
		oneMore(t, s, e)
		for name, revision := range map[string]int64{"the future": first + 2, "before the first": 0, "nonsense": -1 << 60, "the far future": 1 << 60} {
			if _, err := f.At(t.Context(), revision); errs.CodeOf(err) != errs.BadUserInput {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, moment := range map[string]time.Time{"tomorrow": time.Now().Add(24 * time.Hour), "before the first": early.Add(-time.Second), "year 0": {}} {
			if _, err := f.RevisionAt(t.Context(), moment); errs.CodeOf(err) != errs.BadUserInput {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got, err := f.RevisionAt(t.Context(), between); got != first || err != nil {
			t.Errorf("got revision %d (%v), want %d", got, err, first)
		}
		if got, err := f.RevisionAt(t.Context(), time.Now()); got != first+1 || err != nil {
			t.Errorf("got revision %d (%v), want %d", got, err, first+1)
		}
	})
}

// TestAMomentIsFoundAmongManyRevisions looks for moments by bisection, also among revisions written at once.
func TestAMomentIsFoundAmongManyRevisions(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		e := newEstate(t, s, 1)
		f := follow(t, s)
		start := time.Now().UTC().Add(time.Second).Truncate(time.Second)
		var last int64
		for i := range 40 {
			_, err := store.Write(store.At(t.Context(), start.Add(time.Duration(i/2)*time.Millisecond)), s, by, func(ctx context.Context, tx *store.Tx) (any, error) {
				return createCI(tx, e.class, fmt.Sprint("at ", i)).Save(ctx)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		last, err := s.Revision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(start.Add(20 * time.Millisecond)))
		for i := range 20 {
			want := last - 40 + int64(2*i) + 2
			for _, late := range []time.Duration{0, 999 * time.Microsecond} {
				if got, err := f.RevisionAt(t.Context(), start.Add(time.Duration(i)*time.Millisecond+late)); got != want || err != nil {
					t.Errorf("%d ms and %v later: got %d (%v), want %d", i, late, got, err, want)
				}
			}
		}
	})
}

// TestManyAskForThePastAtOnce shows that they get the same snapshot, and that the kept snapshots stay bounded.
func TestManyAskForThePastAtOnce(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		e := newEstate(t, s, 1)
		f := follow(t, s)
		for range 20 {
			oneMore(t, s, e)
		}
		head, err := s.Revision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		var mu sync.Mutex
		made := map[*topology.Snapshot]bool{}
		for range 16 {
			all.Go(func() {
				past, err := f.At(context.Background(), head-10)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				made[past] = true
				mu.Unlock()
			})
		}
		all.Wait()
		if len(made) != 1 {
			t.Errorf("%d snapshots of one revision", len(made))
		}
		for revision := head - 19; revision < head; revision++ {
			if past, err := f.At(t.Context(), revision); err != nil || past.Revision() != revision {
				t.Errorf("revision %d: %v", revision, err)
			}
		}
		if n := f.Kept(); n < 2 || n > 8 {
			t.Errorf("%d snapshots are kept", n)
		}
		raw(t, s, "UPDATE head SET revision = revision + 1") // a gap: the journal may tell another past
		oneMore(t, s, e)
		f.agrees(t, "after a gap")
		if n := f.Kept(); n != 0 {
			t.Errorf("%d snapshots are kept of a journal that changed", n)
		}
	})
}

// TestARevisionNotHeardOfYetIsWaitedFor asks a replica for revisions before it hears of them.
func TestARevisionNotHeardOfYetIsWaitedFor(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		one, other := open(), open()
		e := newEstate(t, one, 1)
		replica := follow(t, other)
		for range 5 {
			oneMore(t, one, e)
			head, err := one.Revision(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got, err := replica.At(t.Context(), head); err != nil || got.Revision() != head {
				t.Fatalf("revision %d: %v", head, err)
			}
		}
		head, err := one.Revision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		replica.stop()
		oneMore(t, one, e)
		if _, err := replica.At(t.Context(), head+1); errs.CodeOf(err) != errs.Unavailable {
			t.Errorf("a revision that the replica never hears of: %v", err)
		}
	})
}
