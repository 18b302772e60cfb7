package schedule

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/change"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/conflict"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/rule/risk"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Risks says how risky each of some changes is by the graph of a snapshot and by what is known at a time, in a number of
// statements that does not depend on how many they are. Nothing of it is stored, so that it is never stale.
func Risks(ctx context.Context, c *ent.Client, s *topology.Snapshot, changes []*ent.Change, now time.Time) (map[ident.ID]risk.Assessment, error) {
	finder := conflict.NewFinder(s)
	conflicts, err := find(ctx, c, s, finder, changes)
	if err != nil {
		return nil, err
	}
	own, ids := make(map[ident.ID]*conflict.Change, len(changes)), make([]ident.ID, len(changes))
	for i, row := range changes {
		own[row.ID], ids[i] = &conflict.Change{ID: row.ID}, row.ID
	}
	if err := scope(ctx, c, change.IDIn(ids...), own); err != nil {
		return nil, store.Translate(err)
	}
	weights, err := Weights(ctx, c)
	if err != nil {
		return nil, store.Translate(err)
	}
	tiers, err := c.ServiceTier.Query().All(ctx)
	if err != nil {
		return nil, store.Translate(err)
	}
	ranks := make(map[ident.ID]int, len(tiers))
	for _, t := range tiers {
		ranks[t.ID] = t.Rank
	}
	past, err := pastOf(ctx, c, changes, now)
	if err != nil {
		return nil, store.Translate(err)
	}
	risks := make(map[ident.ID]risk.Assessment, len(changes))
	for _, row := range changes {
		f, err := outlook(ctx, finder, own[row.ID], ranks)
		if err != nil {
			return nil, err
		}
		for _, one := range conflicts[row.ID] {
			with := risk.Conflict{CI: one.OtherCI, Path: one.Path}
			if one.Other.Kind() == ident.Change {
				with.Change = one.Other
			}
			f.Conflicts = append(f.Conflicts, with)
		}
		f.Failures, f.HasBackoutPlan = past.failures(own[row.ID]), row.BackoutPlan != ""
		if row.AssignmentTeamID != nil {
			f.Team = past.ofTeam(row, now)
		}
		if row.PlannedStart != nil {
			lead := row.PlannedStart.Sub(row.CreatedAt)
			f.Lead = &lead
		}
		risks[row.ID] = risk.Of(f, weights)
	}
	return risks, nil
}

// outlook is what the engine says about a change.
func outlook(ctx context.Context, finder *conflict.Finder, c *conflict.Change, ranks map[ident.ID]int) (f risk.Facts, err error) {
	worst, planned, err := finder.Outlook(ctx, c)
	if err != nil {
		return f, err
	}
	rank := func(a *impact.Answer, h impact.Hit) risk.Service {
		return risk.Service{CI: risk.CI{ID: h.CI, Distance: h.Distance}, Rank: ranks[a.Snapshot().CI(h.Vertex).Tier]}
	}
	aService := func(c topology.CI) bool { return c.IsService }
	for _, h := range planned.Affected(impact.Filter{AtLeast: impact.Down, Keep: aService}) {
		f.Down = append(f.Down, rank(planned, h))
	}
	for _, h := range worst.Affected(impact.Filter{Keep: aService}) {
		if planned.State(h.CI) != impact.Down {
			f.AtStake = append(f.AtStake, rank(worst, h))
		}
	}
	for _, h := range planned.Affected(impact.Filter{AtLeast: impact.AtRisk}) {
		if h.State == impact.AtRisk {
			f.Strained = append(f.Strained, risk.CI{ID: h.CI, Distance: h.Distance})
		}
	}
	harmed := worst.Affected(impact.Filter{WithoutRoots: true})
	f.BlastRadius = len(harmed)
	slices.SortFunc(harmed, func(a, b impact.Hit) int { return cmp.Or(cmp.Compare(a.Distance, b.Distance), cmp.Compare(a.CI, b.CI)) })
	for _, h := range harmed[:min(len(harmed), risk.MostNamed)] {
		f.Nearest = append(f.Nearest, risk.CI{ID: h.CI, Distance: h.Distance})
	}
	f.Way = func(of domain.RiskFactor, ci ident.ID) []impact.Step {
		switch of { //nolint:exhaustive // the others are not about what fails
		case domain.ServicesDown, domain.RedundancyLost:
			return planned.Path(ci)
		case domain.ServicesAtStake, domain.BlastRadius:
			return worst.Path(ci)
		}
		return nil
	}
	return f, nil
}
