package benchmark_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// snapshot returns a synthetic estate as a server lays it out.
func snapshot(b *testing.B, n int) *topology.Snapshot { return load(b, estate(b, n, 1)).Snapshot() }

// far returns the affected CI farthest from a failed one.
func far(b *testing.B, s *topology.Snapshot, failed ident.ID) ident.ID {
	a, err := impact.Of(b.Context(), s, down(failed))
	if err != nil {
		b.Fatal(err)
	}
	hits := a.Affected(impact.Filter{})
	return slices.MaxFunc(hits, func(x, y impact.Hit) int { return x.Distance - y.Distance }).CI
}

func down(ci ident.ID) impact.Question {
	return impact.Question{Failed: []impact.Failure{{CI: ci, State: impact.Down}}}
}

func BenchmarkOf(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		s := snapshot(b, n)
		for name, root := range map[string]topology.Vertex{"random": drawRoots(s, 1, 0)[0], "hub": widest(s, 1)[0]} {
			b.Run(fmt.Sprintf("CIs=%d/%s", n, name), func(b *testing.B) {
				q := down(s.ID(root))
				b.ReportAllocs()
				var a *impact.Answer
				for b.Loop() {
					a, _ = impact.Of(b.Context(), s, q)
				}
				b.ReportMetric(float64(a.Completeness.Explored), "CIs")
			})
		}
	}
}

func BenchmarkAffected(b *testing.B) {
	s := snapshot(b, 10_000)
	q := down(s.ID(widest(s, 1)[0]))
	b.ReportAllocs()
	for b.Loop() {
		a, _ := impact.Of(b.Context(), s, q)
		_ = a.Affected(impact.Filter{})
	}
}

func BenchmarkProof(b *testing.B) {
	s := snapshot(b, 10_000)
	hub := s.ID(widest(s, 1)[0])
	a, _ := impact.Of(b.Context(), s, down(hub))
	last := far(b, s, hub)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = a.Proof(last)
	}
}

func BenchmarkDependencies(b *testing.B) {
	facts := estate(b, 10_000, 1)
	s := load(b, facts).Snapshot()
	service := services(facts)[0]
	b.ReportAllocs()
	for b.Loop() {
		_, _ = impact.Dependencies(b.Context(), s, []ident.ID{service}, impact.Limits{})
	}
}

func BenchmarkShortestPath(b *testing.B) {
	s := snapshot(b, 10_000)
	from := s.ID(widest(s, 1)[0])
	to := far(b, s, from)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = impact.ShortestPath(b.Context(), s, from, to)
	}
}

func BenchmarkPaths(b *testing.B) {
	s := snapshot(b, 10_000)
	from := s.ID(widest(s, 1)[0])
	to := far(b, s, from)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = impact.Paths(b.Context(), s, from, to, impact.PathLimits{MaxPaths: 10})
	}
}

// services returns the CIs that are services, business services first.
func services(facts topology.Batch) (all []ident.ID) {
	for _, c := range facts.CIs {
		if c.IsService {
			all = append(all, c.ID)
		}
	}
	return all
}

func BenchmarkSinglePointsOfOneService(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		facts := estate(b, n, 1)
		s, services := load(b, facts).Snapshot(), services(facts)
		for _, inCone := range []bool{false, true} {
			b.Run(fmt.Sprintf("CIs=%d/inCone=%v", n, inCone), func(b *testing.B) {
				i, explored := 0, 0
				for b.Loop() {
					a, err := impact.SinglePoints(b.Context(), s, impact.Targets{CIs: []ident.ID{services[i%len(services)]}}, impact.SinglePointLimits{InConeOnly: inCone})
					if err != nil {
						b.Fatal(err)
					}
					i++
					explored += a.Completeness.Explored
				}
				b.ReportMetric(float64(explored)/float64(b.N), "CIs/cone")
			})
		}
	}
}

func BenchmarkSinglePointsOfTheEstate(b *testing.B) {
	facts := estate(b, 100_000, 1)
	for b.Loop() {
		b.StopTimer()
		s := load(b, facts).Snapshot()
		b.StartTimer()
		a, err := impact.SinglePoints(b.Context(), s, impact.Targets{AllServices: true}, impact.SinglePointLimits{MaxPoints: 100, MaxTargets: 100})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(a.Total), "points")
	}
}

func BenchmarkCommonCausesOfTheEstate(b *testing.B) {
	s := snapshot(b, 100_000)
	for b.Loop() {
		a, err := impact.CommonCauses(b.Context(), s, nil, impact.CommonCauseLimits{MaxGroups: 100, MaxCauses: 10})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(a.Total), "groups")
	}
}

func BenchmarkRootCauses(b *testing.B) {
	s := snapshot(b, 100_000)
	r := rand.New(rand.NewPCG(11, 12))
	var cases []riddle
	for len(cases) < 20 {
		if c, ok := drawRiddle(b, s, r); ok {
			cases = append(cases, c)
		}
	}
	i, grouped, partial := 0, 0, 0
	for b.Loop() {
		c := cases[i%len(cases)]
		got, err := impact.RootCauses(b.Context(), s, c.symptoms, impact.RootCauseOptions{})
		if err != nil {
			b.Fatal(err)
		}
		i++
		if got.Completeness.IsPartial {
			partial++
		}
		if c.isSolved(got) {
			grouped++
		}
	}
	b.ReportMetric(float64(grouped)/float64(i), "inFirstGroup")
	b.ReportMetric(float64(partial)/float64(i), "partial")
}
