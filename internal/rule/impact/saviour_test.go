package impact_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

func TestSavioursAreThoseThatExcludedKeepItUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := topologytest.Estate(t)
		q := drawQuestion(t, m)
		n, a := judge(m, q), answer(t, load(t, m, 1), q)
		stated, _ := marked(m)
		for ci := range m.CIs {
			got := a.Saviours(ci)
			var told []ident.ID
			for _, saviour := range got {
				told = append(told, saviour.CI)
				if saviour.IsRoot != (n.roots[saviour.CI] || q.OnFacts && slices.Contains(stated, saviour.CI)) || saviour.Distance < 1 {
					t.Fatalf("%+v saves %v", saviour, ci)
				}
			}
			slices.Sort(told)
			var want []ident.ID
			for other := range m.CIs {
				if n.told(ci) != impact.Down || other == ci {
					continue
				}
				spared := q
				spared.Excluded = append(slices.Clone(q.Excluded), other)
				if judge(m, spared).states[ci] != impact.Down {
					want = append(want, other)
				}
			}
			slices.Sort(want)
			if !slices.Equal(told, want) {
				t.Fatalf("%v: got %v, want %v, question %+v", ci, told, want, q)
			}
		}
	})
}

func TestTheNearestSaviourComesFirstAndTheFailedLast(t *testing.T) {
	k, s := draw(t, "svc needs app, app needs any of n1 n2, n1 needs rack, n2 needs rack, rack needs feed")
	a, err := impact.Of(t.Context(), s, k.question("feed DOWN"))
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, saviour := range a.Saviours(k.names["svc"]) {
		told = append(told, fmt.Sprint(k.name(saviour.CI), saviour.Distance, saviour.IsRoot))
	}
	if want := "[app1 false n12 false n22 false rack3 false feed4 true]"; fmt.Sprint(told) != want {
		t.Errorf("got %v, want %s", told, want)
	}
	cut := k.question("feed DOWN")
	cut.MaxCIs = 3
	if a, err = impact.Of(t.Context(), s, cut); err != nil || a.Saviours(k.names["n1"]) != nil {
		t.Errorf("an answer cut short names a saviour, %v", err)
	}
}
