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

// besideFacts asks while incidents are open: on the widest hub, which harms most of the estate, and on random CIs.
func besideFacts(t *testing.T, facts topology.Batch, s *topology.Snapshot, b *table) {
	b.head("Beside what has failed", "question", "measured", "bar")
	hub := []ident.ID{s.ID(widest(s, 1)[0])}
	r := rand.New(rand.NewPCG(2, 2))
	var some []ident.ID
	for range 1000 {
		some = append(some, facts.CIs[r.IntN(len(facts.CIs))].ID)
	}
	for _, open := range []struct {
		on    string
		roots []ident.ID
	}{{"no incident", nil}, {"10 on random CIs", some[:10]}, {"1,000 on random CIs", some}, {"one on the widest hub", hub}} {
		say("facts: the state of the estate, %s", open.on)
		operationalState(t, reported(facts, open.roots), open.on, b)
	}
	for _, open := range []struct {
		on, bar string
		roots   []ident.ID
	}{{"10 incidents on random CIs", "", some[:10]}, {"1,000 incidents on random CIs", "", some}, {"an incident on the widest hub", "1.2", hub}} {
		say("facts: questions beside %s", open.on)
		askBeside(t, reported(facts, open.roots), open.on, open.bar, b)
	}
	say("facts: a page of incidents")
	pageOfIncidents(t, facts, hub[0], s, b)
}

// askBeside asks what random CIs break, beside what has failed and in an estate in which nothing has.
func askBeside(t *testing.T, facts topology.Batch, open, bar string, b *table) {
	s := load(t, facts).Snapshot()
	impact.Estate(s)
	r := rand.New(rand.NewPCG(7, 8))
	var beside, healthy times
	for range max(*random, 200) {
		q := down(facts.CIs[r.IntN(len(facts.CIs))].ID)
		ask := func() {
			a, err := impact.Of(t.Context(), s, q)
			if err != nil {
				t.Fatal(err)
			}
			a.Affected(impact.Filter{AtLeast: impact.AtRisk})
		}
		for range *rounds {
			q.OnFacts = false
			healthy.time(ask)
			q.OnFacts = true
			beside.time(ask)
		}
	}
	b.row("impact of a random CI, `facts: NONE`", &healthy, "")
	b.row("beside "+open, &beside, "")
	b.row("p50 ÷ p50 without facts", fmt.Sprintf("%.3g", share(beside.processor, healthy.processor)), bar)
	b.row("sum ÷ sum without facts", float64(sum(beside.processor))/float64(sum(healthy.processor)), bar)
}

// pageOfIncidents asks which services 50 incidents affect, while no other is open and while the widest hub is DOWN:
// ones that harm nothing that it harms, and ones on CIs that stand without it but whose harm meets its own.
func pageOfIncidents(t *testing.T, facts topology.Batch, hub ident.ID, s *topology.Snapshot, b *table) {
	byHub, err := impact.Of(t.Context(), s, down(hub))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(9, 10))
	var outside, edge []ident.ID
	for tries := 0; tries < 100_000 && (len(outside) < 50 || len(edge) < 50); tries++ {
		ci := facts.CIs[r.IntN(len(facts.CIs))].ID
		if byHub.TrueState(ci) != impact.Operational {
			continue
		}
		own, err := impact.Of(t.Context(), s, down(ci))
		if err != nil {
			t.Fatal(err)
		}
		list := &outside
		if slices.ContainsFunc(own.Affected(impact.Filter{AtLeast: impact.AtRisk}), func(h impact.Hit) bool { return byHub.TrueState(h.CI) != impact.Operational }) {
			list = &edge
		}
		if len(*list) < 50 {
			*list = append(*list, ci)
		}
	}
	for _, of := range []struct {
		what, bar string
		roots     []ident.ID
	}{{"outside of the hub", "1.5", outside}, {"whose harm meets the hub's", "", edge}} {
		var alone, beside times
		few := page(t, &alone, reported(facts, of.roots), len(of.roots))
		most := page(t, &beside, reported(facts, append(slices.Clone(of.roots), hub)), len(of.roots))
		b.row(fmt.Sprintf("%d incidents %s, with their services and what these suffer together with: %d CIs", len(of.roots), of.what, few), &alone, "")
		b.row(fmt.Sprintf("beside an incident on the widest hub: %d CIs", most), &beside, "")
		b.row("p50 ÷ p50 without", fmt.Sprintf("%.3g", share(beside.processor, alone.processor)), of.bar)
	}
}

// page asks about the first incidents, and counts the CIs that are told.
func page(t *testing.T, took *times, facts topology.Batch, first int) (told int) {
	s := load(t, facts).Snapshot()
	impact.Estate(s)
	for range 5 * *rounds {
		told = 0
		took.time(func() {
			for _, i := range facts.Incidents[:first] {
				a, _ := impact.OfRecord(s, i.ID)
				hits := a.Affected(impact.Filter{Keep: func(c topology.CI) bool { return c.IsService }})
				for _, h := range hits[:min(len(hits), 20)] {
					a.TogetherWith(h.CI)
				}
				told += a.Completeness.Explored
			}
		})
	}
	return told
}

// reported returns the facts with an open incident on each of some CIs.
func reported(facts topology.Batch, roots []ident.ID) topology.Batch {
	facts.Incidents = nil
	for i, root := range roots {
		facts.Incidents = append(facts.Incidents, topology.Incident{ID: ident.New(ident.Incident, int64(i+1)), Root: []ident.ID{root}})
	}
	return facts
}

// operationalState follows revisions while incidents are open, by what is carried from one to the next and, each tenth
// of them, by what is worked out for it alone. docs/benchmarks.md, "The state of the estate after a write", has both.
func operationalState(t *testing.T, facts topology.Batch, open string, b *table) {
	r := rand.New(rand.NewPCG(5, 6))
	g := load(t, facts)
	before := g.Snapshot()
	impact.StateOf(before, facts.CIs[0].ID)
	var state, changed, anew times
	for i := range 500 {
		apply(t, g, flip(facts, r))
		s, ci := g.Snapshot(), facts.CIs[r.IntN(len(facts.CIs))].ID
		state.time(func() { impact.StateOf(s, ci) })
		changed.time(func() { impact.Transitions(before, s) })
		if i%10 == 0 {
			anew.time(func() { impact.Estate(s) })
		}
		before = s
	}
	b.row("`operationalState` after a write; open: "+open, &state, "p50 1 ms")
	b.row("and the services of which it changed", &changed, "")
	b.row("the state of the whole estate worked out anew", &anew, "")
	b.row("p50 ÷ p50 anew", fmt.Sprintf("%.3g", share(state.wall, anew.wall)), "")
}

func share(some, others []time.Duration) float64 {
	return float64(at(some, .5)) / float64(at(others, .5))
}
