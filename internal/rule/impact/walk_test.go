package impact_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

// hops relaxes the distance of every CI from a set until nothing changes, along the arcs that allowed takes.
func hops(arcs []topologytest.Arc, start []ident.ID, against bool, allowed func(topologytest.Arc) bool) map[ident.ID]int {
	d := map[ident.ID]int{}
	for _, ci := range start {
		d[ci] = 0
	}
	for changed := true; changed; {
		changed = false
		for _, a := range arcs {
			from, to := a.From, a.To
			if against {
				from, to = to, from
			}
			at, reached := d[from]
			before, known := d[to]
			if reached && allowed(a) && (!known || at+1 < before) {
				d[to] = at + 1
				changed = true
			}
		}
	}
	return d
}

func everyArc(topologytest.Arc) bool { return true }

func drawCIs(t *rapid.T, m *topologytest.Model) (cis []ident.ID) {
	known := slices.Sorted(maps.Keys(m.CIs))
	if len(known) == 0 {
		t.Skip("the drawn estate has no CI to ask about")
	}
	for range rapid.IntRange(1, 3).Draw(t, "asked") {
		cis = append(cis, rapid.SampledFrom(known).Draw(t, "ci"))
	}
	return cis
}

func TestDependenciesAreTheClosureAgainstTheFlow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := topologytest.Estate(t)
		s, cis := load(t, m, 1), drawCIs(t, m)
		got, err := impact.Dependencies(tctx, s, cis, impact.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		all := hops(m.Arcs(), cis, true, everyArc)
		hard := hops(m.Arcs(), cis, true, func(a topologytest.Arc) bool { return len(a.Groups) > 0 || !a.IsSoft })
		alone := hops(m.Arcs(), cis, true, func(a topologytest.Arc) bool { return len(a.Groups) == 0 })
		want := map[ident.ID]string{}
		for ci, d := range all {
			if d == 0 {
				continue
			}
			strength := topology.Soft
			if _, ok := hard[ci]; ok {
				strength = topology.Hard
			}
			_, ok := alone[ci]
			want[ci] = fmt.Sprint(d, strength, !ok)
		}
		told := map[ident.ID]string{}
		for _, n := range got.CIs {
			told[n.CI] = fmt.Sprint(n.Distance, n.Strength, n.ViaGroup)
		}
		if !maps.Equal(told, want) || len(got.CIs) != len(want) || got.Completeness.IsPartial {
			t.Fatalf("%v needs %v (%+v), want %v", cis, told, got.Completeness, want)
		}
		limits := impact.Limits{MaxDepth: rapid.IntRange(0, 3).Draw(t, "depth"), MaxCIs: rapid.IntRange(0, 4).Draw(t, "budget")}
		part, err := impact.Dependencies(tctx, load(t, m, 9), cis, limits)
		if err != nil {
			t.Fatal(err)
		}
		checkPart(t, got.CIs, part, limits)
	})
}

// checkPart demands the nearest, and of the farthest the lowest.
func checkPart(t *rapid.T, whole []impact.Need, part *impact.Needs, limits impact.Limits) {
	slices.SortFunc(whole, func(a, b impact.Need) int {
		return cmp.Or(cmp.Compare(a.Distance, b.Distance), cmp.Compare(a.CI, b.CI))
	})
	want := map[ident.ID]bool{}
	for _, n := range whole {
		if (limits.MaxDepth == 0 || n.Distance <= limits.MaxDepth) && (limits.MaxCIs == 0 || len(want) < limits.MaxCIs) {
			want[n.CI] = true
		}
	}
	told := map[ident.ID]bool{}
	for _, n := range part.CIs {
		told[n.CI] = true
	}
	if !maps.Equal(told, want) || part.Completeness.IsPartial != (len(want) < len(whole)) {
		t.Fatalf("with %+v got %v (%+v), want %v", limits, told, part.Completeness, want)
	}
}

func TestReachIsTheClosureAlongTheFlow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := topologytest.Estate(t)
		s, cis := load(t, m, 1), drawCIs(t, m)
		vertices, err := impact.Reach(tctx, s, cis)
		if err != nil {
			t.Fatal(err)
		}
		var got []ident.ID
		for _, v := range vertices {
			got = append(got, s.ID(v))
		}
		slices.Sort(got)
		if want := slices.Sorted(maps.Keys(hops(m.Arcs(), cis, false, everyArc))); !slices.Equal(got, want) {
			t.Fatalf("%v reach %v, want %v", cis, got, want)
		}
	})
}

func TestAShortestPathIsAPathAndNoneIsShorter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := topologytest.Estate(t)
		s, ends := load(t, m, 1), drawCIs(t, m)
		from, to := ends[0], ends[len(ends)-1]
		path, err := impact.ShortestPath(tctx, s, from, to)
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := hops(m.Arcs(), []ident.ID{from}, false, everyArc)[to]; len(path) != d || !ok && path != nil {
			t.Fatalf("from %v to %v: got %v, want %d hops", from, to, path, d)
		}
		at := from
		for _, step := range path {
			if step.From != at || !slices.ContainsFunc(m.Arcs(), func(a topologytest.Arc) bool {
				return a.Relationship == step.Relationship && a.From == step.From && a.To == step.To
			}) {
				t.Fatalf("%+v is no hop in %v", step, path)
			}
			at = step.To
		}
		if len(path) > 0 && at != to {
			t.Fatalf("%v does not end at %v", path, to)
		}
		if again, _ := impact.ShortestPath(tctx, load(t, m, rand.Uint64()), from, to); !slices.Equal(again, path) {
			t.Fatalf("once %v, once %v", path, again)
		}
	})
}
