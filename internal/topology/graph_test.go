package topology_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

// dump returns everything that a snapshot says, in one order.
func dump(s *topology.Snapshot) string {
	var b strings.Builder
	fmt.Fprintln(&b, "digest", s.Digest(), s.Incidents(), s.Changes())
	for number := range s.Vertices() {
		v, _ := s.Index(ident.New(ident.CI, int64(number)))
		if ci := s.CI(v); ci.ID != 0 {
			fmt.Fprintf(&b, "%+v\n", ci)
		}
		dumpEdges(&b, s, "affects", slices.Collect(s.Affects(v)))
		dumpEdges(&b, s, "needs", slices.Collect(s.Needs(v)))
		for _, g := range slices.Sorted(slices.Values(s.GroupsOf(v))) {
			c := s.Counter(g)
			fmt.Fprintf(&b, "group %v of %v: %v %d of %d, %d retired\n", s.GroupID(g), s.ID(v), c.Mode, c.Need, c.Total, c.Retired)
		}
		dumpEdges(&b, s, "misses", s.Retired(v))
	}
	for v := range s.Unmet() {
		fmt.Fprintln(&b, "unmet", s.ID(v))
	}
	return b.String()
}

func dumpEdges(b *strings.Builder, s *topology.Snapshot, word string, edges []topology.Edge) {
	slices.SortFunc(edges, func(x, y topology.Edge) int {
		return cmp.Or(cmp.Compare(x.Relationship, y.Relationship), cmp.Compare(x.From, y.From), cmp.Compare(x.Group, y.Group))
	})
	for _, e := range edges {
		fmt.Fprintf(b, "%s %v %v→%v %v %v %v\n", word, e.Relationship, s.ID(e.From), s.ID(e.To), e.Type, e.Strength, s.GroupID(e.Group))
	}
}

// expect fails the test if a snapshot differs from a model in arcs or groups.
func expect(t interface{ Fatalf(string, ...any) }, s *topology.Snapshot, m *topologytest.Model) {
	want := map[string]int{}
	totals, unmet := map[ident.ID]int{}, map[ident.ID]bool{}
	for _, a := range m.Arcs() {
		strength := topology.Hard
		if a.IsSoft {
			strength = topology.Soft
		}
		groups := a.Groups
		if len(groups) == 0 {
			groups = []ident.ID{s.GroupID(0)}
		}
		for _, g := range groups {
			want[fmt.Sprint(a.Relationship, a.From, a.To, a.Type, strength, g)]++
			totals[g] += topologytest.Weight(m.Groups[g], a.Relationship)
		}
	}
	for _, walk := range []string{"out", "in"} {
		got := map[string]int{}
		for v := range topology.Vertex(s.Vertices()) {
			edges := s.Affects(v)
			if walk == "in" {
				edges = s.Needs(v)
			}
			for e := range edges {
				got[fmt.Sprint(e.Relationship, s.ID(e.From), s.ID(e.To), e.Type, e.Strength, s.GroupID(e.Group))]++
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%s arcs\n got %v\nwant %v", walk, got, want)
		}
	}
	for _, g := range m.Groups {
		c := s.Counter(topology.GroupIndex(g.ID.Number()))
		need, total, retired := m.Need(g)
		if int(c.Need) != need || int(c.Total) != total || int(c.Retired) != retired || total != totals[g.ID] {
			t.Fatalf("%+v needs %d of %d beside %d, want %d of %d (%d) beside %d", g, c.Need, c.Total, c.Retired, need, total, totals[g.ID], retired)
		}
		if need > total {
			unmet[g.Dependent] = true
		}
	}
	for ci := range m.CIs {
		if m.Misses(ci) {
			unmet[ci] = true
		}
	}
	for v := range s.Unmet() {
		if !unmet[s.ID(v)] {
			t.Fatalf("nothing is missing to %v", s.ID(v))
		}
		delete(unmet, s.ID(v))
	}
	if len(unmet) > 0 || s.HasUnmet() && len(slices.Collect(s.Unmet())) == 0 {
		t.Fatalf("something is missing to %v", unmet)
	}
}

// sometimesEager returns Eager in half of all cases.
func sometimesEager(t *rapid.T) topology.Option {
	if rapid.Bool().Draw(t, "eager") {
		return topology.Eager
	}
	return func(*topology.Graph) {}
}

func TestAHistoryOfBatchesEqualsLoadingItsEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := topologytest.Estate(t)
		g := topology.New(topology.Patched, sometimesEager(t))
		if err := g.Load(m.Facts(0)); err != nil {
			t.Fatal(err)
		}
		expect(t, g.Snapshot(), m)
		type past struct {
			snapshot *topology.Snapshot
			said     string
		}
		var history []past
		next := rapid.SampledFrom([]func(*rapid.T, *topologytest.Model) topology.Batch{topologytest.Next, topologytest.Flip}).Draw(t, "kind")
		for range rapid.IntRange(1, 12).Draw(t, "batches") {
			b := next(t, m)
			m.Apply(b)
			if err := g.Apply(b); err != nil {
				t.Fatal(err)
			}
			if rapid.IntRange(0, 5).Draw(t, "compact") == 0 {
				g.Compact()
			}
			s := g.Snapshot()
			expect(t, s, m)
			fresh := topology.New(topology.Patched)
			if err := fresh.Load(m.Facts(uint64(b.Revision))); err != nil {
				t.Fatal(err)
			}
			if got, want := dump(s), dump(fresh.Snapshot()); got != want {
				t.Fatalf("applied:\n%s\nloaded:\n%s", got, want)
			}
			if d, err := topology.DigestOf(m.Facts(7)); err != nil || d != s.Digest() || s.Revision() != b.Revision {
				t.Fatalf("digest %v at %d, want %v at %d, %v", s.Digest(), s.Revision(), d, b.Revision, err)
			}
			for _, r := range m.Relationships {
				if got, ok := s.Relationship(r.ID); !ok || got != r {
					t.Fatalf("got %+v, want %+v", got, r)
				}
			}
			history = append(history, past{s, dump(s)})
		}
		g.Settle()
		for _, p := range history {
			if now := dump(p.snapshot); now != p.said {
				t.Fatalf("revision %d changed from\n%s\nto\n%s", p.snapshot.Revision(), p.said, now)
			}
		}
	})
}

func TestReadersSeeWholeRevisionsWhileWritersAndCompactionRun(t *testing.T) {
	r := rapid.Custom(func(t *rapid.T) []topology.Batch {
		m := topologytest.Estate(t)
		batches := []topology.Batch{m.Facts(0)}
		for range 300 {
			b := topologytest.Next(t, m)
			m.Apply(b)
			batches = append(batches, b)
		}
		return batches
	})
	batches := r.Example(1)
	m, digests := topologytest.NewModel(), map[int64]topology.Digest{}
	for _, b := range batches {
		m.Apply(b)
		digests[b.Revision], _ = topology.DigestOf(m.Facts(0))
	}
	g := topology.New(topology.Patched, topology.Eager)
	if err := g.Load(batches[0]); err != nil {
		t.Fatal(err)
	}
	last := batches[len(batches)-1].Revision
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for at := batches[0].Revision; at < last; at++ {
				s, err := g.Wait(t.Context(), at)
				if err != nil {
					t.Error(err)
					return
				}
				if s.Digest() != digests[s.Revision()] || dump(s) == "" {
					t.Errorf("revision %d has digest %v, want %v", s.Revision(), s.Digest(), digests[s.Revision()])
				}
			}
		})
	}
	for i, b := range batches[1:] {
		if err := g.Apply(b); err != nil {
			t.Fatal(err)
		}
		if i%100 == 0 {
			g.Settle() // or the writer ends before there was a second compaction
		}
	}
	readers.Wait()
	g.Settle()
	expect(t, g.Snapshot(), m)
	if n := g.Compactions(); n < 2 {
		t.Errorf("%d compactions", n)
	}
}

func TestAGraphKeepsItsOptionsWhateverMakesItAnew(t *testing.T) {
	class := ident.New(ident.CIClass, 1)
	facts := func(revision int64) topology.Batch {
		return topology.Batch{Revision: revision, CIs: []topology.CI{{ID: ident.New(ident.CI, revision+1), Class: class}}}
	}
	g := topology.New(topology.Patched)
	for i, change := range []func() error{
		func() error { return g.Load(facts(0)) },
		func() error { return g.Apply(facts(1)) },
		func() error { g.Compact(); return nil },
		func() error { return g.Apply(facts(2)) },
	} {
		if err := change(); err != nil || !g.Snapshot().IsPatched() {
			t.Errorf("step %d: %v", i, err)
		}
	}
	if view, err := g.Snapshot().With(facts(3)); err != nil || !view.IsPatched() {
		t.Errorf("a view: %v", err)
	}
	if g.Compactions() != 1 || topology.New().Snapshot().IsPatched() {
		t.Error("the test shows nothing")
	}
}

func TestAGraphWithoutCIsCompacts(t *testing.T) {
	g := topology.New(topology.Patched)
	g.Compact()
	if err := g.Apply(topology.Batch{Revision: 1, CIs: []topology.CI{{ID: ident.New(ident.CI, 1), Class: ident.New(ident.CIClass, 1)}}}); err != nil {
		t.Fatal(err)
	}
	if v, ok := g.Snapshot().Index(ident.New(ident.CI, 1)); !ok || v != 1 {
		t.Errorf("got %v %v", v, ok)
	}
}

func TestAGapIsRefusedAndChangesNothing(t *testing.T) {
	g := topology.New(topology.Patched)
	if err := g.Load(topology.Batch{Revision: 7}); err != nil {
		t.Fatal(err)
	}
	before := g.Snapshot()
	for _, revision := range []int64{0, 6, 7, 9} {
		err := g.Apply(topology.Batch{Revision: revision, CIs: []topology.CI{{ID: ident.New(ident.CI, 1), Class: ident.New(ident.CIClass, 1)}}})
		if gap := (*topology.GapError)(nil); !errors.As(err, &gap) || gap.Have != 7 || gap.Got != revision {
			t.Errorf("revision %d: got %v", revision, err)
		}
	}
	if g.Snapshot() != before {
		t.Error("a refused batch published a snapshot")
	}
}

func TestAFactThatCannotBeIsRefusedAndChangesNothing(t *testing.T) {
	ci, class := ident.New(ident.CI, 1), ident.New(ident.CIClass, 1)
	for name, b := range map[string]topology.Batch{
		"a CI without id":        {CIs: []topology.CI{{Class: class}}},
		"a CI without class":     {CIs: []topology.CI{{ID: ci}}},
		"a class for a CI":       {CIs: []topology.CI{{ID: class, Class: class}}},
		"a number out of range":  {CIs: []topology.CI{{ID: ident.New(ident.CI, 1<<40), Class: class}}},
		"an environment unknown": {CIs: []topology.CI{{ID: ci, Class: class, Environment: 99}}},
		"a relationship to none": {Relationships: []topology.Relationship{{ID: ident.New(ident.Relationship, 1), Source: ci}}},
		"a removed team":         {Removed: []ident.ID{ident.New(ident.Team, 1)}},
		"weights beyond count": {Groups: []topology.Group{{ID: ident.New(ident.DependencyGroup, 1), Dependent: ci, Members: []topology.Member{
			{Relationship: ident.New(ident.Relationship, 1), Weight: 1 << 31}, {Relationship: ident.New(ident.Relationship, 2), Weight: 1 << 31},
		}}}},
	} {
		g := topology.New(topology.Patched)
		b.Revision = 1
		before := g.Snapshot()
		if err := g.Apply(b); errs.CodeOf(err) != errs.Invalid || g.Snapshot() != before {
			t.Errorf("%s: got %v", name, err)
		}
		if err := g.Load(b); errs.CodeOf(err) != errs.Invalid || g.Snapshot() != before {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestWaitReturnsWhenTheRevisionComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := topology.New(topology.Patched)
		done := make(chan int64)
		go func() {
			s, _ := g.Wait(t.Context(), 2)
			done <- s.Revision()
		}()
		for revision := int64(1); revision <= 2; revision++ {
			synctest.Wait()
			select {
			case got := <-done:
				t.Errorf("returned at revision %d", got)
			default:
			}
			if err := g.Apply(topology.Batch{Revision: revision}); err != nil {
				t.Fatal(err)
			}
		}
		if got := <-done; got != 2 {
			t.Errorf("got revision %d", got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := g.Wait(ctx, 3); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAServiceIsItsCI(t *testing.T) {
	svc := ident.New(ident.Service, 3)
	g := topology.New(topology.Patched)
	if err := g.Load(topology.Batch{CIs: []topology.CI{{ID: svc, Class: ident.New(ident.CIClass, 1), IsService: true}}}); err != nil {
		t.Fatal(err)
	}
	s := g.Snapshot()
	v, ok := s.Index(svc)
	if w, alsoKnown := s.Index(svc.As(ident.CI)); !ok || !alsoKnown || v != w || s.ID(v) != svc.As(ident.CI) {
		t.Fatalf("got %v %v, %v %v", v, ok, w, alsoKnown)
	}
	if _, ok := s.Index(ident.New(ident.Team, 3)); ok {
		t.Error("a team was found among the CIs")
	}
}

func TestAMemoIsWorkedOutOnce(t *testing.T) {
	s := topology.New(topology.Patched).Snapshot()
	times := 0
	for range 3 {
		if got := s.Memo("key", func() any { times++; return times }); got != 1 {
			t.Errorf("got %v", got)
		}
	}
}
