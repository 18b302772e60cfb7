package impact

import (
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Counts sums up the hits that a filter chooses.
type Counts struct {
	Total         int
	Services      int
	ByClass       map[ident.ID]int
	ByTier        map[ident.ID]int // CIs without a tier under 0
	ByEnvironment map[topology.Environment]int
	// ByState also counts states below those that the filter asks for, so that AT_RISK is always counted.
	ByState map[State]int
}

// Counts counts what Affected of the same filter lists, in O(hits). Class and tier are cheap to look up, so
// it does not list first.
func (a *Answer) Counts(f Filter) Counts {
	c := Counts{
		ByClass: map[ident.ID]int{}, ByTier: map[ident.ID]int{},
		ByEnvironment: map[topology.Environment]int{}, ByState: map[State]int{},
	}
	for i := range a.listed() {
		if !a.chooses(f, i) {
			continue
		}
		h := a.hits[i]
		c.ByState[h.state]++
		if h.state < f.atLeast() {
			continue
		}
		ci := a.snapshot.CI(h.vertex)
		c.Total++
		c.ByClass[ci.Class]++
		c.ByTier[ci.Tier]++
		c.ByEnvironment[ci.Environment]++
		if ci.IsService {
			c.Services++
		}
	}
	return c
}
