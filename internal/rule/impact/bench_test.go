package impact_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
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

// tiered is an estate of the shape that benchmarks.md describes: services over components over hosts, with redundant
// pairs at every layer, few hubs and few cycles.
func tiered(n int) topology.Batch {
	r := rand.New(rand.NewPCG(3, 9))
	facts := topology.Batch{Types: []topology.Type{{ID: ident.New(ident.RelationshipType, 1), Flow: topology.TargetToSource, Strength: topology.Hard}}}
	widths := []int{n / 50, n / 10, n * 5 / 10, n * 3 / 10, n / 20, n / 40} // services, applications, pods, hosts, racks, network and power
	first, total := make([]int, len(widths)), 0
	for layer, width := range widths {
		first[layer] = total + 1
		total += width
	}
	needs := func(ci, layer int, strength topology.Strength) ident.ID {
		at := first[layer] + r.IntN(widths[layer])
		if r.IntN(20) == 0 {
			at = first[layer] + r.IntN(1+widths[layer]/500) // heavy tail
		}
		rel := topology.Relationship{
			ID: ident.New(ident.Relationship, int64(len(facts.Relationships)+1)), Type: facts.Types[0].ID,
			Source: ident.New(ident.CI, int64(ci)), Target: ident.New(ident.CI, int64(at)), Strength: strength,
		}
		facts.Relationships = append(facts.Relationships, rel)
		return rel.ID
	}
	for layer, width := range widths {
		for i := range width {
			ci := first[layer] + i
			facts.CIs = append(facts.CIs, topology.CI{ID: ident.New(ident.CI, int64(ci)), Class: ident.New(ident.CIClass, int64(1+layer)), IsService: layer == 0})
			below := min(layer+1, len(widths)-1)
			if below == layer {
				continue
			}
			needs(ci, below, topology.Hard)
			needs(ci, below, topology.Soft)
			group := topology.Group{ID: ident.New(ident.DependencyGroup, int64(len(facts.Groups)+1)), Dependent: ident.New(ident.CI, int64(ci)), Mode: topology.Any}
			for range 3 {
				group.Members = append(group.Members, topology.Member{Relationship: needs(ci, below, topology.Hard)})
			}
			facts.Groups = append(facts.Groups, group)
			if layer == 1 && r.IntN(10) == 0 {
				needs(ci, layer, topology.Soft)
			}
		}
	}
	return facts
}

func tieredSnapshot(b *testing.B, n int) *topology.Snapshot {
	g := topology.New()
	if err := g.Load(tiered(n)); err != nil {
		b.Fatal(err)
	}
	return g.Snapshot()
}

func BenchmarkSinglePointsOfOneService(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		s := tieredSnapshot(b, n)
		for _, inCone := range []bool{false, true} {
			b.Run(fmt.Sprintf("CIs=%d/inCone=%v", n, inCone), func(b *testing.B) {
				service, explored := int64(0), 0
				for b.Loop() {
					service = service%int64(n/50) + 1
					a, err := impact.SinglePoints(b.Context(), s, impact.Targets{CIs: []ident.ID{ident.New(ident.CI, service)}}, impact.SinglePointLimits{InConeOnly: inCone})
					if err != nil {
						b.Fatal(err)
					}
					explored += a.Completeness.Explored
				}
				b.ReportMetric(float64(explored)/float64(b.N), "CIs/cone")
			})
		}
	}
}

func BenchmarkSinglePointsOfTheEstate(b *testing.B) {
	facts := tiered(100_000)
	for b.Loop() {
		b.StopTimer()
		g := topology.New()
		if err := g.Load(facts); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		a, err := impact.SinglePoints(b.Context(), g.Snapshot(), impact.Targets{AllServices: true}, impact.SinglePointLimits{MaxPoints: 100, MaxTargets: 100})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(a.Total), "points")
	}
}

func BenchmarkCommonCausesOfTheEstate(b *testing.B) {
	s := tieredSnapshot(b, 100_000)
	for b.Loop() {
		a, err := impact.CommonCauses(b.Context(), s, nil, impact.CommonCauseLimits{MaxGroups: 100, MaxCauses: 10})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(a.Total), "groups")
	}
}

func BenchmarkPaths(b *testing.B) {
	s := layered(b, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = impact.Paths(b.Context(), s, ident.New(ident.CI, 9_999), ident.New(ident.CI, 3), impact.PathLimits{MaxPaths: 10})
	}
}

func BenchmarkRootCauses(b *testing.B) {
	n := 100_000
	s := tieredSnapshot(b, n)
	r := rand.New(rand.NewPCG(11, 12))
	var cases []impact.Symptoms
	var hidden []ident.ID
	for len(cases) < 20 {
		cause := ident.New(ident.CI, 1+r.Int64N(int64(n-n/100)))
		a, _ := impact.Of(b.Context(), s, impact.Question{Failed: []impact.Failure{{CI: cause, State: impact.Down}}})
		var symptoms impact.Symptoms
		for _, h := range a.Affected(impact.Filter{WithoutRoots: true}) {
			if r.Float64() > 0.7 {
				symptoms.Seen = append(symptoms.Seen, impact.Symptom{CI: h.CI, State: h.State})
			}
		}
		if len(symptoms.Seen) < 4 || len(symptoms.Seen) > 1000 {
			continue
		}
		for range len(symptoms.Seen) / 4 {
			symptoms.Seen = append(symptoms.Seen, impact.Symptom{CI: ident.New(ident.CI, 1+r.Int64N(int64(n-n/100))), State: impact.Down})
		}
		cases, hidden = append(cases, symptoms), append(hidden, cause)
	}
	i, first, grouped, partial := 0, 0, 0, 0
	for b.Loop() {
		k := i % len(cases)
		got, err := impact.RootCauses(b.Context(), s, cases[k], impact.RootCauseOptions{})
		if err != nil {
			b.Fatal(err)
		}
		i++
		if got.Completeness.IsPartial {
			partial++
		}
		if len(got.Candidates) == 0 {
			continue
		}
		c := got.Candidates[0]
		if slices.Contains(c.Failures, hidden[k]) {
			first++
		}
		if slices.ContainsFunc(append(c.Alternatives, c.Failures), func(f []ident.ID) bool { return slices.Contains(f, hidden[k]) }) {
			grouped++
		}
	}
	b.ReportMetric(float64(first)/float64(i), "first")
	b.ReportMetric(float64(grouped)/float64(i), "inFirstGroup")
	b.ReportMetric(float64(partial)/float64(i), "partial")
}
