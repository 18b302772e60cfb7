package schedule

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/change"
	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/rule/conflict"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/rule/risk"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Risks says how risky each of some changes is by the graph of a snapshot and by what is known at a time, in a number
// of statements that does not depend on how many they are. Nothing of it is stored, so that it is never stale.
func Risks(ctx context.Context, c *ent.Client, s *topology.Snapshot, changes []*ent.Change, now time.Time) (map[ident.ID]risk.Assessment, error) {
	own, ids := make([]conflict.Change, len(changes)), make([]ident.ID, len(changes))
	for i, row := range changes {
		own[i].ID, ids[i] = row.ID, row.ID
	}
	if err := scope(ctx, c, change.IDIn(ids...), own, changes); err != nil {
		return nil, store.Translate(err)
	}
	conflicts, finder, err := find(ctx, c, s, changes, own, now)
	if err != nil {
		return nil, err
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
	restricted, err := sight.Restricted(ctx, c)
	if err != nil {
		return nil, store.Translate(err)
	}
	past, err := pastOf(ctx, c, changes, now)
	if err != nil {
		return nil, store.Translate(err)
	}
	risks := make(map[ident.ID]risk.Assessment, len(changes))
	onFacts := finder.OnFacts()
	for i, row := range changes {
		f, err := outlook(ctx, finder, &own[i], ranks, restricted)
		if err != nil {
			return nil, err
		}
		if isSoon(row, now) {
			if err := beside(ctx, onFacts, s, &own[i], ranks, restricted, &f); err != nil {
				return nil, err
			}
		}
		for _, one := range conflicts[row.ID] {
			with := risk.Conflict{CI: one.OtherCI, Path: one.Path}
			if one.Other.Kind() == ident.Change {
				with.Change = one.Other
			}
			f.Conflicts = append(f.Conflicts, with)
		}
		f.Failures, f.HasBackoutPlan = past.failures(&own[i]), row.BackoutPlan != ""
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

// soon is how far ahead what has failed by now is taken to be so still.
const soon = 24 * time.Hour

// isSoon reports whether a change is being carried out, or is due soon.
func isSoon(c *ent.Change, now time.Time) bool {
	if c.State == domain.ChangeImplement {
		return true
	}
	return contends(c) && c.PlannedStart.Before(now.Add(soon)) && c.PlannedEnd.After(now)
}

// beside adds the services that go DOWN beside what has failed by now, and tells what that is. Of restricted services
// it does not tell the tier.
func beside(
	ctx context.Context, finder *conflict.Finder, s *topology.Snapshot, c *conflict.Change, ranks map[ident.ID]int, restricted map[ident.ID]bool, f *risk.Facts,
) error {
	if len(impact.FactsOf(s).Records) == 0 {
		return nil
	}
	outage, err := finder.OutageOf(ctx, c)
	if err != nil {
		return err
	}
	for _, d := range f.Down {
		delete(outage, d.ID)
	}
	causes := map[ident.ID]bool{}
	for _, id := range outage.Services() {
		one := risk.Service{CI: risk.CI{ID: id}, IsRestricted: restricted[id]}
		if v, ok := s.Index(id); ok && !one.IsRestricted {
			one.Rank = ranks[s.CI(v).Tier]
		}
		f.Down = append(f.Down, one)
		for _, ci := range outage[id] {
			causes[ci] = true
		}
	}
	if err := thinned(ctx, finder, s, c, f); err != nil {
		return err
	}
	f.OnFacts = len(outage)
	f.AtStake = slices.DeleteFunc(f.AtStake, func(one risk.Service) bool { _, ok := outage[one.ID]; return ok })
	f.FailedBy = numbers(Failing(s, causes), c.ID)
	return nil
}

// numbers names records as people do, but for a change itself.
func numbers(records []ident.ID, own ident.ID) (all []string) {
	for _, id := range records {
		switch {
		case id == own:
		case id.Kind() == ident.Change:
			all = append(all, ticket.Number(ticket.ChangePrefix, id))
		default:
			all = append(all, ticket.Number(ticket.IncidentPrefix, id))
		}
	}
	return all
}

// thinned tells which of the groups that lose redundancy have lost some already, and by which records.
func thinned(ctx context.Context, finder *conflict.Finder, s *topology.Snapshot, c *conflict.Change, f *risk.Facts) error {
	all, err := finder.Outlooks(ctx, c)
	if err != nil {
		return err
	}
	var by []ident.ID
	groups, isThinner := all[0].Planned.Thinned()
	for _, g := range groups {
		if !isThinner[g] || !slices.Contains(f.Groups, s.GroupID(g)) {
			continue
		}
		f.Thinner++
		for _, m := range s.Counter(g).Members {
			if m.From != 0 && !all[0].Planned.Without(s.ID(m.From)).IsWell() {
				by = append(by, impact.RecordsOf(s, s.ID(m.From))...)
			}
		}
	}
	slices.Sort(by)
	f.ThinnedBy = numbers(slices.Compact(by), c.ID)
	return nil
}

// outlook asks the engine about a change: on the graph as it is, and beside that on the graph as its operations leave
// it. CIs that do not exist yet do not count. Of restricted services it does not tell the tier.
func outlook(ctx context.Context, finder *conflict.Finder, c *conflict.Change, ranks map[ident.ID]int, restricted map[ident.ID]bool) (f risk.Facts, err error) {
	all, err := finder.Outlooks(ctx, c)
	if err != nil {
		return f, err
	}
	today := all[0].Worst.Snapshot()
	aService := func(c topology.CI) bool { return c.IsService }
	gather := func(from func(conflict.Outlook) []impact.Hit, add func(impact.Hit)) {
		told := map[ident.ID]bool{}
		for _, on := range all {
			for _, h := range from(on) {
				if !told[h.CI] && today.Knows(h.CI) {
					told[h.CI] = true
					add(h)
				}
			}
		}
	}
	service := func(h impact.Hit) risk.Service {
		s := risk.Service{CI: risk.CI{ID: h.CI, Distance: h.Distance}, IsRestricted: restricted[h.CI]}
		if !s.IsRestricted {
			s.Rank = ranks[today.CI(h.Vertex).Tier]
		}
		return s
	}
	isDown := func(ci ident.ID) bool {
		return slices.ContainsFunc(all, func(on conflict.Outlook) bool { return on.Planned.State(ci) == impact.Down })
	}
	gather(func(on conflict.Outlook) []impact.Hit {
		return on.Planned.Affected(impact.Filter{AtLeast: impact.Down, Keep: aService})
	},
		func(h impact.Hit) { f.Down = append(f.Down, service(h)) })
	gather(func(on conflict.Outlook) []impact.Hit { return on.Worst.Affected(impact.Filter{Keep: aService}) }, func(h impact.Hit) {
		if !isDown(h.CI) {
			f.AtStake = append(f.AtStake, service(h))
		}
	})
	strained := map[ident.ID]bool{}
	gather(func(on conflict.Outlook) []impact.Hit {
		return on.Planned.Affected(impact.Filter{AtLeast: impact.AtRisk})
	}, func(h impact.Hit) {
		if h.State == impact.AtRisk && !isDown(h.CI) {
			f.Strained, strained[h.CI] = append(f.Strained, risk.CI{ID: h.CI, Distance: h.Distance}), true
		}
	})
	for _, ci := range finder.Weakened(c) {
		if isDown(ci) {
			continue
		}
		if f.ForGood++; !strained[ci] {
			f.Strained = append(f.Strained, risk.CI{ID: ci})
		}
	}
	f.Groups = finder.WeakenedGroups(c)
	for _, on := range all {
		groups, _ := on.Planned.Thinned()
		for _, g := range groups {
			if id := today.GroupID(g); today.Knows(id) {
				f.Groups = append(f.Groups, id)
			}
		}
	}
	slices.Sort(f.Groups)
	f.Groups = slices.DeleteFunc(slices.Compact(f.Groups), func(g ident.ID) bool {
		group, ok := today.Group(g)
		return !ok || isDown(group.Dependent)
	})
	var harmed []impact.Hit
	gather(func(on conflict.Outlook) []impact.Hit { return on.Worst.Affected(impact.Filter{WithoutRoots: true}) }, func(h impact.Hit) { harmed = append(harmed, h) })
	f.BlastRadius = len(harmed)
	slices.SortFunc(harmed, func(a, b impact.Hit) int { return cmp.Or(cmp.Compare(a.Distance, b.Distance), cmp.Compare(a.CI, b.CI)) })
	for _, h := range harmed[:min(len(harmed), risk.MostNamed)] {
		f.Nearest = append(f.Nearest, risk.CI{ID: h.CI, Distance: h.Distance})
	}
	f.Way = func(of domain.RiskFactor, ci ident.ID) (path []impact.Step) {
		for _, on := range all {
			switch of { //nolint:exhaustive // the others are not about what fails
			case domain.ServicesDown, domain.RedundancyLost:
				path = on.Planned.Path(ci)
			case domain.ServicesAtStake, domain.BlastRadius:
				path = on.Worst.Path(ci)
			}
			if len(path) > 0 {
				break
			}
		}
		return path
	}
	return f, nil
}
