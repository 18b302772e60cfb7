package benchmark_test

import (
	"flag"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

var (
	cis     = flag.Int("cis", 2_000, "CIs of the estate")
	random  = flag.Int("roots", 0, "random roots; 20 hubs come beside them (by default a fortieth of the CIs, 50 to 1,000)")
	rounds  = flag.Int("rounds", 3, "how often contenders take turns")
	httpCIs = flag.Int("http-cis", 0, "CIs of the larger of two estates that are asked over HTTP; a database is filled with each (by default all)")
	sampled = flag.Int("sampled", 40, "so many of the random roots are given to databases, which would take hours for all")
	report  = flag.String("report", "", "a file to which the tables are added")
	parts   = flag.String("parts", "", "the parts to run, with commas (by default all): memory, reach, questions, facts, past, writes, http")
)

// TestBars prints how the engine compares with its peers. In the test suite it runs on a small estate, so that it keeps
// working.
func TestBars(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what only measures")
	}
	if *random == 0 {
		*random = min(max(*cis/40, 50), 1_000)
	}
	if *httpCIs == 0 {
		*httpCIs = *cis
	}
	say("an estate of %d CIs is made", *cis)
	facts := estate(t, *cis, 1)
	var b table
	_, _ = fmt.Fprintf(&b.out, "%d CIs, %d relationships, %d groups; %s, %d processors, %s\n",
		len(facts.CIs), len(facts.Relationships), len(facts.Groups), runtime.GOARCH, runtime.GOMAXPROCS(0), runtime.Version())
	g := load(t, facts)
	for _, part := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"memory", func(t *testing.T) { memory(t, facts, &b) }},
		{"reach", func(t *testing.T) { runtime.LockOSThread(); compareReach(t, g.Snapshot(), &b) }},
		{"questions", func(t *testing.T) { runtime.LockOSThread(); questions(t, facts, g.Snapshot(), &b) }},
		{"facts", func(t *testing.T) { runtime.LockOSThread(); besideFacts(t, facts, g.Snapshot(), &b) }},
		{"past", func(t *testing.T) { runtime.LockOSThread(); past(t, facts, g.Snapshot(), &b) }},
		{"writes", func(t *testing.T) { runtime.LockOSThread(); writes(t, facts, g, &b) }},
		{"http", func(t *testing.T) { overHTTP(t, &b) }},
	} {
		if *parts != "" && !slices.Contains(strings.Split(*parts, ","), part.name) {
			continue
		}
		say("%s", part.name)
		t.Run(part.name, part.run)
		b.show()
	}
	say("done")
}

// compareReach lets contenders take turns root by root.
func compareReach(t *testing.T, s *topology.Snapshot, b *table) {
	const hubs = 20
	roots := drawRoots(s, *random, hubs)
	ours, exact := linchpinReach(t, s), linchpinImpact(t, s, false)
	contenders := []*contender{ours, exact, linchpinImpact(t, s, true)}
	absent := map[string]error{}
	join := func(name string, c *contender, err error) {
		if err != nil {
			absent[name] = err
			return
		}
		contenders = append(contenders, c)
	}
	for _, how := range []string{"plain", "prefetch"} {
		c, err := cReach(t, s, how)
		join("C, "+how, c, err)
	}
	peers := len(contenders)
	if all, err := postgresReach(t, s); err != nil {
		absent["PostgreSQL"] = err
	} else {
		contenders = append(contenders, all...)
	}
	c, err := sqliteReach(t, s)
	join("SQLite", c, err)

	few := slices.Concat(roots[:min(*sampled, *random)], roots[*random:*random+min(hubs, 1+*sampled/25)])
	for _, c := range contenders {
		c.took = map[topology.Vertex]time.Duration{}
	}
	for round := range *rounds {
		for place, c := range contenders {
			of := roots
			if place >= peers {
				if of = few; round > 0 && *sampled < *random {
					continue // one round is long enough
				}
			}
			for i, root := range of {
				progress("reach: %s, round %d, %d of %d roots", c.name, round+1, i, len(of))
				reached, took := c.ask(root)
				c.note(root, took)
				if want, _ := ours.ask(root); reached != -1 && reached != want && c != ours {
					t.Fatalf("%s reaches %d CIs from %v, want %d", c.name, reached, s.ID(root), want)
				}
			}
		}
	}
	b.head(fmt.Sprintf("What a CI can reach: %d random CIs and the %d widest hubs", *random, hubs), "contender", "roots", "p50", "p99", "mean", "sum of times ÷ Linchpin's plain reach", "÷ Linchpin's impact")
	for place, c := range contenders {
		of := roots
		if place >= peers {
			of = few
		}
		took := c.on(of)
		b.row(c.name, len(of), at(took, .5), at(took, .99), sum(took)/time.Duration(len(took)),
			float64(sum(took))/float64(sum(ours.on(of))), float64(sum(took))/float64(sum(exact.on(of))))
	}
	for name, err := range absent {
		b.row(name, 0, "absent: "+strings.ReplaceAll(err.Error(), "\n", " "), "", "", "", "")
	}
}
