package impact_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

// TestAFallLaidOverAnOutageIsTakenAwayAgain lays each of several failures, one after the other, over the same first
// one: each takes down beside the first what it takes down together with it, and if more goes DOWN than by one or the
// other, a group breaks by the two.
func TestAFallLaidOverAnOutageIsTakenAwayAgain(t *testing.T) {
	together := 0
	rapid.Check(t, func(t *rapid.T) {
		g, m := topology.New(), topologytest.Estate(t)
		m.Apply(redundantWith(topologytest.CI(t)))
		facts := m.Facts(1)
		if err := g.Load(facts); err != nil {
			t.Fatal(err)
		}
		s := g.Snapshot()
		var present []topology.Vertex
		for v := topology.Vertex(1); int(v) < s.Vertices(); v++ {
			if s.InService(v) {
				present = append(present, v)
			}
		}
		if len(present) == 0 {
			return
		}
		ends := map[ident.ID][2]ident.ID{}
		for _, r := range facts.Relationships {
			ends[r.ID] = [2]ident.ID{r.Source, r.Target}
		}
		var suppliers [][]topology.Vertex // of each group with two or more
		for _, group := range facts.Groups {
			var of []topology.Vertex
			for _, m := range group.Members {
				for _, end := range ends[m.Relationship] {
					if v, ok := s.Index(end); ok && end != group.Dependent && slices.Contains(present, v) && !slices.Contains(of, v) {
						of = append(of, v)
					}
				}
			}
			if len(of) > 1 {
				suppliers = append(suppliers, of)
			}
		}
		some := func(what string, half int) []topology.Vertex { // half of what a group needs, or any
			if len(suppliers) > 0 && rapid.Bool().Draw(t, what+" of a group") {
				of := rapid.SampledFrom(suppliers).Draw(t, what)
				return [][]topology.Vertex{of[:len(of)/2], of[len(of)/2:]}[half]
			}
			return rapid.SliceOfN(rapid.SampledFrom(present), 1, 3).Draw(t, what)
		}
		down := func(failed ...topology.Vertex) (all []topology.Vertex) {
			var q impact.Question
			for _, v := range failed {
				q.Failed = append(q.Failed, impact.Failure{CI: s.ID(v), State: impact.Down})
			}
			a, err := impact.Of(t.Context(), s, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range present {
				if a.TrueState(s.ID(v)) == impact.Down {
					all = append(all, v)
				}
			}
			return all
		}
		first := some("first", 0)
		outage, err := impact.OutageOf(t.Context(), s, first)
		if err != nil {
			t.Fatal(err)
		}
		defer outage.Release()
		before := down(first...)
		for range 4 {
			second := some("second", 1)
			fall, err := impact.FallOf(t.Context(), s, second)
			if err != nil {
				t.Fatal(err)
			}
			alone, both := down(second...), down(slices.Concat(first, second)...)
			breaks := slices.ContainsFunc(both, func(v topology.Vertex) bool { return !slices.Contains(before, v) && !slices.Contains(alone, v) })
			if breaks {
				together++
			}
			if broken := outage.BreaksWith(fall); breaks && len(broken) == 0 {
				t.Fatalf("%v and %v break no group together, and %v are DOWN", first, second, both)
			}
			got, err := outage.With(second)
			if err != nil {
				t.Fatal(err)
			}
			want := slices.DeleteFunc(both, func(v topology.Vertex) bool { return slices.Contains(before, v) })
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Fatalf("%v beside %v takes %v down, want %v", second, first, got, want)
			}
		}
	})
	if together == 0 {
		t.Error("no two failures broke a group together")
	}
}

// redundantWith returns a batch that adds a CI that goes DOWN when both CIs do that it needs: a new one, and one of the
// estate.
func redundantWith(other ident.ID) topology.Batch {
	class, kind := ident.New(ident.CIClass, 1), ident.New(ident.RelationshipType, 1_000)
	dependent, one := ident.New(ident.CI, 1_000), ident.New(ident.CI, 1_001)
	first, second := ident.New(ident.Relationship, 1_000), ident.New(ident.Relationship, 1_001)
	return topology.Batch{
		CIs:           []topology.CI{{ID: dependent, Class: class}, {ID: one, Class: class}},
		Types:         []topology.Type{{ID: kind, Flow: topology.TargetToSource, Strength: topology.Hard}},
		Relationships: []topology.Relationship{{ID: first, Type: kind, Source: dependent, Target: one}, {ID: second, Type: kind, Source: dependent, Target: other}},
		Groups:        []topology.Group{{ID: ident.New(ident.DependencyGroup, 1_000), Dependent: dependent, Mode: topology.Any, Members: []topology.Member{{Relationship: first}, {Relationship: second}}}},
	}
}
