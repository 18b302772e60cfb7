package impact

import (
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Estate returns the operational state of the whole estate (docs/impact.md, "The state of the estate"): what follows
// from the facts and from what is broken by itself. It is worked out once for each snapshot.
func Estate(s *topology.Snapshot) *Answer {
	if a := world(s, true, false); a != nil {
		return a
	}
	return s.Memo(estateKey{}, func() any { return &Answer{Revision: s.Revision(), snapshot: s} }).(*Answer)
}

// estateKey names the answer about an estate in which everything is OPERATIONAL.
type estateKey struct{}

// IsMaintained reports whether a change works on a CI that is being carried out.
func IsMaintained(s *topology.Snapshot, ci ident.ID) bool {
	_, ok := slices.BinarySearch(Maintained(s), ci.As(ident.CI))
	return ok
}

// Maintained lists the CIs on which changes work that are being carried out.
func Maintained(s *topology.Snapshot) []ident.ID { return FactsOf(s).Maintained }

// StateOf returns the operational state of a CI, as Estate says it, in one look-up: states are carried on from the
// snapshot before.
func StateOf(s *topology.Snapshot, ci ident.ID) State {
	v, ok := s.Index(ci)
	if !ok {
		return Operational
	}
	return estateFares(s).at(v).state()
}

type worldKey struct{ onFacts, withoutBrink bool }

// world returns how the estate fares before a question: by what is broken by itself, and if asked by the facts; nil if
// everything stands. It is worked out once for each snapshot, and once more for questions that leave the brink out.
func world(s *topology.Snapshot, onFacts, withoutBrink bool) *Answer {
	onFacts = onFacts && len(FactsOf(s).Records) > 0
	if !onFacts && !s.HasUnmet() {
		return nil
	}
	return s.Memo(worldKey{onFacts, withoutBrink}, func() any {
		a, err := solve(noHurry, s, Question{OnFacts: onFacts, WithoutBrink: withoutBrink}, nil)
		if err != nil {
			panic(err) // it names no CI, and nobody cancels
		}
		return a
	}).(*Answer)
}
