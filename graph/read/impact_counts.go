package read

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// ImpactCounts is how many CIs are affected, by several measures.
type ImpactCounts struct {
	AffectedCount, DownCount, DegradedCount, AtRiskCount, ServiceCount, FilteredOutCount, RestrictedCount int

	i      *Impact
	counts impact.Counts
}

// Counts counts the affected: what is shown by class, tier and environment, what may not be seen in number alone.
func (i *Impact) Counts() *ImpactCounts {
	c := i.shown()
	counts := &ImpactCounts{
		AffectedCount: c.Total, DownCount: c.ByState[impact.Down], DegradedCount: c.ByState[impact.Degraded],
		AtRiskCount: c.ByState[impact.AtRisk], ServiceCount: c.Services, i: i, counts: c,
	}
	if len(i.hidden) > 0 {
		unseen := i.answer().Counts(impact.Filter{WithoutRoots: true, Keep: func(c topology.CI) bool { return i.hidden[c.ID] }})
		counts.RestrictedCount = unseen.Total
		counts.AffectedCount += unseen.Total
		counts.DownCount += unseen.ByState[impact.Down]
		counts.DegradedCount += unseen.ByState[impact.Degraded]
		counts.AtRiskCount += unseen.ByState[impact.AtRisk]
		counts.ServiceCount += unseen.Services
	}
	if i.keep != nil {
		counts.FilteredOutCount = i.answer().Counts(impact.Filter{WithoutRoots: true}).Total - counts.AffectedCount
	}
	return counts
}

// leftOut names what is left out of an impact.
type leftOut struct{ of *Impact }

// LeftOutCount returns how many of what is shown or may not be seen the failures would take DOWN or degrade if it were
// not DOWN already.
func (c *ImpactCounts) LeftOutCount(ctx context.Context) (int, error) {
	return once(c.i.in, leftOut{c.i}, func() (int, error) {
		return c.i.answer().DownAlready(ctx, func(one topology.CI) bool { return c.i.hidden[one.ID] || c.i.shows(one) })
	})
}

// shown counts what the answer shows.
func (i *Impact) shown() impact.Counts {
	return i.answer().Counts(impact.Filter{WithoutRoots: true, Keep: i.shows})
}

// shows reports whether a CI is one that the answer may show.
func (i *Impact) shows(c topology.CI) bool {
	return !i.hidden[c.ID] && (i.keep == nil || i.keep(c))
}

// ClassCount is how many CIs of a class.
type ClassCount struct {
	Class *CIClass
	Count int
}

// ByClass counts by class, the largest first.
func (c *ImpactCounts) ByClass(ctx context.Context) ([]*ClassCount, error) {
	found, err := counted(ctx, c.i, "class", func(c impact.Counts) map[ident.ID]int { return c.ByClass }, loadClasses)
	if err != nil {
		return nil, err
	}
	all := []*ClassCount{}
	for id, n := range c.counts.ByClass {
		if found[id] != nil {
			all = append(all, &ClassCount{found[id], n})
		}
	}
	slices.SortFunc(all, func(a, b *ClassCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Class.Code, b.Class.Code))
	})
	return all, nil
}

// TierCount is how many services of a tier.
type TierCount struct {
	Tier  *ServiceTier
	Count int
}

// ByTier counts affected services by tier, the most important first.
func (c *ImpactCounts) ByTier(ctx context.Context) ([]*TierCount, error) {
	found, err := counted(ctx, c.i, "tier", func(c impact.Counts) map[ident.ID]int { return c.ByTier }, loadTiers)
	if err != nil {
		return nil, err
	}
	all := []*TierCount{}
	for id, n := range c.counts.ByTier {
		if found[id] != nil {
			all = append(all, &TierCount{found[id], n})
		}
	}
	slices.SortFunc(all, func(a, b *TierCount) int { return cmp.Compare(a.Tier.Rank, b.Tier.Rank) })
	tiered := 0
	for _, t := range all {
		tiered += t.Count
	}
	if rest := c.counts.Services - tiered; rest > 0 {
		all = append(all, &TierCount{nil, rest})
	}
	return all, nil
}

// EnvironmentCount is how many CIs of an environment.
type EnvironmentCount struct {
	Environment domain.Environment
	Count       int
}

// ByEnvironment counts by environment.
func (c *ImpactCounts) ByEnvironment() []*EnvironmentCount {
	all := []*EnvironmentCount{}
	for environment, n := range c.counts.ByEnvironment {
		all = append(all, &EnvironmentCount{domain.Environment(environment.String()), n})
	}
	slices.SortFunc(all, func(a, b *EnvironmentCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Environment, b.Environment))
	})
	return all
}

// counted loads what the batch's answers count by.
func counted[V any](ctx context.Context, i *Impact, by string, of func(impact.Counts) map[ident.ID]int, load func(context.Context, *Reader, []ident.ID) (map[ident.ID]V, error)) (map[ident.ID]V, error) {
	return once(i.in, "counted by "+by, func() (map[ident.ID]V, error) {
		all := map[ident.ID]bool{}
		for _, row := range i.answered() {
			for id := range of(row.shown()) {
				all[id] = true
			}
		}
		if len(all) == 0 {
			return nil, nil
		}
		return load(ctx, i.in.reader, slices.Collect(maps.Keys(all)))
	})
}
