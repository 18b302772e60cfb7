package benchmark_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// fresh returns the same graph as a snapshot without answers in its memory.
func fresh(t *testing.T, s *topology.Snapshot) *topology.Snapshot {
	t.Helper()
	view, err := s.With(topology.Batch{})
	if err != nil {
		t.Fatal(err)
	}
	return view
}

func questions(t *testing.T, facts topology.Batch, s *topology.Snapshot, b *table) {
	b.head("The other questions", "question", "measured", "bar")
	say("questions: each CI of the estate fails alone")
	sweep(t, s, b)
	say("questions: single points of failure of services")
	singlePoints(t, facts, s, b)
	var shared times
	for range *rounds {
		view := fresh(t, s)
		shared.time(func() {
			if _, err := impact.CommonCauses(t.Context(), view, nil, impact.CommonCauseLimits{MaxGroups: 100, MaxCauses: 10}); err != nil {
				t.Fatal(err)
			}
		})
	}
	b.row("common causes of all groups", &shared, "")
	say("questions: root causes")
	rootCauses(t, s, b)
	say("questions: overlays")
	overlays(t, facts, s, b)
}

func sweep(t *testing.T, s *topology.Snapshot, b *table) {
	var took times
	for range *rounds {
		view := fresh(t, s)
		took.time(func() {
			if _, err := impact.SinglePoints(t.Context(), view, impact.Targets{AllServices: true}, impact.SinglePointLimits{MaxPoints: 100, MaxTargets: 10}); err != nil {
				t.Fatal(err)
			}
		})
	}
	b.row("each CI of the estate failed alone", &took, "at 1 M: 4 s on four processors")
}

func singlePoints(t *testing.T, facts topology.Batch, s *topology.Snapshot, b *table) {
	var took times
	for _, ci := range facts.CIs {
		if ci.IsService && len(took.wall) < 50 {
			took.time(func() {
				if _, err := impact.SinglePoints(t.Context(), s, impact.Targets{CIs: []ident.ID{ci.ID}}, impact.SinglePointLimits{MaxPoints: 20, MaxTargets: 10}); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
	b.row("single points of failure of one service", &took, "p50 50 ms")
}

// riddle is a hidden cause and its visible symptoms: 70 % of the affected CIs show nothing, and a fifth of the symptoms
// has another reason.
type riddle struct {
	cause    ident.ID
	symptoms impact.Symptoms
}

// drawRiddle hides a random CI. It returns false if too few symptoms show, or too many.
func drawRiddle(t testing.TB, s *topology.Snapshot, r *rand.Rand) (c riddle, fits bool) {
	anyCI := func() ident.ID { return ident.New(ident.CI, 1+r.Int64N(int64(s.Vertices()-1))) }
	c.cause = anyCI()
	a, err := impact.Of(t.Context(), s, impact.Question{Failed: []impact.Failure{{CI: c.cause, State: impact.Down}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range a.Affected(impact.Filter{WithoutRoots: true}) {
		if r.Float64() > 0.7 {
			c.symptoms.Seen = append(c.symptoms.Seen, impact.Symptom{CI: h.CI, State: h.State})
		}
	}
	n := len(c.symptoms.Seen)
	if n < 4 || n > 1000 {
		return c, false
	}
	for range n / 4 {
		c.symptoms.Seen = append(c.symptoms.Seen, impact.Symptom{CI: anyCI(), State: impact.Down})
	}
	return c, true
}

// isSolved reports whether the hidden cause is in the first group of candidates.
func (c riddle) isSolved(a *impact.RootCausesAnswer) bool {
	if len(a.Candidates) == 0 {
		return false
	}
	first := a.Candidates[0]
	return slices.ContainsFunc(append(first.Alternatives, first.Failures), func(f []ident.ID) bool { return slices.Contains(f, c.cause) })
}

func rootCauses(t *testing.T, s *topology.Snapshot, b *table) {
	const cases = 40
	r := rand.New(rand.NewPCG(11, 12))
	var took times
	hit, partial := 0, 0
	for tries := 0; len(took.wall) < cases && tries < 1<<20; tries++ {
		c, ok := drawRiddle(t, s, r)
		if !ok {
			continue
		}
		took.time(func() {
			got, err := impact.RootCauses(t.Context(), s, c.symptoms, impact.RootCauseOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got.Completeness.IsPartial {
				partial++
			}
			if c.isSolved(got) {
				hit++
			}
		})
	}
	b.row("root cause, 70 % silent, 20 % noise", &took, "p50 200 ms")
	b.row("the hidden cause is in the first group", float64(hit)/float64(max(len(took.wall), 1)), "0.85")
	b.row("searches that met their own bound", float64(partial)/float64(max(len(took.wall), 1)), "")
}

func overlays(t *testing.T, facts topology.Batch, s *topology.Snapshot, b *table) {
	r := rand.New(rand.NewPCG(1, 1))
	anyCI := func() ident.ID { return facts.CIs[r.IntN(len(facts.CIs))].ID }
	for _, size := range []int{1, 10, 100} {
		var took times
		for range 200 {
			var o impact.Overlay
			for i := range size {
				if i%2 == 0 {
					o.Relationships = append(o.Relationships, topology.Relationship{
						ID:   ident.New(ident.Relationship, s.Unused(ident.Relationship).Number()+int64(i)),
						Type: facts.Types[0].ID, Source: anyCI(), Target: anyCI(),
					})
				} else {
					o.Removed = append(o.Removed, facts.Relationships[r.IntN(len(facts.Relationships))].ID)
				}
			}
			took.time(func() {
				if _, _, err := o.On(s); err != nil {
					t.Fatal(err)
				}
			})
		}
		bar := ""
		if size == 100 {
			bar = "1 ms"
		}
		b.row([]string{1: "what-if overlay of 1 operation", 10: "of 10", 100: "of 100"}[size], &took, bar)
	}
}
