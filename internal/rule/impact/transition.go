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
// into service or goes out of it has no state in one of them, and makes none. It is linear in what is not operational
// in either, and costs nothing if both hold the same facts.
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
	for _, s := range Shifts(Estate(before), Estate(after)) { // by id: the two may number CIs differently
		if (isService(after, s.CI) || isService(before, s.CI)) && isInService(before, s.CI) && isInService(after, s.CI) {
			found = append(found, Transition{s.CI, s.Before, s.After})
		}
	}
	slices.SortFunc(found, func(a, b Transition) int { return cmp.Compare(a.Service, b.Service) })
	return found
}
