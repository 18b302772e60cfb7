package impact_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

func TestTransitionsGoByCIWhereverItLies(t *testing.T) {
	told, moved := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		m := topologytest.Estate(t)
		g := topology.New()
		if err := g.Load(m.Facts(0)); err != nil {
			t.Fatal(err)
		}
		before, then := g.Snapshot(), m.Clone()
		next := topologytest.Next(t, m)
		m.Apply(next)
		if err := g.Apply(next); err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "compacted") {
			g.Compact()
		}
		after := g.Snapshot()
		got := map[ident.ID]impact.Transition{}
		for _, x := range impact.Transitions(before, after) {
			got[x.Service] = x
		}
		told += len(got)
		all := map[ident.ID]bool{}
		for _, in := range []*topologytest.Model{then, m} {
			for ci := range in.CIs {
				all[ci] = true
			}
		}
		isService := func(s *topology.Snapshot, ci ident.ID) bool {
			v, ok := s.Index(ci)
			return ok && s.IsService(v)
		}
		for ci := range all {
			v, _ := before.Index(ci)
			if w, _ := after.Index(ci); v != w {
				moved++
			}
			from, to := impact.StateOf(before, ci), impact.StateOf(after, ci)
			want := from != to && m.InService(ci) && then.InService(ci) && (isService(before, ci) || isService(after, ci))
			if x, ok := got[ci]; ok != want || want && (x.From != from || x.To != to) {
				t.Fatalf("%s went from %v to %v and %v was told (%v)", ci, from, to, x, slices.Sorted(maps.Keys(got)))
			}
		}
	})
	if !testing.Short() && (told == 0 || moved == 0) { // few are drawn then
		t.Errorf("%d transitions told, %d CIs moved: that shows nothing", told, moved)
	}
}
