package impact

import (
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Fare tells how a CI fares by what is carried from snapshot to snapshot: its state, whether it is on the brink, and
// whether it is DOWN though nothing failed.
func Fare(s *topology.Snapshot, ci ident.ID) (state State, isOnBrink, isBrokenByItself bool) {
	v, ok := s.Index(ci)
	if !ok {
		return 0, false, false
	}
	f := estateFares(s).at(v)
	return f.state(), f.isOnBrink(), f&fareShort != 0
}

// FareAnew tells the same by what is worked out for a snapshot alone.
func FareAnew(s *topology.Snapshot, ci ident.ID) (state State, isOnBrink, isBrokenByItself bool) {
	a := Estate(s)
	i, ok := a.find(ci)
	if !ok {
		return 0, false, false
	}
	h := a.hits[i]
	return h.state, h.has(onBrink), h.has(isShort)
}

// IsCarried reports whether what is known of a snapshot is that of another one, changed.
func IsCarried(s *topology.Snapshot) (carried bool) {
	s.Carried(func(before any, touched []topology.Vertex) any {
		if before == nil {
			return faresOf(world(s, true, false))
		}
		f, ok := carry(s, before.(*fares), touched)
		if carried = ok; !ok {
			return faresOf(world(s, true, false))
		}
		return f
	})
	return carried
}

// AsAWhole returns the answer worked out with all that it stands on, and whether it is told by differences.
func AsAWhole(a *Answer) (whole *Answer, isDifference bool) { return a.entire(), a.whole != nil }
