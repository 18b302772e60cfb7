package impact

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Symptom is a CI that was seen to be unwell.
type Symptom struct {
	CI    ident.ID
	State State // Down or Degraded; a failure explains it that brings this or worse
}

// Symptoms are what was seen. CIs of which nothing is said may be affected or not.
type Symptoms struct {
	Seen    []Symptom
	Healthy []ident.ID
}

// RootCauseOptions are the parameters of the search; each zero stands for what is said beside it.
type RootCauseOptions struct {
	Silence       float64                // about which share of affected CIs shows nothing; 0.7
	Noise         float64                // which share of symptoms has nothing to do with the cause; 0.2
	FalseHealth   float64                // how often an affected CI is called healthy; 0.05
	Observable    func(topology.CI) bool // CIs that could have shown something; all
	MaxFailures   int                    // in one explanation; 3
	MaxCandidates int                    // that are told; 10
	MaxBroken     int                    // of what a candidate would also have broken, so many are named; 20
	// OnFacts takes what has failed for sure for granted: what records say is DOWN costs nothing, and what they rule out
	// is no cause and passes nothing on.
	OnFacts bool
	Except  ident.ID // the record that is asked about: what it says is not known yet; 0: none
	// Hidden are CIs of which nobody is told more than that they are there: nothing is known of them, and they count as no
	// services.
	Hidden map[ident.ID]bool
}

func (o RootCauseOptions) withDefaults() RootCauseOptions {
	share := func(x *float64, otherwise float64) {
		if *x == 0 {
			*x = otherwise
		}
		*x = min(max(*x, 0.001), 0.999)
	}
	share(&o.Silence, 0.7)
	share(&o.Noise, 0.2)
	share(&o.FalseHealth, 0.05)
	for _, n := range []struct {
		n         *int
		otherwise int
	}{{&o.MaxFailures, 3}, {&o.MaxCandidates, 10}, {&o.MaxBroken, 20}} {
		if *n.n <= 0 {
			*n.n = n.otherwise
		}
	}
	return o
}

// RootCausesAnswer lists what could have caused symptoms.
type RootCausesAnswer struct {
	Revision     int64
	Completeness Completeness // partial when the work met its own bound or the time was over; Explored counts the sets of failures worked out
	Candidates   []RootCause  // best first; none when nothing does better than noise
}

// RootCause is a set of failures that explains symptoms, or several such sets that what was seen cannot tell apart.
type RootCause struct {
	Failures []ident.ID // DOWN, by id
	// Alternatives are other sets of as many failures that explain the same symptoms, contradict the same health and
	// are less than 3 times less likely: evidence "not worth more than a bare mention" (Kass and Raftery, 1995). Best
	// first.
	Alternatives    [][]ident.ID
	Score           float64 // log-likelihood ratio against all symptoms being noise: see likelihood
	Share           float64 // of the probability of all candidates told, alternatives included
	Explained       []ident.ID
	Unexplained     []ident.ID
	Contradicted    []ident.ID // called healthy, but would be affected
	AlsoBroken      []ident.ID // would be affected, but nothing was said of them: services first, then by id
	AlsoBrokenCount int
	Known           []Knowledge // of the failures and of each of the alternatives
}

// Knowledge is what records say of a set of failures.
type Knowledge struct {
	IsKnown bool       // of all of it that it is DOWN
	By      []ident.ID // that any of it is, by id
}

// RootCauses finds the fewest failures that explain symptoms, and ranks them by likelihood. Each candidate is worked
// out exactly, as Of does: it says truly what it would break and what not.
//
// Candidates are the CIs that the symptoms need. One search against the arcs and a pass for each 64 symptoms bound how
// many each could explain; those that could do most are tried first, and a candidate that cannot reach the best found
// so far is given up as soon as it leaves too many CIs silent. So the single failures told are the best there are; one
// that is a million times less likely than the best is not told. Each of the best is then joined by the further failure
// that improves the score most, worked out together, until none does: the greedy set cover of Chvátal, "A Greedy
// Heuristic for the Set-Covering Problem", 1979, over exact sets. Two failures that explain nothing one by one, such as
// both members of a group, are found only where one of them is a candidate or is known.
//
// CIs that are known to have failed are candidates like any others that cost nothing, and let nothing else go untold.
//
// If a CI is not known, it returns errs.NotFound; without a symptom, for a state other than DOWN and DEGRADED, and for
// a CI both seen and healthy, errs.Invalid; if the context is cancelled, the context's error.
func RootCauses(ctx context.Context, s *topology.Snapshot, symptoms Symptoms, o RootCauseOptions) (*RootCausesAnswer, error) {
	o = o.withDefaults()
	i := inquest{s: s, o: o, ctx: ctx}
	if err := i.hear(symptoms); err != nil {
		return nil, err
	}
	singles := i.singles(verdict{})
	all := slices.Clone(singles)
	for _, lead := range i.group(singles, beam) {
		all = append(all, i.extend(lead[0])...)
	}
	all = append(all, i.knownCauses()...)
	if i.facts != nil && len(all) > 0 {
		all = append(all, i.extend(slices.MinFunc(all, i.compare))...)
	}
	p := patience{ctx: ctx, err: ctx.Err()}
	if err := p.verdict(); err != nil {
		return nil, err
	}
	answer := &RootCausesAnswer{Revision: s.Revision(), Completeness: Completeness{Explored: int(i.tried.Load())}}
	switch {
	case p.err != nil:
		answer.Completeness.cut(Time)
	case i.work.Load() > maxWork:
		answer.Completeness.cut(MaxCIs)
	}
	for _, g := range i.group(i.distinct(all), o.MaxCandidates) {
		answer.Candidates = append(answer.Candidates, i.tell(g))
	}
	divide(answer.Candidates)
	return answer, nil
}

// beam is how many single failures are extended.
const beam = 2

// hear takes the symptoms down.
func (i *inquest) hear(symptoms Symptoms) error {
	if len(symptoms.Seen) == 0 {
		return errs.New(errs.Invalid, "say at least one symptom").At("seen")
	}
	seen := map[topology.Vertex]State{}
	for _, symptom := range symptoms.Seen {
		v, err := locate(i.s, "seen", symptom.CI)
		if err != nil {
			return err
		}
		if symptom.State != Down && symptom.State != Degraded {
			return errs.New(errs.Invalid, "%v cannot be seen as %v, only as DOWN or DEGRADED", symptom.CI, symptom.State).At("seen")
		}
		seen[v] = max(seen[v], symptom.State)
	}
	for v, state := range seen {
		i.seen = append(i.seen, sighting{v, state})
	}
	slices.SortFunc(i.seen, func(a, b sighting) int { return i.byID(a.v, b.v) })
	i.said = map[topology.Vertex]int{}
	for _, ci := range symptoms.Healthy {
		v, err := locate(i.s, "healthy", ci)
		if err != nil {
			return err
		}
		if seen[v] != Operational {
			return errs.New(errs.Invalid, "%v was seen %v and called healthy", ci, seen[v]).At("healthy")
		}
		if _, ok := i.said[v]; !ok {
			i.healthy = append(i.healthy, v)
			i.said[v] = 0
		}
	}
	slices.SortFunc(i.healthy, i.byID)
	for k, sighting := range i.seen {
		i.said[sighting.v] = k
	}
	for k, v := range i.healthy {
		i.said[v] = len(i.seen) + k
	}
	i.survey()
	i.learn()
	return nil
}

// survey counts the CIs, and those that could have shown something.
func (i *inquest) survey() {
	cis, observable := 0, 0
	if i.o.Observable != nil {
		i.observable = make(flags, i.s.Vertices()/64+1)
	}
	for v := range topology.Vertex(i.s.Vertices()) {
		if !i.s.InService(v) {
			continue
		}
		cis++
		if i.o.Observable == nil || i.o.Observable(i.s.CI(v)) {
			observable++
			if i.observable != nil {
				i.observable.set(uint32(v))
			}
		}
	}
	i.likelihood = i.o.likelihood(len(i.seen), observable, cis)
}

// group puts together what evidence cannot tell apart, best first, and keeps the first so many groups.
func (i *inquest) group(found []verdict, most int) (groups [][]verdict) {
	slices.SortFunc(found, i.compare)
	for _, v := range found {
		at := slices.IndexFunc(groups, func(g []verdict) bool { return g[0].isLike(v) })
		switch {
		case at >= 0:
			groups[at] = append(groups[at], v)
		case len(groups) < most:
			groups = append(groups, []verdict{v})
		}
	}
	return groups
}

// distinct drops sets of failures that were found twice.
func (i *inquest) distinct(found []verdict) []verdict {
	for k := range found {
		found[k].failures = slices.SortedFunc(slices.Values(found[k].failures), i.byID)
	}
	slices.SortFunc(found, i.compare)
	return slices.CompactFunc(found, func(a, b verdict) bool { return slices.Equal(a.failures, b.failures) })
}

// tell works a candidate out once more, for the names.
func (i *inquest) tell(g []verdict) RootCause {
	c := RootCause{Failures: i.names(g[0].failures), Score: g[0].score, Known: []Knowledge{i.knowledge(g[0].failures)}}
	for _, other := range g[1:] {
		c.Alternatives, c.Known = append(c.Alternatives, i.names(other.failures)), append(c.Known, i.knowledge(other.failures))
		c.Share += math.Exp(other.score - g[0].score)
	}
	c.Share = 1 + c.Share // divide makes a share of it
	m := borrow(i.s)
	defer m.release()
	p := i.failing(noHurry, m, g[0].failures)
	p.closeDown()
	p.closeDegraded()
	for _, seen := range i.seen {
		if at, ok := m.reached(seen.v); ok && m.hits[at].state >= seen.state {
			c.Explained = append(c.Explained, i.s.ID(seen.v))
		} else {
			c.Unexplained = append(c.Unexplained, i.s.ID(seen.v))
		}
	}
	for _, v := range i.healthy {
		if _, ok := m.reached(v); ok {
			c.Contradicted = append(c.Contradicted, i.s.ID(v))
		}
	}
	var broken []topology.Vertex
	for _, h := range m.hits {
		if _, ok := i.said[h.vertex]; !ok && h.given == Operational {
			broken = append(broken, h.vertex)
		}
	}
	slices.SortFunc(broken, func(a, b topology.Vertex) int {
		return cmp.Or(compareFlags(i.isService(b), i.isService(a)), cmp.Compare(i.s.ID(a), i.s.ID(b)))
	})
	c.AlsoBrokenCount = len(broken)
	for _, v := range broken[:min(len(broken), i.o.MaxBroken)] {
		c.AlsoBroken = append(c.AlsoBroken, i.s.ID(v))
	}
	return c
}

func (i *inquest) names(vertices []topology.Vertex) []ident.ID {
	names := make([]ident.ID, len(vertices))
	for k, v := range vertices {
		names[k] = i.s.ID(v)
	}
	slices.Sort(names)
	return names
}

// divide divides the probability among the candidates.
func divide(candidates []RootCause) {
	sum := 0.0
	for k := range candidates {
		c := &candidates[k]
		c.Share *= math.Exp(c.Score - candidates[0].Score)
		sum += c.Share
	}
	for k := range candidates {
		candidates[k].Share /= sum
	}
}
