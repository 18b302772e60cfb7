package impact

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync/atomic"

	"github.com/linchpin-cmdb/linchpin/internal/safe"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// inquest is one search for root causes.
type inquest struct {
	likelihood
	s          *topology.Snapshot
	o          RootCauseOptions
	ctx        context.Context
	seen       []sighting // by id
	healthy    []topology.Vertex
	said       map[topology.Vertex]int // seen or called healthy: which symptom, or beyond them which health
	observable flags                   // by vertex; nil: all
	learned
	tried  atomic.Int64
	work   atomic.Int64      // CIs that were found affected on the way, in all sets tried
	needed *ancestry         // what the symptoms need
	beside []topology.Vertex // between looks of silentBeside
}

type sighting struct {
	v     topology.Vertex
	state State
}

// verdict is what one set of failures comes to.
type verdict struct {
	failures []topology.Vertex // in the order in which they were found
	score    float64
	told     string // a bit for each symptom that is explained, and for each CI called healthy that is not
	count    int    // symptoms explained
	silent   int    // affected CIs of which nothing was said
	prior    float64
}

// compare puts the most likely first, then the fewest failures, then the lowest ids.
func (i *inquest) compare(v, other verdict) int {
	return cmp.Or(cmp.Compare(other.score, v.score), cmp.Compare(len(v.failures), len(other.failures)), slices.CompareFunc(v.failures, other.failures, i.byID))
}

func (i *inquest) byID(v, w topology.Vertex) int { return cmp.Compare(i.s.ID(v), i.s.ID(w)) }

// isLike reports whether evidence does not tell a verdict from a less likely one.
func (v verdict) isLike(other verdict) bool {
	return len(v.failures) == len(other.failures) && v.told == other.told && v.score-other.score < bareMention
}

// bareMention is the logarithm of a Bayes factor of 3.
var bareMention = math.Log(3)

// leaves reports whether a symptom is left unexplained.
func (v verdict) leaves(k int) bool { return v.told[k/8]>>(k%8)&1 == 0 }

// keptVerdicts is how many sets of failures compete in one search: more than are told, since some are alike.
const keptVerdicts = 256

// maxWork bounds the work of one inquest: when it is done, what was found is told and the answer is partial.
const maxWork = 1 << 23

// blockSize is how many candidates are tried between two looks at what the best are.
const blockSize = 256

// negligible is the logarithm of a million: what is so many times less likely than the best is not told.
var negligible = math.Log(1e6)

// singles returns the best failures that are not known, each with a set that explains nothing, or with none: those that
// account for what was seen better than noise does and are not negligible beside the best. How good the best is, is not
// known before: singles looks for it from the highest hope down, since a high floor gives candidates up early.
func (i *inquest) singles(with verdict) []verdict {
	candidates := slices.DeleteFunc(i.bounds(with, math.Inf(-1)), func(c bounded) bool { return i.isKnown(c.v) })
	if len(candidates) == 0 {
		return nil
	}
	most, least := slices.MaxFunc(candidates, func(a, b bounded) int { return cmp.Compare(a.hope, b.hope) }).hope, i.fails-rarity
	for gap := negligible; ; gap *= 2 {
		floor := max(least, most-gap)
		found := i.try(with, candidates, floor, keptVerdicts)
		switch {
		case len(found) > 0:
			enough := max(least, found[0].score-negligible)
			if enough < floor {
				found = i.try(with, candidates, enough, keptVerdicts)
			}
			return slices.DeleteFunc(found, func(v verdict) bool { return v.score < enough })
		case floor == least || i.ctx.Err() != nil || i.work.Load() > maxWork:
			return nil
		}
	}
}

// extend adds to a set of failures what improves it most, again and again, and gives what came out on the way.
func (i *inquest) extend(lead verdict) (found []verdict) {
	for i.unknown(lead.failures) < i.o.MaxFailures && lead.count < len(i.seen) {
		var next []verdict
		if lead.count == 0 {
			next = i.singles(lead)
		} else {
			next = i.try(lead, i.bounds(lead, lead.score), lead.score, keptVerdicts/8)
		}
		next = slices.DeleteFunc(next[:min(len(next), keptVerdicts/8)], func(v verdict) bool { return v.score <= lead.score })
		if len(next) == 0 {
			break
		}
		for k := range next {
			next[k] = i.shed(next[k])
		}
		slices.SortFunc(next, i.compare)
		found = append(found, next...)
		lead = next[0]
	}
	return found
}

// trim leaves out failures without which the rest does as well.
func (i *inquest) trim(v verdict) verdict {
	for k := 0; k < len(v.failures) && len(v.failures) > 1; k++ {
		rest, done := i.judge(slices.Delete(slices.Clone(v.failures), k, k+1), math.MaxInt)
		if done && rest.score >= v.score {
			v, k = rest, -1
		}
	}
	return v
}

// bounded is a candidate, how many symptoms it could explain at most, and how well the set that it joins could do with
// it at best.
type bounded struct {
	v     topology.Vertex
	bound int
	hope  float64
	prior float64 // of the set with it
}

// floor returns what a set has to reach that a candidate joins: alone it has to account for what was seen better than
// noise does.
func (c bounded) floor(with verdict, floor float64) float64 {
	if with.count == 0 {
		return max(floor, c.prior)
	}
	return floor
}

// bounds returns the CIs that symptoms need, with a bound of what each could add to a set of failures. For a symptom
// that is DOWN it does not look behind SOFT dependencies. It leaves out a CI that could not reach floor, unless it is
// known to have failed.
func (i *inquest) bounds(with verdict, floor float64) []bounded {
	if i.needed == nil {
		all := make([]topology.Vertex, len(i.seen))
		for k, seen := range i.seen {
			all[k] = seen.v
		}
		i.needed = ancestryOf(i.ctx, i.s, all)
	}
	counts := make([]uint32, len(i.needed.vertices))
	if len(counts) == 0 {
		return nil // the time was over
	}
	var lane []topology.Vertex
	firm := uint64(0)
	for k, seen := range i.seen {
		if len(with.failures) == 0 || with.leaves(k) {
			if seen.state == Down {
				firm |= 1 << len(lane)
			}
			lane = append(lane, seen.v)
		}
		if len(lane) == lanes || k == len(i.seen)-1 {
			i.needed.count(lane, firm, counts)
			lane, firm = lane[:0], 0
		}
	}
	var candidates []bounded
	type kind struct {
		bound, silent int
		prior         float64
	}
	hopes := map[kind]float64{}
	for at, bound := range counts {
		v := i.needed.vertices[at]
		if bound == 0 || !i.s.InService(v) {
			continue
		}
		k := kind{int(bound), max(with.silent, i.silentBeside(v)), with.prior + i.priorOf(v)}
		hope, ok := hopes[k]
		if !ok {
			hope = i.best(with.count+k.bound, k.silent, k.prior)
			hopes[k] = hope
		}
		if c := (bounded{v, int(bound), hope, k.prior}); hope >= c.floor(with, floor) || i.isKnown(v) {
			candidates = append(candidates, c)
		}
	}
	return candidates
}

// looksBeside is how many arcs of a candidate are looked at for what it must leave silent.
const looksBeside = 1024

// silentBeside returns a lower bound of the number of CIs that the failure of v leaves silent: a CI that depends on v
// by itself, HARD or SOFT, does not stay well, whatever groups say.
func (i *inquest) silentBeside(v topology.Vertex) int {
	silent := 0
	last := v
	for _, a := range i.s.Out(v)[:min(len(i.s.Out(v)), looksBeside)] {
		if a.Kind() >= topology.GroupArc {
			continue
		}
		w := a.Vertex()
		if w != last && w != v && i.isObservable(w) && !i.isRuledOut(w) {
			i.beside = append(i.beside, w)
		}
		last = w
	}
	slices.Sort(i.beside)
	for _, w := range slices.Compact(i.beside) {
		if _, ok := i.said[w]; !ok {
			silent++
		}
	}
	i.beside = i.beside[:0]
	return silent
}

// try joins each candidate to a set of failures, which may be empty, and gives the best that score at least floor, as
// many as most.
func (i *inquest) try(with verdict, candidates []bounded, floor float64, most int) (best []verdict) {
	candidates = i.hopeful(with, candidates, floor)
	for len(candidates) > 0 && i.ctx.Err() == nil {
		if len(best) == most {
			floor = max(floor, best[most-1].score)
		}
		if candidates[0].hope < floor || i.work.Load() > maxWork {
			break
		}
		block := candidates[:min(len(candidates), blockSize)]
		candidates = candidates[len(block):]
		best = append(best, i.tryAll(with, block, floor)...)
		slices.SortFunc(best, i.compare)
		best = best[:min(len(best), most)]
	}
	return best
}

// hopeful returns the candidates that could come up to floor, those first that could do most.
func (i *inquest) hopeful(with verdict, candidates []bounded, floor float64) (chosen []bounded) {
	for _, c := range candidates {
		if c.hope >= c.floor(with, floor) {
			chosen = append(chosen, c)
		}
	}
	slices.SortFunc(chosen, func(a, b bounded) int {
		return cmp.Or(cmp.Compare(b.hope, a.hope), cmp.Compare(b.bound, a.bound), i.byID(a.v, b.v))
	})
	return chosen
}

// tryAll judges a block of candidates on all processors.
func (i *inquest) tryAll(with verdict, candidates []bounded, floor float64) []verdict {
	type kind struct {
		bound int
		prior float64
	}
	patience := map[kind]int{} // how many CIs may stay silent
	for _, c := range candidates {
		k := kind{c.bound, c.prior}
		if _, ok := patience[k]; !ok {
			patience[k] = i.patienceFor(with.count+c.bound, c.prior, c.floor(with, floor))
		}
	}
	found := make([][]verdict, crewSize(len(candidates)/8+1))
	var next atomic.Int64
	safe.Crew(len(found), func(worker int) {
		for {
			k := int(next.Add(1)) - 1
			if k >= len(candidates) {
				return
			}
			c := candidates[k]
			if slices.Contains(with.failures, c.v) {
				continue
			}
			if verdict, done := i.judge(append(slices.Clip(with.failures), c.v), patience[kind{c.bound, c.prior}]); done && verdict.score >= c.floor(with, floor) {
				found[worker] = append(found[worker], verdict)
			}
		}
	})
	return slices.Concat(found...)
}

// judge works out what follows from failures, and scores it. It gives up when they leave more than maxSilent CIs
// silent.
func (i *inquest) judge(failures []topology.Vertex, maxSilent int) (v verdict, done bool) {
	i.tried.Add(1)
	m := borrow(i.s)
	defer m.release()
	p := i.failing(i.ctx, m, failures)
	looked, silent := 0, 0
	p.enough = func() bool {
		for ; looked < len(m.hits); looked++ {
			if i.isObservable(m.hits[looked].vertex) {
				silent++
			}
		}
		return silent-len(i.said) > maxSilent
	}
	p.closeDown()
	if !p.stopped() {
		p.closeDegraded()
	}
	i.work.Add(int64(len(m.hits)))
	if p.stopped() || p.enough() {
		return verdict{}, false
	}
	told := make([]byte, (len(i.seen)+len(i.healthy)+7)/8)
	contradicted := 0
	meet := func(k int, h hit) {
		if i.isObservable(h.vertex) {
			silent--
		}
		switch {
		case k >= len(i.seen):
			contradicted++
		case h.state >= i.seen[k].state:
			v.count++
		default:
			return
		}
		told[k/8] |= 1 << (k % 8)
	}
	if len(m.hits) < len(i.said) {
		for _, h := range m.hits {
			if k, ok := i.said[h.vertex]; ok {
				meet(k, h)
			}
		}
	} else {
		for vertex, k := range i.said {
			if at, ok := m.reached(vertex); ok {
				meet(k, m.hits[at])
			}
		}
	}
	if v.count == 0 {
		return verdict{}, false
	}
	v.failures, v.told, v.silent, v.prior = failures, string(told), silent, i.priorOf(failures...)
	v.score = i.score(v.count, silent, contradicted, v.prior)
	return v, true
}

// isObservable reports whether a CI that is affected could have shown something that it does not show anyway.
func (i *inquest) isObservable(v topology.Vertex) bool {
	return (i.observable == nil || i.observable.has(uint32(v))) && !i.isBroken(v)
}
