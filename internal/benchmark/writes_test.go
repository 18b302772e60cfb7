package benchmark_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// flip returns a write: another strength for a relationship.
func flip(facts topology.Batch, r *rand.Rand) topology.Batch {
	rel := facts.Relationships[r.IntN(len(facts.Relationships))]
	rel.Strength = topology.Strength(1 + r.IntN(2))
	return topology.Batch{Relationships: []topology.Relationship{rel}}
}

func apply(t *testing.T, g *topology.Graph, b topology.Batch) {
	t.Helper()
	b.Revision = g.Snapshot().Revision() + 1
	if err := g.Apply(b); err != nil {
		t.Fatal(err)
	}
}

func writes(t *testing.T, facts topology.Batch, g *topology.Graph, b *table) {
	b.head("Keeping it current", "what", "measured", "bar")
	r := rand.New(rand.NewPCG(3, 4))
	write := func(took *times) {
		batch := flip(facts, r)
		took.time(func() { apply(t, g, batch) })
	}
	var took times
	for range 2_000 {
		write(&took)
	}
	b.row("a write into the graph", &took, "p50 0.5 ms with the way from the database")

	roots := drawRoots(g.Snapshot(), *random, 5)
	g.Settle()
	var compactions, during times
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range *rounds {
			compactions.time(g.Compact)
		}
	}()
	for isOver := false; !isOver; {
		select {
		case <-done:
			isOver = true
		case <-time.After(time.Millisecond):
			write(&during)
		}
	}
	b.row("compaction, in the background of writes", &compactions, "")
	b.row("of it, publishing, for which writes wait", publishing(g, func() { write(&times{}) }), "2 ms")
	b.row("a write while it runs, p50", at(during.wall, .5), "")
	b.row("the longest write while it runs: it waits for publishing, and for a processor", at(during.wall, 1), "")

	g.Compact()
	flat := g.Snapshot()
	writeShare(t, facts, g, r)
	delta := g.Snapshot()
	plain, laid := linchpinReach(t, flat), linchpinReach(t, delta)
	plain.took, laid.took = map[topology.Vertex]time.Duration{}, map[topology.Vertex]time.Duration{}
	for range *rounds {
		for _, root := range roots {
			_, took := plain.ask(root)
			plain.note(root, took)
			_, took = laid.ask(root)
			laid.note(root, took)
		}
	}
	b.row("reads with 1 % of the relationships written since compaction ÷ without", float64(sum(laid.on(roots)))/float64(sum(plain.on(roots))), "1.2")
	g.Settle()
}

// publishing returns how long 100 compactions held up the writes that ran into them.
func publishing(g *topology.Graph, write func()) string {
	var held []time.Duration
	for range 10 {
		done := make(chan struct{})
		go func() { defer close(done); g.Compact() }()
		for i, isOver := 0, false; !isOver; i++ {
			select {
			case <-done:
				isOver = true
			case <-time.After(time.Millisecond):
				if i < 100 {
					write()
				}
			}
		}
		held = append(held, g.Published())
	}
	return fmt.Sprintf("p50 %v, p99 %v", brief(at(held, .5)), brief(at(held, .99)))
}

// writeShare lays a hundredth over: as many rows of each direction change as there are relationships written, or fewer.
func writeShare(t *testing.T, facts topology.Batch, g *topology.Graph, r *rand.Rand) {
	for left := len(facts.CIs) / 100; left > 0; left -= 50 {
		var b topology.Batch
		for range min(left, 50) {
			b.Relationships = append(b.Relationships, flip(facts, r).Relationships...)
		}
		apply(t, g, b)
	}
}

func memory(t *testing.T, facts topology.Batch, b *table) {
	alone := facts
	alone.Relationships, alone.Groups = nil, nil
	held := func(facts topology.Batch) float64 {
		before := heap()
		g := topology.New()
		if err := g.Load(facts); err != nil {
			t.Fatal(err)
		}
		g.Compact()
		g.Compact()
		held := heap() - before
		runtime.KeepAlive(g)
		return held
	}
	empty, cis, all := held(topology.Batch{}), held(alone), held(facts)
	b.head("Memory of the graph", "what", "bytes", "bar")
	b.row("a CI", (cis-empty)/float64(len(facts.CIs)), "200")
	b.row("a relationship, groups included", (all-cis)/float64(len(facts.Relationships)), "64")
	b.row("the graph, MiB", all/(1<<20), "")
}

func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
