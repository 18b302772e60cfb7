// Package risk says how risky a change is, and why: a score that is exactly the sum of factors, each explained. It does no
// I/O, and it does not find out what it weighs: Facts do.
package risk

import (
	"cmp"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
)

// Facts are what is known about a change. The order of lists is of no account.
type Facts struct {
	Down        []Service // services that are DOWN while it is carried out
	AtStake     []Service // services beside those that would be DEGRADED or DOWN if all that it touches failed
	Strained    []CI      // CIs that lose redundancy while it is carried out, or by what it does to the graph
	ForGood     int       // how many of those lose it by what it does to the graph: they do not get it back afterwards
	BlastRadius int       // how many CIs would be DEGRADED or DOWN if all that it touches failed; those it touches are none
	Nearest     []CI      // some of those
	Conflicts   []Conflict
	Failures    []Failure // changes of the same CIs that went wrong of late
	Team        Record    // what became of late of the changes of its team
	// Lead is the time from drafting to the planned start; nil: it says no start.
	Lead           *time.Duration
	HasBackoutPlan bool
	// Way gives how failure gets to a CI that a factor names. It is asked for the first few; nil: nothing is known.
	Way func(of domain.RiskFactor, ci ident.ID) []impact.Step
}

// CI is a CI that the change could harm, so many hops away.
type CI struct {
	ID       ident.ID
	Distance int
}

// Service is a CI that is a service. Rank is that of its tier, 1 the highest; 0: it has none.
type Service struct {
	CI
	Rank int
}

// Conflict is something in the change's way, on a CI or none.
type Conflict struct {
	CI     ident.ID
	Path   []impact.Step
	Change ident.ID // the other change; 0: a window
}

// Failure is an earlier change of a CI that went wrong.
type Failure struct{ Change, CI ident.ID }

// Record is how many changes were closed, and how many of them had gone wrong.
type Record struct{ Closed, Failed int }

// Assessment is how risky a change is. Score is the sum of the points of Factors, 0 to 100.
type Assessment struct {
	Score   int
	Level   domain.RiskLevel
	Factors []Factor // that give points, those that give most first
}

// Factor is one reason for the score.
type Factor struct {
	Kind     domain.RiskFactor
	Points   int             // at least 1
	Most     int             // what it can give
	Sentence string          // why, naming no CI
	CIs      []ident.ID      // the first MostNamed
	CICount  int             // how many CIs it is about
	Paths    [][]impact.Step // how failure gets to some of CIs, the first of them first
	Changes  []ident.ID      // earlier ones that went wrong, or those in its way
}

// MostNamed is how many CIs a factor names, MostPaths how many paths it shows.
const (
	MostNamed = 100
	MostPaths = 3
)

// Of weighs facts. The weights are valid: see Weights.Check.
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

// LevelOf is the level of a score.
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
