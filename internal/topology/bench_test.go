package topology_test

import (
	"math/rand/v2"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// estate returns n CIs in layers with five relationships each, a fifth of them in groups of two or three.
func estate(n int) topology.Batch {
	r := rand.New(rand.NewPCG(1, 2))
	b := topology.Batch{Types: []topology.Type{{ID: ident.New(ident.RelationshipType, 1), Flow: topology.TargetToSource, Strength: topology.Hard}}}
	for i := range n {
		ci := ident.New(ident.CI, int64(i+1))
		b.CIs = append(b.CIs, topology.CI{ID: ci, Class: ident.New(ident.CIClass, 1), IsService: i < n/50})
		group := topology.Group{ID: ident.New(ident.DependencyGroup, int64(len(b.Groups)+1)), Dependent: ci, Mode: topology.Any}
		for k := range 5 {
			if i+1 >= n {
				break
			}
			rel := topology.Relationship{
				ID: ident.New(ident.Relationship, int64(len(b.Relationships)+1)), Type: b.Types[0].ID,
				Source: ci, Target: ident.New(ident.CI, int64(i+2+r.IntN(min(n-i-1, 1+n/10)))),
			}
			if r.IntN(2) == 0 {
				rel.Strength = topology.Soft
			}
			b.Relationships = append(b.Relationships, rel)
			if i%3 == 0 && k < 3 {
				group.Members = append(group.Members, topology.Member{Relationship: rel.ID})
			}
		}
		if len(group.Members) > 1 {
			b.Groups = append(b.Groups, group)
		}
	}
	return b
}

func BenchmarkLoad(b *testing.B) {
	facts := estate(10_000)
	g := topology.New()
	for b.Loop() {
		if err := g.Load(facts); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(facts.Relationships)), "ns/relationship")
}

func BenchmarkApplyOneRelationship(b *testing.B) {
	facts := estate(10_000)
	g := topology.New()
	if err := g.Load(facts); err != nil {
		b.Fatal(err)
	}
	r, revision := rand.New(rand.NewPCG(3, 4)), int64(0)
	for b.Loop() {
		revision++
		rel := facts.Relationships[r.IntN(len(facts.Relationships))]
		rel.Strength = topology.Strength(1 + r.IntN(2))
		if err := g.Apply(topology.Batch{Revision: revision, Relationships: []topology.Relationship{rel}}); err != nil {
			b.Fatal(err)
		}
	}
	g.Settle()
}
