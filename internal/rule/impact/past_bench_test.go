package impact_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// rewritten is what was different in the past of an estate: half of the facts were other relationships, a quarter was
// removed since, and a quarter was made since. then is the whole of that past.
func rewritten(now topology.Batch, facts int) (past, then topology.Batch) {
	r := rand.New(rand.NewPCG(7, 8))
	n := len(now.Relationships)
	then = now
	then.Relationships = append([]topology.Relationship(nil), now.Relationships...)
	other := func(id ident.ID) topology.Relationship { // between the same layers: neighbours in the list are of one
		at := r.IntN(n)
		f := now.Relationships[at]
		f.ID, f.Target = id, now.Relationships[min(max(at+r.IntN(100)-50, 0), n-1)].Target
		return f
	}
	for i, at := range r.Perm(n)[:min(facts*3/4, n)] {
		if id := now.Relationships[at].ID; i < facts/2 {
			then.Relationships[at] = other(id)
			past.Relationships = append(past.Relationships, then.Relationships[at])
		} else {
			then.Removed = append(then.Removed, id)
			past.Removed = append(past.Removed, id)
		}
	}
	for i := range facts / 4 {
		f := other(ident.New(ident.Relationship, int64(n+1+i)))
		then.Relationships = append(then.Relationships, f)
		past.Relationships = append(past.Relationships, f)
	}
	return past, then
}

func loaded(b *testing.B, facts topology.Batch) (*topology.Snapshot, time.Duration) {
	start := time.Now()
	g := topology.New()
	if err := g.Load(facts); err != nil {
		b.Fatal(err)
	}
	return g.Snapshot(), time.Since(start)
}

// BenchmarkPast compares a past snapshot with the present one and with a graph loaded for that past: what it costs to
// make, what impact of the same 200 CIs and dependencies of 10 of them cost on it, and what it keeps in memory. 1,000,000 CIs need 4 GiB.
func BenchmarkPast(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		if n > 100_000 && testing.Short() {
			continue
		}
		facts := tiered(n)
		now, _ := loaded(b, facts)
		for _, share := range []float64{0.0001, 0.01, 0.05, 0.5} {
			changed := int(share * float64(len(facts.Relationships)))
			past, then := rewritten(facts, changed)
			past.Revision = -1
			rebuilt, loading := loaded(b, then)
			b.Run(fmt.Sprintf("CIs=%d/changed=%g%%", n, share*100), func(b *testing.B) {
				r := rand.New(rand.NewPCG(9, 9))
				cis := make([]ident.ID, 200)
				for i := range cis {
					cis[i] = ident.New(ident.CI, 1+r.Int64N(int64(n-n/40)))
				}
				snapshots := []*topology.Snapshot{now, nil, rebuilt}
				spent, making := make([]time.Duration, 3), time.Duration(0)
				for b.Loop() {
					start := time.Now()
					view, err := now.Rewound(past)
					if err != nil {
						b.Fatal(err)
					}
					making += time.Since(start)
					snapshots[1] = view
					for n, ci := range cis {
						for i, s := range snapshots {
							start := time.Now()
							q := impact.Question{Failed: []impact.Failure{{CI: ci, State: impact.Down}}}
							if _, err := impact.Of(b.Context(), s, q); err != nil {
								b.Fatal(err)
							}
							if n%20 == 0 {
								if _, err := impact.Dependencies(b.Context(), s, []ident.ID{ci}, impact.Limits{}); err != nil {
									b.Fatal(err)
								}
							}
							spent[i] += time.Since(start)
						}
					}
				}
				b.ReportMetric(float64(spent[1])/float64(spent[0]), "past/now")
				b.ReportMetric(float64(spent[1])/float64(spent[2]), "past/rebuilt")
				b.ReportMetric(float64(making)/float64(b.N)/float64(loading), "making/loading")
				b.ReportMetric(float64(making.Microseconds())/float64(b.N)/1000, "ms/making")
				b.ReportMetric(float64(snapshots[1].Beside(now))/(1<<20), "MiB")
			})
		}
	}
}

// BenchmarkOverlay is what it costs to suppose so many operations, half of them added, half removed relationships.
func BenchmarkOverlay(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		if n > 100_000 && testing.Short() {
			continue
		}
		s := tieredSnapshot(b, n)
		for _, operations := range []int{1, 10, 100} {
			b.Run(fmt.Sprintf("CIs=%d/operations=%d", n, operations), func(b *testing.B) {
				r := rand.New(rand.NewPCG(1, 1))
				for b.Loop() {
					var o impact.Overlay
					for i := range int64(operations) {
						if i%2 == 1 {
							o.Removed = append(o.Removed, ident.New(ident.Relationship, 1+r.Int64N(int64(4*n))))
							continue
						}
						o.Relationships = append(o.Relationships, topology.Relationship{
							ID: ident.New(ident.Relationship, s.Unused(ident.Relationship).Number()+i), Type: ident.New(ident.RelationshipType, 1),
							Source: ident.New(ident.CI, 1+r.Int64N(int64(n/10))), Target: ident.New(ident.CI, 1+r.Int64N(int64(n*9/10))),
						})
					}
					if _, _, err := o.On(s); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
