package impact

import (
	"cmp"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Transition is a service whose operational state is another than before.
type Transition struct {
	Service  ident.ID // its CI
	From, To State
}

// Transitions returns the services whose operational state differs between two snapshots, by id. A service that comes
// into service or goes out of it has no state in one of them, and makes none. It costs what the writes between them
// touch, or all CIs if they are placed differently, and nothing if both hold the same facts.
func Transitions(before, after *topology.Snapshot) []Transition {
	if before.Digest() == after.Digest() {
		return nil
	}
	isService := func(s *topology.Snapshot, ci ident.ID) bool {
		v, ok := s.Index(ci)
		return ok && s.IsService(v)
	}
	isInService := func(s *topology.Snapshot, ci ident.ID) bool {
		v, ok := s.Index(ci)
		return ok && s.InService(v)
	}
	var found []Transition
	tell := func(ci ident.ID, was, is fare) {
		if was.state() != is.state() && (isService(after, ci) || isService(before, ci)) && isInService(before, ci) && isInService(after, ci) {
			found = append(found, Transition{ci, was.state(), is.state()})
		}
	}
	was, is := estateFares(before), estateFares(after)
	if before.PlacesAlike(after) {
		was.differences(is, func(v topology.Vertex, x, y fare) { tell(after.ID(v), x, y) })
	} else {
		for v := range topology.Vertex(after.Vertices()) {
			ci := after.ID(v)
			if u, ok := before.Index(ci); ok {
				tell(ci, was.at(u), is.at(v))
			}
		}
	}
	slices.SortFunc(found, func(a, b Transition) int { return cmp.Compare(a.Service, b.Service) })
	return found
}
