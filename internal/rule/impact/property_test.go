package impact_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

func load(t interface{ Fatal(...any) }, m *topologytest.Model, seed uint64) *topology.Snapshot {
	g := topology.New()
	if err := g.Load(m.Facts(seed)); err != nil {
		t.Fatal(err)
	}
	return g.Snapshot()
}

// drawQuestion asks about CIs that exist.
func drawQuestion(t *rapid.T, m *topologytest.Model) impact.Question {
	known := slices.Sorted(maps.Keys(m.CIs))
	var q impact.Question
	if len(known) == 0 {
		return q
	}
	for range rapid.IntRange(0, 4).Draw(t, "failures") {
		q.Failed = append(q.Failed, impact.Failure{
			CI:    rapid.SampledFrom(known).Draw(t, "failed"),
			State: impact.State(rapid.IntRange(int(impact.Degraded), int(impact.Down)).Draw(t, "as")),
		})
	}
	for range rapid.IntRange(0, 2).Draw(t, "exclusions") {
		q.Excluded = append(q.Excluded, rapid.SampledFrom(known).Draw(t, "excluded"))
	}
	q.OnFacts = rapid.Bool().Draw(t, "on facts")
	return q
}

func answer(t interface{ Fatal(...any) }, s *topology.Snapshot, q impact.Question) *impact.Answer {
	a, err := impact.Of(tctx, s, q)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestTheEngineAgreesWithTheRulesReadAloud(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := topologytest.Estate(t)
		s := load(t, m, 1)
		q := drawQuestion(t, m)
		n, a := judge(m, q), answer(t, s, q)
		distances, counts, told := n.distances(), map[impact.State]int{}, 0
		for ci := range m.CIs {
			h, ok := a.Hit(ci)
			if a.TrueState(ci) != n.states[ci] || a.State(ci) != n.told(ci) || ok != n.tells(ci) || ok && (h.Without != n.without[ci] || h.OnBrink != n.brink[ci]) {
				t.Fatalf("%v is %v (%v, %+v), want %v after %v; question %+v", ci, a.TrueState(ci), ok, h, n.states[ci], n.without[ci], q)
			}
			if !ok {
				if path := a.Path(ci); path != nil {
					t.Fatalf("%v is operational, but %v leads there", ci, path)
				}
				continue
			}
			counts[h.State]++
			told++
			if h.Distance != distances[ci] || h.IsRoot != n.roots[ci] || h.CI != ci {
				t.Fatalf("got %+v, want distance %d, root %v", h, distances[ci], n.roots[ci])
			}
			checkPath(t, n, m, h, a.Path(ci))
			checkProof(t, n, m, q, a, ci)
		}
		if got := a.Counts(impact.Filter{}); fmt.Sprint(got.ByState) != fmt.Sprint(counts) || got.Total != counts[impact.Degraded]+counts[impact.Down] {
			t.Fatalf("counted %+v, want %v", got, counts)
		}
		checkOrder(t, s, a.Affected(impact.Filter{AtLeast: impact.AtRisk}), told)
		checkSubgraph(t, s, n, m, a)
		if a.Completeness != (impact.Completeness{Explored: told}) {
			t.Fatalf("got %+v, want %d explored", a.Completeness, told)
		}
	})
}

func checkOrder(t *rapid.T, s *topology.Snapshot, hits []impact.Hit, want int) {
	rank := func(h impact.Hit) string {
		return fmt.Sprint(!s.IsService(h.Vertex), int(impact.Down-h.State), h.Distance, int64(h.CI))
	}
	if len(hits) != want || !slices.IsSortedFunc(hits, func(a, b impact.Hit) int {
		if rank(a) < rank(b) {
			return -1
		}
		return 1
	}) {
		t.Fatalf("listed %+v, want %d in order", hits, want)
	}
}

// checkPath demands that each hop carries, hangs on the one before, and begins at a failed CI.
func checkPath(t *rapid.T, n naive, m *topologytest.Model, h impact.Hit, path []impact.Step) {
	if len(path) != h.Distance {
		t.Fatalf("%+v has the path %v", h, path)
	}
	at := h.CI
	for _, step := range slices.Backward(path) {
		i := slices.IndexFunc(m.Arcs(), func(a topologytest.Arc) bool {
			return a.Relationship == step.Relationship && a.From == step.From && a.To == step.To
		})
		if step.To != at || i < 0 || !n.carries(m.Arcs()[i]) || step.Type != m.Arcs()[i].Type ||
			step.Group != 0 && !slices.Contains(m.Arcs()[i].Groups, step.Group) || step.Group == 0 && len(m.Arcs()[i].Groups) > 0 {
			t.Fatalf("%+v does not carry to %v, in the path %+v", step, at, path)
		}
		at = step.From
	}
	if !n.roots[at] {
		t.Fatalf("the path %v begins at %v, which did not fail", path, at)
	}
}

func checkSubgraph(t *rapid.T, s *topology.Snapshot, n naive, m *topologytest.Model, a *impact.Answer) {
	var vertices []topology.Vertex
	for _, h := range a.Affected(impact.Filter{}) {
		vertices = append(vertices, h.Vertex)
	}
	var want, got []string
	for _, arc := range m.Arcs() {
		if n.told(arc.From) >= impact.Degraded && n.told(arc.To) >= impact.Degraded {
			want = append(want, fmt.Sprint(arc.Relationship, arc.From, arc.To))
		}
	}
	for _, l := range a.Subgraph(vertices) {
		i := slices.IndexFunc(m.Arcs(), func(a topologytest.Arc) bool {
			return a.Relationship == l.Relationship && a.From == s.ID(l.From)
		})
		if arc := m.Arcs()[i]; len(arc.Groups) < 2 && l.IsCarrying != n.carries(arc) {
			t.Fatalf("%+v carries %v, want %v", arc, l.IsCarrying, n.carries(arc))
		}
		got = append(got, fmt.Sprint(l.Relationship, s.ID(l.From), s.ID(l.To)))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("subgraph %v, want %v", got, want)
	}
}

// placeless writes values down without the places where CIs happen to lie.
func placeless(values ...any) string {
	return vertices.ReplaceAllString(fmt.Sprintf("%+v", values), "$1:…")
}

var vertices = regexp.MustCompile(`\b(Vertex|From|To):\d+`)

// said writes down all that an answer tells of an estate.
func said(a *impact.Answer, m *topologytest.Model) string {
	hits := a.Affected(impact.Filter{AtLeast: impact.AtRisk})
	out := placeless(a.Completeness, hits, a.Counts(impact.Filter{}))
	var vertices []topology.Vertex
	for _, h := range hits {
		vertices = append(vertices, h.Vertex)
	}
	for _, l := range a.Subgraph(vertices) {
		out += fmt.Sprintf("\n%v→%v", a.Snapshot().ID(l.From), a.Snapshot().ID(l.To)) + placeless(l)
	}
	for _, ci := range slices.Sorted(maps.Keys(m.CIs)) {
		p, _ := a.Proof(ci)
		out += fmt.Sprintf("\n%v %+v", ci, a.Path(ci))
		if p != nil {
			for _, e := range p.Explanations {
				if e.Group != nil {
					out += fmt.Sprintf("\n  %+v", *e.Group)
				}
				e.Group = nil
				out += "\n  " + placeless(e)
			}
		}
	}
	return out
}

func TestTheOrderOfFactsAndOfFailuresChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := topologytest.Estate(t)
		q := drawQuestion(t, m)
		q.MaxCIs, q.MaxDepth = rapid.IntRange(0, 6).Draw(t, "budget"), rapid.IntRange(0, 3).Draw(t, "depth")
		first := said(answer(t, load(t, m, 1), q), m)
		slices.Reverse(q.Failed)
		for seed := range uint64(4) {
			got := said(answer(t, load(t, m, seed+2), q), m)
			if got != first {
				t.Fatalf("once\n%s\nonce\n%s", first, got)
			}
		}
	})
}

func TestAnswersAfterAHistoryEqualThoseAfterLoading(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := topologytest.Estate(t)
		g := topology.New()
		if err := g.Load(m.Facts(0)); err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 6).Draw(t, "batches") {
			b := topologytest.Next(t, m)
			m.Apply(b)
			if err := g.Apply(b); err != nil {
				t.Fatal(err)
			}
			q := drawQuestion(t, m)
			q.MaxCIs = rapid.IntRange(0, 6).Draw(t, "budget")
			fresh := load(t, m, 3)
			if got, want := said(answer(t, g.Snapshot(), q), m), said(answer(t, fresh, q), m); got != want {
				t.Fatalf("applied\n%s\nloaded\n%s", got, want)
			}
			if got, want := said(impact.Estate(g.Snapshot()), m), said(impact.Estate(fresh), m); got != want {
				t.Fatalf("applied\n%s\nloaded\n%s", got, want)
			}
		}
	})
}

func TestABudgetCutsWhatIsToldNeverWhatIsTrue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := topologytest.Estate(t)
		s := load(t, m, 1)
		q := drawQuestion(t, m)
		whole := answer(t, s, q)
		q.MaxCIs, q.MaxDepth = rapid.IntRange(0, 4).Draw(t, "budget"), rapid.IntRange(0, 3).Draw(t, "depth")
		part := answer(t, s, q)
		kept, beside := part.Affected(impact.Filter{AtLeast: impact.AtRisk}), 0
		for _, h := range kept {
			truth, _ := whole.Hit(h.CI)
			isFailed := truth.IsRoot && h.IsRoot
			if h.State != truth.State && (!isFailed || h.State >= truth.State) {
				t.Fatalf("told %+v, true is %+v", h, truth)
			}
			if h.Distance < truth.Distance || q.MaxDepth > 0 && h.Distance > q.MaxDepth {
				t.Fatalf("told %+v, true is %+v, limits %+v", h, truth, q)
			}
			if !h.IsRoot {
				beside++
			}
			if _, ok := part.Proof(h.CI); !ok || len(part.Path(h.CI)) != h.Distance {
				t.Fatalf("%+v has no proof or path", h)
			}
		}
		if q.MaxCIs > 0 && beside > q.MaxCIs {
			t.Fatalf("%d CIs are more than %d", beside, q.MaxCIs)
		}
		if all := whole.Affected(impact.Filter{AtLeast: impact.AtRisk}); part.Completeness.IsPartial != (len(kept) < len(all)) {
			t.Fatalf("%d of %d, but %+v", len(kept), len(all), part.Completeness)
		}
	})
}

func TestTheEstateIsWhatOpenIncidentsAndChangesUnderWaySay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := topologytest.Estate(t)
		var q impact.Question
		roots := map[ident.ID]bool{}
		for _, i := range m.Incidents {
			for _, ci := range i.Root {
				if m.InService(ci) {
					roots[ci] = true
					q.Failed = append(q.Failed, impact.Failure{CI: ci, State: impact.Down})
				}
			}
		}
		for _, c := range m.Changes {
			for _, ci := range c.TakenDown {
				if m.InService(ci) {
					roots[ci] = true
					q.Failed = append(q.Failed, impact.Failure{CI: ci, State: impact.Down})
				}
			}
			for _, ci := range slices.Concat(c.TakenDown, c.Changed) {
				if m.InService(ci) {
					q.Maintenance = append(q.Maintenance, ci)
				}
			}
		}
		for _, i := range m.Incidents {
			for _, ci := range i.Excluded {
				if !roots[ci] {
					q.Excluded = append(q.Excluded, ci)
				}
			}
		}
		s, n := load(t, m, 1), judge(m, q)
		for ci := range m.CIs {
			if got := impact.StateOf(s, ci); got != n.states[ci] {
				t.Fatalf("%v is %v, want %v", ci, got, n.states[ci])
			}
			if got := impact.Estate(s).InMaintenance(ci); got != slices.Contains(q.Maintenance, ci) {
				t.Fatalf("%v is in maintenance: %v", ci, got)
			}
		}
	})
}
