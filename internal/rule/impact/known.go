package impact

import (
	"context"
	"math"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// learned is what an inquest takes from the facts. The zero value has learned nothing.
type learned struct {
	facts    *Facts
	world    *Answer           // how the estate fares by the facts; nil: well
	ruledOut []topology.Vertex // what records rule out, unless one says that it is DOWN
}

// learn takes what the records say, but the one that is asked about, and of hidden CIs nothing.
func (i *inquest) learn() {
	if !i.o.OnFacts {
		return
	}
	all := FactsOf(i.s)
	if i.facts = all.beside(i.s, i.o.Except, i.o.Hidden); len(i.facts.Records) == 0 {
		i.facts = nil
		return
	}
	if i.facts == all {
		i.world = world(i.s, true, false)
	} else {
		i.world = i.facts.world(i.s, func(int32) bool { return true })
	}
	for v := range i.facts.excluded {
		if i.isRuledOut(v) {
			i.ruledOut = append(i.ruledOut, v)
		}
	}
}

// beside returns the facts without a record, and without all that is said of some CIs. If that is all of them, it
// returns f.
func (f *Facts) beside(s *topology.Snapshot, record ident.ID, hidden map[ident.ID]bool) *Facts {
	isHidden := func(v topology.Vertex) bool { return hidden[s.ID(v)] }
	rest := &Facts{down: map[topology.Vertex][]int32{}, excluded: map[topology.Vertex][]int32{}}
	isLess := false
	for _, r := range f.Records {
		if r.ID == record {
			isLess = true
			continue
		}
		if slices.ContainsFunc(r.Down, isHidden) || slices.ContainsFunc(r.Excluded, isHidden) {
			r.Down, r.Excluded = slices.DeleteFunc(slices.Clone(r.Down), isHidden), slices.DeleteFunc(slices.Clone(r.Excluded), isHidden)
			isLess = true
		}
		rest.Records = append(rest.Records, r)
	}
	if !isLess {
		return f
	}
	rest.index()
	return rest
}

// isKnown reports whether a record says of a CI that it is DOWN.
func (i *inquest) isKnown(v topology.Vertex) bool { return i.facts != nil && len(i.facts.down[v]) > 0 }

// isRuledOut reports whether records say of a CI that it has not failed, and none that it has.
func (i *inquest) isRuledOut(v topology.Vertex) bool {
	return i.facts != nil && len(i.facts.excluded[v]) > 0 && len(i.facts.down[v]) == 0
}

// isBroken reports whether a CI is not well by the facts.
func (i *inquest) isBroken(v topology.Vertex) bool {
	return i.world != nil && !i.world.stateAt(v).IsWell()
}

// isService reports whether a CI is a service, as far as anyone is told.
func (i *inquest) isService(v topology.Vertex) bool {
	return i.s.IsService(v) && !i.o.Hidden[i.s.ID(v)]
}

// priorOf returns the logarithm of the chance that some CIs fail.
func (i *inquest) priorOf(failures ...topology.Vertex) (sum float64) {
	for _, v := range failures {
		if i.isKnown(v) {
			continue
		}
		if sum += i.fails; i.isService(v) {
			sum -= rarity
		}
	}
	return sum
}

func (i *inquest) unknown(failures []topology.Vertex) (n int) {
	for _, v := range failures {
		if !i.isKnown(v) {
			n++
		}
	}
	return n
}

// failing returns the propagation of failures beside what is ruled out.
func (i *inquest) failing(ctx context.Context, m *scratch, failures []topology.Vertex) propagation {
	p := propagation{s: i.s, m: m, patience: patience{ctx: ctx}, down: failures}
	for _, v := range i.ruledOut {
		p.bar(v)
	}
	return p
}

// knowledge returns what records say of failures.
func (i *inquest) knowledge(failures []topology.Vertex) (k Knowledge) {
	if k.IsKnown = i.unknown(failures) == 0; i.facts == nil {
		return k
	}
	for _, v := range failures {
		k.By = append(k.By, i.facts.DownBy(v)...)
	}
	slices.Sort(k.By)
	k.By = slices.Compact(k.By)
	return k
}

// knownCauses returns what is known to have failed and accounts for what was seen better than noise does, one by one;
// and sets of it and of what is not known, found from all of it together.
func (i *inquest) knownCauses() []verdict {
	if i.facts == nil {
		return nil
	}
	candidates := slices.DeleteFunc(i.bounds(verdict{}, 0), func(c bounded) bool { return !i.isKnown(c.v) })
	if len(candidates) == 0 {
		return nil
	}
	var all []topology.Vertex
	for _, c := range candidates {
		all = append(all, c.v)
	}
	found := i.try(verdict{}, candidates, 0, keptVerdicts)
	together, done := i.judge(all, i.s.Vertices())
	if !done {
		together = verdict{failures: all, score: math.Inf(-1), told: string(make([]byte, (len(i.said)+7)/8))}
	} else if together.score >= 0 {
		found = append(found, i.shed(together))
	}
	return append(found, i.extend(together)...)
}

// shed leaves out failures without which the rest does as well: first many at once, then one by one.
func (i *inquest) shed(v verdict) verdict {
	for size := len(v.failures) / 2; size > 1; size /= 2 {
		for from := 0; from < len(v.failures); {
			rest := slices.Delete(slices.Clone(v.failures), from, min(from+size, len(v.failures)))
			if without, done := i.judge(rest, i.s.Vertices()); done && without.score >= v.score {
				v = without
			} else {
				from += size
			}
		}
	}
	return i.trim(v)
}
