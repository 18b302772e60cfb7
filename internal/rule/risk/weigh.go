package risk

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
)

// weighers hold the function of each factor, which returns its points before they are cut at Most. Those of
// SHORT_LEAD_TIME and NO_BACKOUT_PLAN depend on Most.
var weighers = []struct {
	kind domain.RiskFactor
	by   func(f Facts, each int) Factor
}{
	{domain.ServicesDown, func(f Facts, each int) Factor {
		down := services(f.Down, each, "%s while it is carried out", "is DOWN", "are DOWN")
		if f.OnFacts > 0 && len(f.FailedBy) > 0 {
			down.Sentence = fmt.Sprintf("%s; %d of them since redundancy is lost already, by %s.",
				strings.TrimSuffix(down.Sentence, "."), f.OnFacts, strings.Join(f.FailedBy, ", "))
		}
		return down
	}},
	{domain.ServicesAtStake, func(f Facts, each int) Factor {
		return services(f.AtStake, each, "%s if all that it touches fails", "suffers", "suffer")
	}},
	{domain.RedundancyLost, func(f Facts, each int) Factor {
		sentence := count(len(f.Strained), "CI lives", "CIs live") + " on what is left of a group while it is carried out"
		switch f.ForGood {
		case 0:
		case len(f.Strained):
			sentence += " and from then on"
		default:
			sentence += fmt.Sprintf(", %d of them from then on", f.ForGood)
		}
		if len(f.Groups) > len(f.Strained) {
			sentence += fmt.Sprintf(", by %d groups in all", len(f.Groups))
		}
		if f.Thinner > 0 && len(f.ThinnedBy) > 0 {
			sentence += fmt.Sprintf("; %s some already, by %s", count(f.Thinner, "of the groups has lost", "of the groups have lost"), strings.Join(f.ThinnedBy, ", "))
		}
		lost := harmed(f.Strained, len(f.Strained), each*max(len(f.Strained), len(f.Groups)), sentence+".")
		lost.Groups = f.Groups[:min(len(f.Groups), MostNamed)]
		return lost
	}},
	{domain.BlastRadius, func(f Facts, each int) Factor {
		return harmed(f.Nearest, f.BlastRadius, each*bits.Len(uint(max(0, f.BlastRadius))), fmt.Sprintf("%s DEGRADED or DOWN if all that it touches fails.",
			count(f.BlastRadius, "CI is", "CIs are")))
	}},
	{domain.InConflict, conflicts},
	{domain.FailedBefore, failures},
	{domain.TeamRecord, func(f Facts, each int) Factor {
		if f.Team.Failed == 0 {
			return Factor{}
		}
		return Factor{
			Points:   each * ((f.Team.Failed*10 + f.Team.Closed - 1) / f.Team.Closed),
			Sentence: fmt.Sprintf("%d of the %s of its team went wrong in the year before.", f.Team.Failed, count(f.Team.Closed, "change", "changes")),
		}
	}},
	{domain.ShortLeadTime, func(f Facts, each int) Factor {
		if f.Lead == nil {
			return Factor{Sentence: "It does not say when it starts."}
		}
		return Factor{Sentence: fmt.Sprintf("It starts less than %s after it was drafted.", count(each, "hour", "hours"))}
	}},
	{domain.NoBackoutPlan, func(Facts, int) Factor { return Factor{Sentence: "It has no backout plan."} }},
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}

// worth returns the points of a service by its tier's rank.
func worth(rank, each int) int {
	if rank == 0 {
		rank = 4
	}
	return max(1, each>>min(rank-1, 3))
}

// services weighs services by tier. The services with most points come first.
func services(all []Service, each int, sentence, one, many string) (f Factor) {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b Service) int {
		return cmp.Or(cmp.Compare(worth(b.rank(), each), worth(a.rank(), each)), cmp.Compare(a.ID, b.ID))
	})
	highest, restricted := 0, 0
	for _, s := range all {
		f.Points += worth(s.rank(), each)
		f.add(s.ID)
		switch {
		case s.IsRestricted:
			restricted++
		case s.Rank == 1:
			highest++
		}
	}
	f.Sentence = fmt.Sprintf(sentence, count(len(all), "service "+one, "services "+many))
	if highest > 0 {
		f.Sentence += fmt.Sprintf(", %d of the highest tier", highest)
	}
	if restricted > 0 {
		f.Sentence += fmt.Sprintf(", %d restricted and weighed as such", restricted)
	}
	f.Sentence += "."
	return f
}

// harmed weighs CIs; the nearest come first.
func harmed(all []CI, n, points int, sentence string) Factor {
	f := Factor{Points: points, Sentence: sentence, CICount: n}
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b CI) int { return cmp.Or(cmp.Compare(a.Distance, b.Distance), cmp.Compare(a.ID, b.ID)) })
	for _, c := range all {
		f.add(c.ID)
	}
	return f
}

func conflicts(facts Facts, each int) (f Factor) {
	all := slices.Clone(facts.Conflicts)
	slices.SortFunc(all, func(a, b Conflict) int { return cmp.Or(cmp.Compare(a.CI, b.CI), cmp.Compare(a.Change, b.Change)) })
	f.Points = each * len(all)
	f.Sentence = count(len(all), "conflict is", "conflicts are") + " in its way."
	for _, c := range all {
		f.add(c.CI)
		f.name(c.Change)
		if len(c.Path) > 0 {
			f.Paths = append(f.Paths, c.Path)
		}
	}
	slices.Sort(f.Changes)
	return f
}

func failures(facts Facts, each int) (f Factor) {
	all := slices.Clone(facts.Failures)
	slices.SortFunc(all, func(a, b Failure) int { return cmp.Or(cmp.Compare(a.CI, b.CI), cmp.Compare(b.Change, a.Change)) })
	for _, one := range all {
		f.add(one.CI)
		f.name(one.Change)
	}
	slices.Sort(f.Changes)
	f.Points = each * len(f.Changes)
	f.Sentence = count(len(f.Changes), "change", "changes") + " of the same CIs went wrong in the year before."
	return f
}

// add adds a CI, once. Lists that hold one twice hold it in a row.
func (f *Factor) add(ci ident.ID) {
	if ci == 0 || len(f.CIs) > 0 && f.CIs[len(f.CIs)-1] == ci {
		return
	}
	f.CIs = append(f.CIs, ci)
}

// shorten cuts the factor to what is shown, and adds the paths.
func (f *Factor) shorten(way func(domain.RiskFactor, ident.ID) []impact.Step) {
	f.CICount = max(f.CICount, len(f.CIs))
	f.CIs = f.CIs[:min(len(f.CIs), MostNamed)]
	for _, ci := range f.CIs {
		if way == nil || len(f.Paths) >= MostPaths {
			break
		}
		if path := way(f.Kind, ci); len(path) > 0 {
			f.Paths = append(f.Paths, path)
		}
	}
	f.Paths = f.Paths[:min(len(f.Paths), MostPaths)]
}

func (f *Factor) name(change ident.ID) {
	if change != 0 && !slices.Contains(f.Changes, change) {
		f.Changes = append(f.Changes, change)
	}
}
