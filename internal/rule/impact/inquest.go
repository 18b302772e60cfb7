package impact

import (
	"cmp"
	"context"
	"math"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

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
	tried      atomic.Int64
	work       atomic.Int64 // CIs that were found affected on the way, in all sets tried
	words      []cell       // by vertex: the symptoms that a CI could explain; zero between searches
	counts     []uint32     // by vertex: how many they are; zero between searches
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
const blockSize = 1024

// singles are the best sets of one failure, of those that account for what was seen better than noise does.
func (i *inquest) singles() []verdict {
	return i.try(verdict{}, i.bounds(nil), i.fails, keptVerdicts)
}

// extend adds to a set of failures what improves it most, again and again, and gives what came out on the way.
func (i *inquest) extend(lead verdict) (found []verdict) {
	for len(lead.failures) < i.o.MaxFailures && lead.count < len(i.seen) {
		next := i.try(lead, i.bounds(lead.leaves), lead.score, keptVerdicts/8)
		next = slices.DeleteFunc(next, func(v verdict) bool { return v.score <= lead.score })
		if len(next) == 0 {
			break
		}
		for k := range next {
			next[k] = i.trim(next[k])
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

// bounded is a candidate and how many symptoms it could explain at most.
type bounded struct {
	v     topology.Vertex
	bound int
}

// bounds gives the CIs that symptoms need, those that could explain most of them first, then by id. It searches against
// the arcs for 64 symptoms at a time; what was seen DOWN is not looked for behind SOFT dependencies. asked says
// which symptoms count; nil: all.
func (i *inquest) bounds(asked func(k int) bool) []bounded {
	if i.words == nil {
		i.words, i.counts = make([]cell, i.s.Vertices()), make([]uint32, i.s.Vertices())
	}
	var sightings []sighting
	for k, seen := range i.seen {
		if asked == nil || asked(k) {
			sightings = append(sightings, seen)
		}
	}
	var candidates []bounded
	for chunk := range slices.Chunk(sightings, lanes) {
		queue := i.spreadBack(chunk)
		for _, v := range queue {
			if word := i.words[v].down; word != 0 {
				if i.counts[v] == 0 {
					candidates = append(candidates, bounded{v: v})
				}
				i.counts[v] += uint32(bits.OnesCount64(word))
			}
			i.words[v] = cell{}
		}
	}
	for k := range candidates {
		candidates[k].bound = int(i.counts[candidates[k].v])
		i.counts[candidates[k].v] = 0
	}
	candidates = slices.DeleteFunc(candidates, func(c bounded) bool { return !i.s.IsPresent(c.v) })
	slices.SortFunc(candidates, func(a, b bounded) int {
		return cmp.Or(cmp.Compare(b.bound, a.bound), i.byID(a.v, b.v))
	})
	return candidates
}

// spreadBack notes in the word of each CI which of up to 64 symptoms need it, and gives the CIs that it noted any of, some
// of them several times.
func (i *inquest) spreadBack(sightings []sighting) (queue []topology.Vertex) {
	meet := func(v topology.Vertex, in uint64) {
		c := &i.words[v]
		if in &^= c.down; in == 0 {
			return
		}
		if c.fresh == 0 {
			queue = append(queue, v)
		}
		c.down |= in
		c.fresh |= in
	}
	downs := uint64(0)
	for lane, seen := range sightings {
		meet(seen.v, 1<<lane)
		if seen.state == Down {
			downs |= 1 << lane
		}
	}
	p := patience{ctx: i.ctx}
	for head := 0; head < len(queue); head++ {
		c := &i.words[queue[head]]
		in := c.fresh
		c.fresh = 0
		steps := eachCause(i.s, queue[head], func(cause topology.Vertex, k topology.ArcKind) {
			if k == topology.SoftArc {
				meet(cause, in&^downs)
			} else {
				meet(cause, in)
			}
		})
		if p.isSpent(steps) {
			break
		}
	}
	return queue
}

// try joins each candidate to a set of failures, which may be empty, and gives the best that score at least floor, as many as most.
func (i *inquest) try(with verdict, candidates []bounded, floor float64, most int) (best []verdict) {
	failures := len(with.failures) + 1
	for len(candidates) > 0 && i.ctx.Err() == nil {
		if len(best) == most {
			floor = max(floor, best[most-1].score)
		}
		bound := candidates[0].bound
		n := 1
		for n < min(len(candidates), blockSize) && candidates[n].bound == bound {
			n++
		}
		explains := with.count + bound
		if i.best(explains, with.silent, failures) < floor || i.work.Load() > maxWork {
			break // what with leaves silent, all that join it leave silent too
		}
		best = append(best, i.tryAll(with.failures, candidates[:n], i.patienceFor(explains, failures, floor), floor)...)
		slices.SortFunc(best, i.compare)
		best = best[:min(len(best), most)]
		candidates = candidates[n:]
	}
	return best
}

// tryAll judges a block of candidates on all processors.
func (i *inquest) tryAll(with []topology.Vertex, candidates []bounded, maxSilent int, floor float64) []verdict {
	found := make([][]verdict, crewSize(len(candidates)/8+1))
	var next atomic.Int64
	var crew sync.WaitGroup
	for worker := range found {
		crew.Go(func() {
			for {
				k := int(next.Add(1)) - 1
				if k >= len(candidates) {
					return
				}
				v := candidates[k].v
				if slices.Contains(with, v) {
					continue
				}
				if verdict, done := i.judge(append(slices.Clip(with), v), maxSilent); done && verdict.score >= floor {
					found[worker] = append(found[worker], verdict)
				}
			}
		})
	}
	crew.Wait()
	return slices.Concat(found...)
}

// judge works out what follows from failures, and scores it. It gives up when they leave more than maxSilent CIs silent.
func (i *inquest) judge(failures []topology.Vertex, maxSilent int) (v verdict, done bool) {
	i.tried.Add(1)
	m := borrow(i.s)
	defer m.release()
	p := propagation{s: i.s, m: m, patience: patience{ctx: i.ctx}, down: failures}
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
			if k, is := i.said[h.vertex]; is {
				meet(k, h)
			}
		}
	} else {
		for vertex, k := range i.said {
			if at, is := m.marked(vertex); is {
				meet(k, m.hits[at])
			}
		}
	}
	if v.count == 0 {
		return verdict{}, false
	}
	v.failures, v.told, v.silent = failures, string(told), silent
	v.score = i.score(v.count, silent, contradicted, len(failures))
	return v, true
}

func (i *inquest) isObservable(v topology.Vertex) bool {
	return i.observable == nil || i.observable.has(uint32(v))
}
