package benchmark_test

import (
	"fmt"
	"math/rand/v2"
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
