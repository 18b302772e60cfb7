package impact_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

// TestWhatIsLaidOverABrinkIsTakenAwayAgain: each of several failures, one after the other, takes down beside the first what it takes down
// together with it, and where more goes DOWN than by one or the other a group breaks by the two.
func TestWhatIsLaidOverABrinkIsTakenAwayAgain(t *testing.T) {
	together := 0
	rapid.Check(t, func(t *rapid.T) {
		g := topology.New()
		if err := g.Load(topologytest.Estate(t).Facts(1)); err != nil {
			t.Fatal(err)
		}
		s := g.Snapshot()
		var present []topology.Vertex
		for v := topology.Vertex(1); int(v) < s.Vertices(); v++ {
			if s.IsPresent(v) {
				present = append(present, v)
			}
		}
		if len(present) == 0 {
			return
		}
		some := func(what string) []topology.Vertex {
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
				if a.State(s.ID(v)) == impact.Down {
					all = append(all, v)
				}
			}
			return all
		}
		first := some("first")
		brink, err := impact.BrinkOf(t.Context(), s, first)
		if err != nil {
			t.Fatal(err)
		}
		defer brink.Release()
		before := down(first...)
		for range 4 {
			second := some("second")
			fall, err := impact.FallOf(t.Context(), s, second)
			if err != nil {
				t.Fatal(err)
			}
			alone, both := down(second...), down(slices.Concat(first, second)...)
			breaks := slices.ContainsFunc(both, func(v topology.Vertex) bool { return !slices.Contains(before, v) && !slices.Contains(alone, v) })
			if breaks {
				together++
			}
			if broken := brink.BreaksWith(fall); breaks && len(broken) == 0 {
				t.Fatalf("%v and %v break no group together, and %v are DOWN", first, second, both)
			}
			got, err := brink.With(second)
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
