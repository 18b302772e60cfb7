package risk

import (
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// Weight is the weight of a factor. Each is the points for one: for one service of the highest tier (half of it for the
// next tier, and so on), for one CI, conflict or failed change, for each doubling of the blast radius, and for each
// tenth of a team's changes that went wrong. For SHORT_LEAD_TIME it is the hours that are enough; for NO_BACKOUT_PLAN
// it has no meaning.
type Weight struct {
	Most int // the most points of the factor; 0: it does not count
	Each int
}

// Weights are the weights of all factors.
type Weights map[domain.RiskFactor]Weight

// Defaults returns the weights of a new database.
func Defaults() Weights {
	return Weights{
		domain.ServicesDown:    {25, 12},
		domain.ServicesAtStake: {10, 4},
		domain.RedundancyLost:  {10, 5},
		domain.BlastRadius:     {15, 2},
		domain.InConflict:      {10, 4},
		domain.FailedBefore:    {10, 5},
		domain.TeamRecord:      {5, 1},
		domain.ShortLeadTime:   {5, 48},
		domain.NoBackoutPlan:   {10, 1},
	}
}

// Full is the highest score.
const Full = 100

// MostEach bounds Each.
const MostEach = 1000

// Check refuses weights with which factors would not add up to the score: their Most must add up to at most Full.
func (w Weights) Check() error {
	sum := 0
	for _, kind := range domain.RiskFactor("").Values() {
		weight := w[domain.RiskFactor(kind)]
		if weight.Most < 0 || weight.Most > Full {
			return errs.New(errs.Invalid, "%s may give %d points: 0 to %d are possible", kind, weight.Most, Full).At("weights", kind, "most")
		}
		if weight.Each < 1 || weight.Each > MostEach {
			return errs.New(errs.Invalid, "%s counts %d for each: 1 to %d are possible", kind, weight.Each, MostEach).At("weights", kind, "each")
		}
		sum += weight.Most
	}
	if sum > Full {
		return errs.New(errs.Invalid, "all factors together may give %d points: the score goes to %d, so take away %d", sum, Full, sum-Full).At("weights")
	}
	return nil
}

// late returns the points for a lead time: all for none, none for enough, by the started minute between.
func (w Weight) late(lead *time.Duration) int {
	if lead == nil {
		return w.Most
	}
	enough := w.Each * 60
	missing := enough - int(min(max(*lead, 0), time.Duration(enough)*time.Minute)/time.Minute)
	return (w.Most*missing + enough - 1) / enough
}
