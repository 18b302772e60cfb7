package impact

import (
	"cmp"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Ground is the rule by which a CI is in its state: docs/impact.md, "States" and "Proofs".
type Ground uint8

// The grounds.
const (
	Given          Ground = iota + 1 // the question says that it fails so
	HardDependency                   // a HARD dependency outside any group is in the same state, or on the brink too
	SoftDependency                   // a SOFT dependency is DOWN
	BrokenGroup                      // a group lacks members that are up, or well; for AT_RISK: it has enough, and lost some
	Retired                          // the CI is RETIRED, and never up; no proof explains it further
)

var grounds = [...]string{"", "FAILED", "HARD", "SOFT", "GROUP", "RETIRED"}

// String returns the ground as the API shows it.
func (g Ground) String() string {
	if int(g) < len(grounds) {
		return grounds[g]
	}
	return "UNKNOWN"
}

// Proof says why a CI is in its state, down to the failed CIs. Each CI is explained once, before what
// caused it: the CI asked for comes first, and no explanation leads back to itself, in cycles neither.
type Proof struct{ Explanations []Explanation }

// Explanation says why one CI is in its state. It leaves out other reasons that would have sufficed.
type Explanation struct {
	Hit
	Ground       Ground
	Relationship ident.ID    // of a HARD or SOFT dependency
	Cause        ident.ID    // the CI at its other end; one that is RETIRED is not explained
	Group        *GroupState // of a BrokenGroup
}

// retiredMembers lists the members that a group counts and never has.
func (a *Answer) retiredMembers(g topology.GroupIndex, c *topology.Counter) (all []MemberState) {
	if c.Retired == 0 {
		return nil
	}
	for _, e := range a.snapshot.Retired(c.Dependent) {
		if e.Group == g {
			all = append(all, MemberState{
				Relationship: e.Relationship, CI: a.snapshot.ID(e.From), IsRetired: true, Weight: int(c.WeightOf(uint32(e.Relationship.Number()))),
			})
		}
	}
	return all
}

// GroupState is how a group fares: what its members count in all that are in service or RETIRED, what it needs, what is
// up and well.
type GroupState struct {
	ID                    ident.ID
	Mode                  topology.Mode
	Need, Total, Up, Well int
	Members               []MemberState
}

// MemberState is one member of a group, in service or RETIRED: then it is not up, and has no state. Its cause is also
// explained when IsCause: it failed before the group broke, and not because of it.
type MemberState struct {
	Relationship ident.ID
	CI           ident.ID
	State        State
	Weight       int
	IsCause      bool
	IsRetired    bool
}

// Proof explains the state of a CI; false when it is OPERATIONAL or not in the answer. It follows the rounds
// in which states were reached, so that every cause is older than what it explains, and takes the oldest cause,
// then the lowest id. Linear in the arcs that arrive at the CIs explained.
func (a *Answer) Proof(ci ident.ID) (*Proof, bool) {
	a = a.entire()
	start, ok := a.find(ci)
	if !ok || !a.tells(start) {
		return nil, false
	}
	seen := map[int32]bool{start: true}
	queue := []int32{start}
	explained := map[int32]Explanation{}
	isByBrink := a.hits[start].isByBrink()
	for len(queue) > 0 {
		i := queue[0]
		queue = queue[1:]
		e, causes := a.explain(i, isByBrink)
		explained[i] = e
		for _, c := range causes {
			if !seen[c] {
				seen[c] = true
				queue = append(queue, c)
			}
		}
	}
	order := make([]int32, 0, len(explained))
	for i := range explained {
		order = append(order, i)
	}
	rank := func(i int32) int {
		if h := a.hits[i]; isByBrink && h.state != Down {
			return len(a.rounds) + a.brinkRound(h.vertex)
		}
		return a.round(i)
	}
	slices.SortFunc(order, func(i, j int32) int {
		return cmp.Or(cmp.Compare(rank(j), rank(i)), cmp.Compare(explained[i].CI, explained[j].CI))
	})
	p := &Proof{}
	for _, i := range order {
		p.Explanations = append(p.Explanations, explained[i])
	}
	return p, true
}

// explain says why a hit is in its state, or why it is on the brink.
func (a *Answer) explain(i int32, isByBrink bool) (e Explanation, causes []int32) {
	e = Explanation{Hit: a.hit(i)}
	h := a.hits[i]
	if isByBrink && h.state != Down {
		return e, a.explainBrink(i, &e)
	}
	if h.given == h.state {
		e.Ground = Given
		return e, nil
	}
	if h.has(isShort) {
		a.explainShort(&e)
		return e, nil
	}
	if edge, cause, ok := a.oldestDependency(i); ok {
		e.Ground, e.Relationship, e.Cause = HardDependency, edge.Relationship, a.snapshot.ID(edge.From)
		if edge.Strength == topology.Soft {
			e.Ground = SoftDependency
		}
		return e, []int32{cause}
	}
	groups := a.snapshot.GroupsOf(h.vertex)
	slices.SortFunc(groups, func(g, other topology.GroupIndex) int {
		return cmp.Compare(a.snapshot.GroupID(g), a.snapshot.GroupID(other))
	})
	for _, g := range groups {
		if state, causes := a.groupState(g, h.state, a.round(i)); causes != nil {
			e.Ground, e.Group = BrokenGroup, state
			return e, causes
		}
	}
	return e, nil // not reached: every hit was given or has a cause
}

// explainShort says what is missing to a CI that is DOWN though nothing failed: a RETIRED CI, or what a group does not
// have.
func (a *Answer) explainShort(e *Explanation) {
	var best topology.Edge
	for _, edge := range a.snapshot.Retired(e.Vertex) {
		if edge.Group == 0 && (best.From == 0 || precedes(edge, best)) {
			best = edge
		}
	}
	if best.From != 0 {
		e.Ground, e.Relationship, e.Cause = HardDependency, best.Relationship, a.snapshot.ID(best.From)
		return
	}
	short := topology.GroupIndex(0)
	for _, g := range a.snapshot.GroupsOf(e.Vertex) {
		if a.snapshot.Counter(g).IsShort() && (short == 0 || g < short) {
			short = g
		}
	}
	e.Ground = BrokenGroup
	e.Group, _ = a.groupState(short, Down, 0)
}

// oldestDependency returns the direct dependency that brought a hit to its state: HARD and in the same state, or SOFT
// and DOWN.
func (a *Answer) oldestDependency(i int32) (best topology.Edge, cause int32, found bool) {
	h, round, bestRound := a.hits[i], a.round(i), 0
	if h.state == AtRisk {
		return best, 0, false
	}
	for e := range a.snapshot.Needs(h.vertex) {
		at, ok := a.place(e.From)
		if e.Group != 0 || !ok {
			continue
		}
		state := a.hits[at].state
		if e.Strength == topology.Hard && state != h.state || e.Strength == topology.Soft && (state != Down || h.state != Degraded) {
			continue
		}
		if r := a.round(at); r < round && (!found || r < bestRound || r == bestRound && e.Relationship < best.Relationship) {
			best, cause, bestRound, found = e, at, r, true
		}
	}
	return best, cause, found
}

// groupState tells how a group fares, and the members that were lost before a round when they suffice to
// bring its dependent to a state; else no causes.
func (a *Answer) groupState(g topology.GroupIndex, to State, before int) (*GroupState, []int32) {
	s, causes, lost := a.tellGroup(g, func(m topology.Arrival) bool {
		at, ok := a.place(m.From)
		return ok && a.round(at) < before && (to == Down && a.hits[at].state == Down || to != Down && !a.hits[at].state.IsWell())
	})
	if c := a.snapshot.Counter(g); to != AtRisk && int(c.Total)-lost >= s.Need {
		return nil, nil
	}
	return s, causes
}

// tellGroup tells how a group fares, which of its hits are causes, and what these count.
func (a *Answer) tellGroup(g topology.GroupIndex, isCause func(topology.Arrival) bool) (s *GroupState, causes []int32, lost int) {
	c := a.snapshot.Counter(g)
	s = &GroupState{ID: a.snapshot.GroupID(g), Mode: c.Mode, Need: int(c.Need), Total: int(c.Total + c.Retired)}
	for _, m := range c.Members {
		if m.From == 0 {
			continue
		}
		member := MemberState{
			Relationship: a.snapshot.RelationshipID(m.Relationship), CI: a.snapshot.ID(m.From),
			State: a.stateAt(m.From), Weight: int(m.Weight),
		}
		if member.State.IsUp() {
			s.Up += member.Weight
		}
		if member.State.IsWell() {
			s.Well += member.Weight
		}
		if isCause(m) {
			at, _ := a.place(m.From)
			member.IsCause = true
			causes = append(causes, at)
			lost += member.Weight
		}
		s.Members = append(s.Members, member)
	}
	s.Members = append(s.Members, a.retiredMembers(g, c)...)
	return s, causes, lost
}
