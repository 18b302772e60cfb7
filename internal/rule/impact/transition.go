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

// Transitions are the services whose operational state differs between two snapshots, by id: linear in what is not
// operational in either. It costs nothing where both hold the same facts.
func Transitions(before, after *topology.Snapshot) []Transition {
	if before.Digest() == after.Digest() {
		return nil
	}
	var found []Transition
	was, is := Estate(before), Estate(after)
	for _, h := range was.hits {
		if to := is.stateAt(h.vertex); before.IsService(h.vertex) && to != h.state {
			found = append(found, Transition{before.ID(h.vertex), h.state, to})
		}
	}
	for _, h := range is.hits {
		if after.IsService(h.vertex) && was.stateAt(h.vertex) == Operational {
			found = append(found, Transition{after.ID(h.vertex), Operational, h.state})
		}
	}
	slices.SortFunc(found, func(a, b Transition) int { return cmp.Compare(a.Service, b.Service) })
	return found
}
