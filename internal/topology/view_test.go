package topology_test

import (
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

// supposed is a view and the dump that it has to keep.
type supposed struct {
	view *topology.Snapshot
	said string
}

// suppose makes a view of a view, up to three deep, and compares each with a graph that is really changed.
func suppose(t *rapid.T, s *topology.Snapshot, m *topologytest.Model) (made []supposed) {
	m = m.Clone()
	for range rapid.IntRange(1, 3).Draw(t, "views") {
		b := topologytest.Next(t, m)
		view, err := s.With(b)
		if err != nil {
			t.Fatal(err)
		}
		m.Apply(b)
		fresh := topology.New(topology.Patched)
		if err := fresh.Load(m.Facts(5)); err != nil {
			t.Fatal(err)
		}
		expect(t, view, m)
		said := dump(view)
		if want := dump(fresh.Snapshot()); said != want {
			t.Fatalf("view:\n%s\nloaded:\n%s", said, want)
		}
		if view.Revision() != s.Revision() {
			t.Fatalf("the view is of revision %d, not %d", view.Revision(), s.Revision())
		}
		for name, rewind := range map[string]func(topology.Batch) (*topology.Snapshot, error){"laid over": s.Rewound, "compiled anew": s.RewoundAnew} {
			b.Revision = s.Revision() - 1
			past, err := rewind(b)
			if err != nil {
				t.Fatal(err)
			}
			if got := dump(past); got != said {
				t.Fatalf("rewound, %s:\n%s\nloaded:\n%s", name, got, said)
			}
			made = append(made, supposed{past, said})
		}
		made = append(made, supposed{view, said})
		s = view
	}
	return made
}

func TestAViewEqualsAGraphThatIsReallyChanged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := topologytest.Estate(t)
		g := topology.New(topology.Patched, sometimesEager(t))
		if err := g.Load(m.Facts(0)); err != nil {
			t.Fatal(err)
		}
		var made []supposed
		for range rapid.IntRange(1, 6).Draw(t, "batches") {
			made = append(made, suppose(t, g.Snapshot(), m)...)
			made = append(made, suppose(t, g.Snapshot(), m)...)
			b := topologytest.Next(t, m)
			m.Apply(b)
			if err := g.Apply(b); err != nil {
				t.Fatal(err)
			}
			expect(t, g.Snapshot(), m)
		}
		g.Settle()
		for _, v := range made {
			if now := dump(v.view); now != v.said {
				t.Fatalf("a view changed from\n%s\nto\n%s", v.said, now)
			}
		}
	})
}

func TestViewsAreMadeWhileWritersWrite(t *testing.T) {
	var batches, supposals []topology.Batch
	rapid.Custom(func(t *rapid.T) int {
		m := topologytest.Estate(t)
		batches, supposals = []topology.Batch{m.Facts(0)}, nil
		for range 200 {
			supposals = append(supposals, topologytest.Next(t, m))
			b := topologytest.Next(t, m)
			m.Apply(b)
			batches = append(batches, b)
		}
		return 0
	}).Example(2)
	g := topology.New(topology.Patched)
	if err := g.Load(batches[0]); err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		readers.Go(func() {
			for i := 0; ; i++ {
				s := g.Snapshot()
				view, err := s.With(supposals[i%len(supposals)])
				if err != nil || dump(view) == "" {
					t.Error(err)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for _, b := range batches[1:] {
		if err := g.Apply(b); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	readers.Wait()
	m := topologytest.NewModel()
	for _, b := range batches {
		m.Apply(b)
	}
	expect(t, g.Snapshot(), m)
}

func TestAViewDoesNotReachFarAbove(t *testing.T) {
	g := topology.New(topology.Patched)
	ci, class := ident.New(ident.CI, 1), ident.New(ident.CIClass, 1)
	if err := g.Load(topology.Batch{CIs: []topology.CI{{ID: ci, Class: class}}}); err != nil {
		t.Fatal(err)
	}
	s := g.Snapshot()
	far := ident.New(ident.CI, 1<<25)
	for name, b := range map[string]topology.Batch{
		"a CI":           {CIs: []topology.CI{{ID: far, Class: class}}},
		"an end":         {Relationships: []topology.Relationship{{ID: ident.New(ident.Relationship, 1), Type: ident.New(ident.RelationshipType, 1), Source: ci, Target: far}}},
		"a member":       {Groups: []topology.Group{{ID: ident.New(ident.DependencyGroup, 1), Dependent: ci, Members: []topology.Member{{Relationship: ident.New(ident.Relationship, 1<<26)}}}}},
		"a removed CI":   {Removed: []ident.ID{far}},
		"a fact awry":    {CIs: []topology.CI{{ID: ci}}},
		"a far-off node": {Groups: []topology.Group{{ID: ident.New(ident.DependencyGroup, 1<<25), Dependent: ci}}},
	} {
		if _, err := s.With(b); errs.CodeOf(err) != errs.Invalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, k := range []ident.Kind{ident.CI, ident.Relationship, ident.DependencyGroup} {
		if s.Unused(k).Number() < 1 {
			t.Errorf("got %v", s.Unused(k))
		}
	}
	if view, err := s.With(topology.Batch{CIs: []topology.CI{{ID: s.Unused(ident.CI), Class: class}}}); err != nil || !view.InService(topology.Vertex(s.Unused(ident.CI).Number())) {
		t.Errorf("got %v", err)
	}
}
