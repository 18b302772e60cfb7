package impact

import (
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Step is one hop of a path, from a cause to what it harms.
type Step struct {
	From, To     ident.ID
	Relationship ident.ID
	Type         ident.ID
	Group        ident.ID // the group that counts the relationship; 0: it counts by itself
}

func stepOf(s *topology.Snapshot, e topology.Edge) Step {
	step := Step{From: s.ID(e.From), To: s.ID(e.To), Relationship: e.Relationship, Type: e.Type}
	if e.Group != 0 {
		step.Group = s.GroupID(e.Group)
	}
	return step
}

// precedes orders parallel edges by ids, whatever order they lie in.
func precedes(e, other topology.Edge) bool {
	return e.Relationship < other.Relationship || e.Relationship == other.Relationship && e.Group < other.Group
}

// Path returns a shortest path on which failure came to a CI, the failed CI first. If the CI failed itself or is not in
// the answer, it returns an empty path. Among equals it takes, from the end, the lowest relationship id.
func (a *Answer) Path(ci ident.ID) []Step {
	i, ok := a.find(ci)
	if !ok || !a.tells(i) {
		return nil
	}
	if a.of != nil {
		return a.of.trail.path(a.snapshot, a.of.steps[i])
	}
	var path []Step
	for range a.distance(i) {
		e, from := a.lastHop(i)
		path = append(path, stepOf(a.snapshot, e))
		i = from
	}
	slices.Reverse(path)
	return path
}

// lastHop returns the lowest edge that carries to a hit from one that is nearer to the failed.
func (a *Answer) lastHop(i int32) (best topology.Edge, from int32) {
	for e := range a.snapshot.Needs(a.hits[i].vertex) {
		at, ok := a.place(e.From)
		if !ok || a.distances[at]+1 != a.distances[i] || !a.carries(e) {
			continue
		}
		if best.From == 0 || precedes(e, best) {
			best, from = e, at
		}
	}
	return best, from
}

// carries reports whether an edge passes failure on in this answer; see allDistances.
func (a *Answer) carries(e topology.Edge) bool {
	from, to := a.stateAt(e.From), a.stateAt(e.To)
	switch {
	case to == Operational:
		return false
	case from.IsWell():
		return a.tips(e)
	case e.Group == 0 && e.Strength == topology.Soft:
		return !from.IsUp()
	case e.Group == 0:
		return true
	}
	return to == AtRisk || a.isBroken(e.Group) || a.hitAt(e.To).isByBrink()
}

// isBroken reports whether a group makes its dependent at least DEGRADED, in O(members).
func (a *Answer) isBroken(g topology.GroupIndex) bool {
	c := a.snapshot.Counter(g)
	return c.Total-a.unwell(c) < c.Need
}

// unwell returns what a group has that is not well.
func (a *Answer) unwell(c *topology.Counter) (unwell uint32) {
	for _, m := range c.Members {
		if m.From != 0 && !a.stateAt(m.From).IsWell() {
			unwell += m.Weight
		}
	}
	return unwell
}

// Link is an edge of the subgraph of an answer.
type Link struct {
	topology.Edge
	IsCarrying bool // failure passed along it; else it only might have
}

// Subgraph gives every relationship that can carry impact between the given CIs, all of them where two have
// several; see topology.Snapshot.Between for cost and order.
func (a *Answer) Subgraph(vertices []topology.Vertex) []Link {
	edges := a.snapshot.Between(vertices)
	links := make([]Link, len(edges))
	for i, e := range edges {
		links[i] = Link{Edge: e, IsCarrying: a.carries(e)}
	}
	return links
}
