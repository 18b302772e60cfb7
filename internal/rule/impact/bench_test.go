package impact_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// layered is n CIs in which each needs five of the next tenth, the last ones being hubs; a third have a group.
func layered(b *testing.B, n int) *topology.Snapshot {
	r := rand.New(rand.NewPCG(1, 2))
	facts := topology.Batch{Types: []topology.Type{{ID: ident.New(ident.RelationshipType, 1), Flow: topology.TargetToSource, Strength: topology.Hard}}}
	for i := range n {
		ci := ident.New(ident.CI, int64(i+1))
		facts.CIs = append(facts.CIs, topology.CI{ID: ci, Class: ident.New(ident.CIClass, int64(1+i%7)), IsService: i < n/50})
		group := topology.Group{ID: ident.New(ident.DependencyGroup, int64(len(facts.Groups)+1)), Dependent: ci, Mode: topology.Any}
		for range 5 {
			if i+1 >= n {
				break
			}
			rel := topology.Relationship{
				ID: ident.New(ident.Relationship, int64(len(facts.Relationships)+1)), Type: facts.Types[0].ID,
				Source: ci, Target: ident.New(ident.CI, int64(i+2+r.IntN(min(n-i-1, 1+n/10)))),
			}
			if i%3 != 0 && r.IntN(4) > 0 {
				rel.Strength = topology.Soft
			}
			facts.Relationships = append(facts.Relationships, rel)
			if i%3 == 0 {
				group.Members = append(group.Members, topology.Member{Relationship: rel.ID})
			}
		}
		if len(group.Members) > 1 {
			facts.Groups = append(facts.Groups, group)
		}
	}
	g := topology.New()
	if err := g.Load(facts); err != nil {
		b.Fatal(err)
	}
	return g.Snapshot()
}

func BenchmarkOf(b *testing.B) {
	s := layered(b, 10_000)
	for name, ci := range map[string]int64{"small": 200, "hub": 9_999} {
		b.Run(name, func(b *testing.B) {
			q := impact.Question{Failed: []impact.Failure{{CI: ident.New(ident.CI, ci), State: impact.Down}}}
			b.ReportAllocs()
			var a *impact.Answer
			for b.Loop() {
				a, _ = impact.Of(b.Context(), s, q)
			}
			b.ReportMetric(float64(a.Completeness.Explored), "CIs")
		})
	}
}

func BenchmarkAffected(b *testing.B) {
	s := layered(b, 10_000)
	q := impact.Question{Failed: []impact.Failure{{CI: ident.New(ident.CI, 9_999), State: impact.Down}}}
	b.ReportAllocs()
	for b.Loop() {
		a, _ := impact.Of(b.Context(), s, q)
		_ = a.Affected(impact.Filter{})
	}
}

func BenchmarkProof(b *testing.B) {
	s := layered(b, 10_000)
	a, _ := impact.Of(b.Context(), s, impact.Question{Failed: []impact.Failure{{CI: ident.New(ident.CI, 9_999), State: impact.Down}}})
	hits := a.Affected(impact.Filter{})
	b.ReportAllocs()
	for b.Loop() {
		_, _ = a.Proof(hits[len(hits)/2].CI)
	}
}

func BenchmarkDependencies(b *testing.B) {
	s := layered(b, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = impact.Dependencies(b.Context(), s, []ident.ID{ident.New(ident.CI, 5_000)}, impact.Limits{})
	}
}

func BenchmarkShortestPath(b *testing.B) {
	s := layered(b, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = impact.ShortestPath(b.Context(), s, ident.New(ident.CI, 9_999), ident.New(ident.CI, 3))
	}
}

func ExampleState() {
	fmt.Println(impact.Operational, impact.AtRisk, impact.Degraded, impact.Down)
	// Output: OPERATIONAL AT_RISK DEGRADED DOWN
}
