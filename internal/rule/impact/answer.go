package impact

import (
	"iter"
	"slices"
	"sync"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Answer is what follows from a question on one snapshot. It never changes; what is asked of it is worked
// out when it is first asked for. It may be used from several goroutines.
type Answer struct {
	Revision     int64
	Completeness Completeness

	snapshot *topology.Snapshot
	asked    Question
	now      *Answer // before the question: what it names is as it is; nil: all is well there
	before   *Answer // without the failures; nil: all is well there
	under    *fares  // how CIs fare of which there is no hit; nil: well
	whole    func() *Answer
	of       *partaking // it tells what a record takes part in; nil: what a question asks
	maxDepth int
	hits     []hit   // in the order in which they were reached: DOWN, DEGRADED, AT_RISK
	rounds   []int32 // the first hit of each round
	tallies  []tally // of every group that lost a member

	maintained map[topology.Vertex]bool

	brink       []topology.Vertex // in the order in which they came to it
	brinkRounds []int32           // the first of each round
	ranked      sync.Once
	brinkAt     map[topology.Vertex]int32 // the round of each

	index     sync.Once
	places    map[topology.Vertex]int32
	dense     []int32 // instead of places where there are many hits: by vertex, one more than the place
	measure   sync.Once
	distances []int32 // of each hit
}

// Hit is one CI that is worse with the failures of a question than without.
type Hit struct {
	Vertex   topology.Vertex
	CI       ident.ID
	State    State
	Without  State // what it is without the failures of the question; of a record Answer.Without tells it
	OnBrink  bool  // it is up, and goes DOWN with one more CI that it bore before
	Distance int   // hops of a shortest path from a failed CI on which failure passes
	IsRoot   bool  // the question says that it fails
	IsGiven  bool  // the question or a record says that it fails so
	// InMaintenance says that the question names it so: it raises no alarm.
	InMaintenance bool
}

// Filter chooses hits. The zero Filter chooses the affected, the failed CIs included.
type Filter struct {
	AtLeast            State // Operational stands for Degraded: the affected
	WithoutRoots       bool
	WithoutMaintenance bool                   // leaves what raises an alarm
	Keep               func(topology.CI) bool // nil keeps all
}

func (f Filter) atLeast() State {
	if f.AtLeast == Operational {
		return Degraded
	}
	return f.AtLeast
}

// Snapshot returns the snapshot that the answer was worked out on.
func (a *Answer) Snapshot() *topology.Snapshot { return a.snapshot }

// Affected lists the hits that a filter chooses: services first, then by state, worst first, then by distance,
// then by id. O(n log n) in the hits of the answer.
func (a *Answer) Affected(f Filter) []Hit {
	var keys []sortKey
	for i := range a.listed() {
		if h := a.hits[i]; a.chooses(f, i) && h.state >= f.atLeast() {
			k := sortKey{rank: uint64(Down-h.state)<<32 | uint64(a.distance(int32(i))), ci: a.snapshot.ID(h.vertex), hit: int32(i)}
			if !a.snapshot.IsService(h.vertex) {
				k.rank |= 1 << 40
			}
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, sortKey.compare)
	hits := make([]Hit, len(keys))
	for i, k := range keys {
		hits[i] = a.hit(k.hit)
	}
	return hits
}

type sortKey struct {
	rank uint64
	ci   ident.ID
	hit  int32
}

func (k sortKey) compare(other sortKey) int {
	switch {
	case k.rank < other.rank || k.rank == other.rank && k.ci < other.ci:
		return -1
	case k.rank == other.rank && k.ci == other.ci:
		return 0
	}
	return 1
}

// listed visits the places of the hits that may be told.
func (a *Answer) listed() iter.Seq[int] {
	return func(yield func(int) bool) {
		if a.of != nil {
			for _, i := range a.of.told {
				if !yield(int(i)) {
					return
				}
			}
			return
		}
		for i := range a.hits {
			if !yield(i) {
				return
			}
		}
	}
}

// isTold reports whether a hit is told, however far it is.
func (a *Answer) isTold(i int32) bool {
	if a.of != nil {
		return a.of.tells(i)
	}
	return a.hits[i].isTold()
}

// isNamed reports whether a hit is one of the failures that the answer is about.
func (a *Answer) isNamed(i int32) bool {
	if a.of != nil {
		return a.of.isNamed(i)
	}
	return a.hits[i].has(isNamed)
}

// chooses applies all of a filter but the state.
func (a *Answer) chooses(f Filter, i int) bool {
	h := a.hits[i]
	return a.isTold(int32(i)) && (!f.WithoutRoots || !a.isNamed(int32(i))) &&
		(!f.WithoutMaintenance || !a.maintained[h.vertex]) &&
		(a.maxDepth == 0 || a.isNear(int32(i))) &&
		(f.Keep == nil || f.Keep(a.snapshot.CI(h.vertex)))
}

func (a *Answer) isNear(i int32) bool {
	return a.maxDepth == 0 || a.distance(i) <= a.maxDepth
}

// hides reports whether something lies beyond the depth asked for.
func (a *Answer) hides() bool {
	for i, h := range a.hits {
		if h.isTold() && !a.isNear(int32(i)) {
			return true
		}
	}
	return false
}

// tells reports whether a hit is told.
func (a *Answer) tells(i int32) bool { return a.isTold(i) && a.isNear(i) }

func (a *Answer) hit(i int32) Hit {
	h := a.hits[i]
	return Hit{
		Vertex: h.vertex, CI: a.snapshot.ID(h.vertex), State: h.state, Without: h.without, OnBrink: h.has(onBrink),
		Distance: a.distance(i), IsRoot: a.isNamed(i), IsGiven: h.given == h.state,
		InMaintenance: a.maintained[h.vertex],
	}
}

// Hit returns what became of a CI; false if the CI is no worse than without the failures, unknown, or left out of a
// partial answer.
func (a *Answer) Hit(ci ident.ID) (Hit, bool) {
	i, ok := a.find(ci)
	if !ok || !a.tells(i) {
		return Hit{}, false
	}
	return a.hit(i), true
}

// Without returns the state of a CI without the failures that the answer is about.
func (a *Answer) Without(ci ident.ID) State {
	switch {
	case a.of != nil:
		return a.of.apart().TrueState(ci)
	case a.before != nil:
		return a.before.TrueState(ci)
	}
	return Operational
}

// InMaintenance reports whether the question names a CI so.
func (a *Answer) InMaintenance(ci ident.ID) bool {
	v, ok := a.snapshot.Index(ci)
	return ok && a.maintained[v]
}

// State returns the state of a CI. If Hit says false, it returns OPERATIONAL.
func (a *Answer) State(ci ident.ID) State {
	if i, ok := a.find(ci); ok && a.tells(i) {
		return a.hits[i].state
	}
	return Operational
}

// TrueState returns the state of a CI with the failures, whether or not it comes from them.
func (a *Answer) TrueState(ci ident.ID) State {
	v, ok := a.snapshot.Index(ci)
	if !ok {
		return Operational
	}
	return a.stateAt(v)
}

func (a *Answer) find(ci ident.ID) (int32, bool) {
	v, ok := a.snapshot.Index(ci)
	if !ok {
		return 0, false
	}
	return a.place(v)
}

// place returns the place of a vertex among the hits; false if the vertex is no hit.
func (a *Answer) place(v topology.Vertex) (int32, bool) {
	if a.of != nil {
		return a.of.estate.place(v)
	}
	a.index.Do(func() {
		if n := a.snapshot.Vertices(); 16*len(a.hits) > n+64 {
			a.dense = make([]int32, n)
			for i, h := range a.hits {
				a.dense[h.vertex] = int32(i + 1)
			}
			return
		}
		a.places = make(map[topology.Vertex]int32, len(a.hits))
		for i, h := range a.hits {
			a.places[h.vertex] = int32(i)
		}
	})
	if a.dense != nil {
		i := a.dense[v]
		return i - 1, i > 0
	}
	i, ok := a.places[v]
	return i, ok
}

func (a *Answer) stateAt(v topology.Vertex) State {
	if i, ok := a.place(v); ok {
		return a.hits[i].state
	}
	return a.under.at(v).state()
}

// round returns the number of the round in which a hit was reached.
func (a *Answer) round(i int32) int {
	later, _ := slices.BinarySearch(a.rounds, i+1)
	return later
}
