package incident

import (
	"cmp"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
)

// Difference is a service that fared otherwise at resolution than at opening; "" is a state in which it was not
// affected.
type Difference struct {
	CI            ident.ID
	Name          string // at resolution, where it was affected then
	Before, After string
}

// Differences returns the services that two snapshots show in other states, the worst at resolution first, then the
// worst at opening, then by CI. It sets isPartial if a snapshot knew of more services than it keeps: they may differ
// too.
func Differences(opening, resolution *domain.ImpactSnapshot) (all []Difference, isPartial bool) {
	found := map[ident.ID]Difference{}
	for _, s := range opening.Services {
		found[s.CI] = Difference{CI: s.CI, Name: s.Name, Before: s.State}
	}
	for _, s := range resolution.Services {
		found[s.CI] = Difference{CI: s.CI, Name: s.Name, Before: found[s.CI].Before, After: s.State}
	}
	for _, d := range found {
		if d.Before != d.After {
			all = append(all, d)
		}
	}
	slices.SortFunc(all, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(badness(b.After), badness(a.After)), cmp.Compare(badness(b.Before), badness(a.Before)), cmp.Compare(a.CI, b.CI))
	})
	return all, opening.IsCut() || resolution.IsCut()
}

func badness(state string) impact.State {
	s, _ := impact.ParseState(state)
	return s
}
