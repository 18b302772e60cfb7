package benchmark_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// past compares the graph of an earlier revision, made from the present one, with a graph that was loaded for that
// revision: both give the same answers, and the present gives others.
func past(t *testing.T, facts topology.Batch, now *topology.Snapshot, b *table) {
	b.head("The past: impact of random CIs, and the dependencies of a tenth of them", "changed since, of the relationships", "making it", "MiB beside the present", "÷ a graph loaded for that revision", "bar")
	roots := drawRoots(now, max(*random/10, 50), 0) // each is asked in eight graphs
	cis := make([]ident.ID, 0, len(roots))
	for _, v := range roots {
		cis = append(cis, now.ID(v))
	}
	for _, share := range []float64{0.0001, 0.01, 0.05, 0.5} {
		say("past: %g %% of the relationships are undone", share*100)
		undone, then := rewritten(facts, int(share*float64(len(facts.Relationships))))
		undone.Revision = now.Revision() - 1
		rebuilt := load(t, then).Snapshot()
		var making times
		var view *topology.Snapshot
		least := [2][]time.Duration{make([]time.Duration, len(cis)), make([]time.Duration, len(cis))}
		for round := range *rounds {
			making.time(func() {
				var err error
				if view, err = now.Rewound(undone); err != nil {
					t.Fatal(err)
				}
			})
			for i, ci := range cis {
				var reached [2]int
				for k, s := range []*topology.Snapshot{view, rebuilt} {
					var took time.Duration
					if reached[k], took = examine(t, s, ci, i%10 == 0); round == 0 || took < least[k][i] {
						least[k][i] = took
					}
				}
				if reached[0] != reached[1] {
					t.Fatalf("%v affects %d CIs in the past, and %d in a graph loaded for it", ci, reached[0], reached[1])
				}
			}
		}
		b.row(fmt.Sprintf("%g %%", share*100), &making, float64(view.Beside(now))/(1<<20),
			float64(sum(least[0]))/float64(sum(least[1])), "2")
	}
}

func examine(t *testing.T, s *topology.Snapshot, ci ident.ID, withDependencies bool) (affected int, took time.Duration) {
	start := threadTime()
	a, err := impact.Of(t.Context(), s, impact.Question{Failed: []impact.Failure{{CI: ci, State: impact.Down}}})
	if err != nil {
		t.Fatal(err)
	}
	if withDependencies {
		if _, err := impact.Dependencies(t.Context(), s, []ident.ID{ci}, impact.Limits{}); err != nil {
			t.Fatal(err)
		}
	}
	took = threadTime() - start
	return a.Counts(impact.Filter{}).Total, took
}

// rewritten returns the differences of an estate's past: half of the facts were other relationships, a quarter was
// removed since, and a quarter was made since. then is the whole of that past.
func rewritten(now topology.Batch, facts int) (undone, then topology.Batch) {
	r := rand.New(rand.NewPCG(7, 8))
	n := len(now.Relationships)
	then = now
	then.Relationships = slices.Clone(now.Relationships)
	other := func(id ident.ID) topology.Relationship { // between the same layers: neighbours in the list are of one
		at := r.IntN(n)
		f := now.Relationships[at]
		f.ID, f.Target = id, now.Relationships[min(max(at+r.IntN(100)-50, 0), n-1)].Target
		return f
	}
	for i, at := range r.Perm(n)[:min(facts*3/4, n)] {
		if id := now.Relationships[at].ID; i < facts/2 {
			then.Relationships[at] = other(id)
			undone.Relationships = append(undone.Relationships, then.Relationships[at])
		} else {
			then.Removed = append(then.Removed, id)
			undone.Removed = append(undone.Removed, id)
		}
	}
	for i := range facts / 4 {
		f := other(ident.New(ident.Relationship, int64(n+1+i)))
		then.Relationships = append(then.Relationships, f)
		undone.Relationships = append(undone.Relationships, f)
	}
	return undone, then
}
