// Package risk decides how risky a change is, and why: a score that is exactly the sum of factors, each explained. It
// does no I/O, and weighs only the Facts it is given.
package risk

import (
	"cmp"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
)

// Facts are the known facts about a change. The order of lists does not matter.
type Facts struct {
	Down        []Service  // services that are DOWN while it is carried out
	OnFacts     int        // how many of those are DOWN only beside what has failed by now
	FailedBy    []string   // what says so, as people call it
	AtStake     []Service  // other services that would be DEGRADED or DOWN if all that it touches failed
	Strained    []CI       // CIs that lose redundancy while it is carried out, or by its operations
	ForGood     int        // how many of those lose it by its operations: they do not get it back afterwards
	Groups      []ident.ID // the groups that lose it, in order
	Thinner     int        // how many of those have lost some already by what has failed by now
	ThinnedBy   []string   // what says so, as people call it
	BlastRadius int        // how many CIs would be DEGRADED or DOWN if all that it touches failed, without those it touches
	Nearest     []CI       // some of those
	Conflicts   []Conflict
	Failures    []Failure // recent changes of the same CIs that went wrong
	Team        Record    // the recent changes of its team
	// Lead is the time from drafting to the planned start; nil if no start is planned.
	Lead           *time.Duration
	HasBackoutPlan bool
	// Way returns how failure gets to a CI that a factor names. It is called for the first few; nil if no ways are
	// known.
	Way func(of domain.RiskFactor, ci ident.ID) []impact.Step
}

// CI is a CI that the change could harm, so many hops away.
type CI struct {
	ID       ident.ID
	Distance int
}

// Service is a CI that is a service. Rank is that of its tier, 1 the highest, or 0 if it has none. One that is
// restricted counts as one of the highest tier, whatever its own: the risk is for everyone, and must not tell it.
type Service struct {
	CI
	Rank         int
	IsRestricted bool
}

// rank returns what the service counts as.
func (s Service) rank() int {
	if s.IsRestricted {
		return 1
	}
	return s.Rank
}

// Conflict is a conflict of the change, on a CI or on none.
type Conflict struct {
	CI     ident.ID
	Path   []impact.Step
	Change ident.ID // the other change; 0 for a window
}

// Failure is an earlier change of a CI that went wrong.
type Failure struct{ Change, CI ident.ID }

// Record is how many changes were closed, and how many of them had gone wrong.
type Record struct{ Closed, Failed int }

// Assessment is how risky a change is. Score is the sum of the points of Factors, 0 to 100.
type Assessment struct {
	Score   int
	Level   domain.RiskLevel
	Factors []Factor // those with points, the highest first
}

// Factor is one reason for the score.
type Factor struct {
	Kind     domain.RiskFactor
	Points   int             // at least 1
	Most     int             // the bound of its points
	Sentence string          // the reason, without the names of CIs
	CIs      []ident.ID      // the first MostNamed
	CICount  int             // how many CIs it is about
	Groups   []ident.ID      // the first MostNamed groups that lose redundancy
	Paths    [][]impact.Step // how failure gets to some of CIs, in their order
	Changes  []ident.ID      // earlier ones that went wrong, or the conflicting ones
}

// MostNamed is how many CIs a factor names, MostPaths how many paths it shows.
const (
	MostNamed = 100
	MostPaths = 3
)

// Of returns the assessment of facts. The weights must be valid: see Weights.Check.
func Of(f Facts, w Weights) Assessment {
	var a Assessment
	for _, weigh := range weighers {
		factor, weight := weigh.by(f, w[weigh.kind].Each), w[weigh.kind]
		if weigh.kind == domain.ShortLeadTime {
			factor.Points = weight.late(f.Lead)
		}
		if weigh.kind == domain.NoBackoutPlan && !f.HasBackoutPlan {
			factor.Points = weight.Most
		}
		factor.Kind, factor.Most, factor.Points = weigh.kind, weight.Most, min(factor.Points, weight.Most)
		if factor.Points > 0 {
			factor.shorten(f.Way)
			a.Factors = append(a.Factors, factor)
			a.Score += factor.Points
		}
	}
	slices.SortStableFunc(a.Factors, func(a, b Factor) int { return cmp.Compare(b.Points, a.Points) })
	a.Level = LevelOf(a.Score)
	return a
}

// LevelOf returns the level of a score.
func LevelOf(score int) domain.RiskLevel {
	switch {
	case score < 25:
		return domain.RiskLow
	case score < 50:
		return domain.RiskModerate
	case score < 75:
		return domain.RiskHigh
	}
	return domain.RiskVeryHigh
}
