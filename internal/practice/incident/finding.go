package incident

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/ent/incidentci"
	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/rule/priority"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// mostServices is how many services a snapshot keeps.
const mostServices = 100

// finding is what the engine makes of the CIs that an incident names.
type finding struct {
	snapshot   *domain.ImpactSnapshot
	suggestion priority.Suggestion
	atRisk     int // services
	answer     *impact.Answer
}

// Question asks the engine what follows from the CIs that an incident names: its ROOT CIs are DOWN, its EXCLUDED ones
// stay well. CIs that the snapshot does not have, or has as retired, are left out.
func Question(s *topology.Snapshot, named []CI) impact.Question {
	var q impact.Question
	for _, c := range named {
		v, ok := s.Index(c.ID)
		if !ok || !s.InService(v) {
			continue
		}
		switch c.Role { //nolint:exhaustive // AFFECTED is what people saw, not what the engine asks
		case domain.RootRole:
			q.Failed = append(q.Failed, impact.Failure{CI: c.ID, State: impact.Down})
		case domain.ExcludedRole:
			q.Excluded = append(q.Excluded, c.ID)
		}
	}
	return q
}

// Suggested returns the impact level that the graph suggests for each incident, in at most three statements whatever
// their number.
func (p *Practice) Suggested(ctx context.Context, s *topology.Snapshot, incidents ...ident.ID) (map[ident.ID]priority.Suggestion, error) {
	named, err := namedBy(ctx, p.store.Read, incidents)
	if err != nil {
		return nil, store.Translate(err)
	}
	lists := make([][]CI, len(incidents))
	for i, id := range incidents {
		lists[i] = named[id]
	}
	findings, err := findAll(ctx, p.store.Read, s, incidents, lists, false)
	if err != nil {
		return nil, store.Translate(err)
	}
	suggested := make(map[ident.ID]priority.Suggestion, len(incidents))
	for i, id := range incidents {
		suggested[id] = findings[i].suggestion
	}
	return suggested, nil
}

// find returns the finding for one incident as the transaction sees it, on the newest graph.
func (p *Practice) find(ctx context.Context, tx *store.Tx, id ident.ID) (finding, error) {
	named, err := namedBy(ctx, tx.Client(), []ident.ID{id})
	if err != nil {
		return finding{}, err
	}
	return p.findFor(ctx, tx, id, named[id])
}

// findFor returns the finding for an open incident that names these CIs; without id, for one that is about to be
// opened.
func (p *Practice) findFor(ctx context.Context, tx *store.Tx, id ident.ID, named []CI) (finding, error) {
	findings, err := findAll(ctx, tx.Client(), p.graph.Snapshot(), []ident.ID{id}, [][]CI{named}, true)
	if err != nil {
		return finding{}, err
	}
	return findings[0], nil
}

func namedBy(ctx context.Context, c *ent.Client, incidents []ident.ID) (map[ident.ID][]CI, error) {
	rows, err := c.IncidentCI.Query().
		Where(incidentci.IncidentIDIn(incidents...)).
		Order(ent.Asc(incidentci.FieldID)).All(ctx)
	if err != nil {
		return nil, err
	}
	named := make(map[ident.ID][]CI, len(incidents))
	for _, row := range rows {
		named[row.IncidentID] = append(named[row.IncidentID], CI{ID: row.CiID, Role: row.Role})
	}
	return named, nil
}

// affected is a service that the engine found affected.
type affected struct {
	impact.Hit
	rank         int // of its tier; 1 if it is restricted, whatever its tier
	isRestricted bool
	seen         priority.Seen
}

// gravest puts what is worse first: by state, by tier, by distance.
func gravest(a, b affected) int {
	return cmp.Or(
		cmp.Compare(b.State, a.State),
		cmp.Compare(uint(a.rank-1), uint(b.rank-1)), //nolint:gosec // no rank (0) is meant to come last
		cmp.Compare(a.Distance, b.Distance),
		cmp.Compare(a.CI, b.CI),
	)
}

// impactOf asks the engine about an incident: if it is open for its impact as a record, otherwise what its ROOT CIs
// would break in an estate in which nothing else has failed.
func impactOf(ctx context.Context, s *topology.Snapshot, id ident.ID, named []CI, isOpen bool) (*impact.Answer, error) {
	if !isOpen {
		if answer, ok := impact.OfRecord(s, id); ok {
			return answer, nil
		}
		q := Question(s, named)
		q.WithoutBrink = true
		return impact.Of(ctx, s, q)
	}
	marks, _ := marksOf(id, named)
	return impact.OfIncident(s, marks)
}

// marksOf returns what an incident that names CIs marks on the graph, and those that it was seen to affect.
func marksOf(id ident.ID, named []CI) (marks topology.Incident, seen []ident.ID) {
	if marks.ID = id; id == 0 {
		marks.ID = impact.Unopened
	}
	for _, c := range named {
		switch c.Role {
		case domain.RootRole:
			marks.Root = append(marks.Root, c.ID)
		case domain.ExcludedRole:
			marks.Excluded = append(marks.Excluded, c.ID)
		case domain.AffectedRole:
			seen = append(seen, c.ID)
		}
	}
	return marks, seen
}

// ifDown returns the services that would be DOWN if the CIs were that an incident was seen to affect, themselves
// included.
func ifDown(s *topology.Snapshot, id ident.ID, named []CI, isOpen bool) ([]impact.Hit, error) {
	marks, seen := marksOf(id, named)
	if len(seen) == 0 {
		return nil, nil
	}
	if !isOpen {
		marks = topology.Incident{} // the snapshot has them if they count
	}
	answer, err := impact.OfReported(s, marks, seen)
	if err != nil {
		return nil, err
	}
	return answer.Affected(impact.Filter{AtLeast: impact.Down, Keep: aService}), nil
}

func aService(c topology.CI) bool { return c.IsService }

// findAll asks the engine about incidents and the CIs that they name; those that are open count as such whatever the
// graph knows of them.
func findAll(ctx context.Context, c *ent.Client, s *topology.Snapshot, ids []ident.ID, lists [][]CI, areOpen bool) ([]finding, error) {
	findings := make([]finding, len(lists))
	services, supposed := make([][]affected, len(lists)), make([][]affected, len(lists))
	var ranks map[ident.ID]int
	var restricted map[ident.ID]bool
	names := map[ident.ID]string{}
	for i, named := range lists {
		answer, err := impactOf(ctx, s, ids[i], named, areOpen)
		if err != nil {
			return nil, err
		}
		findings[i].answer = answer
		hits := answer.Affected(impact.Filter{AtLeast: impact.AtRisk, Keep: aService})
		reported, err := ifDown(s, ids[i], named, areOpen)
		if err != nil {
			return nil, err
		}
		if len(hits)+len(reported) > 0 && ranks == nil {
			if ranks, err = ranksOfTiers(ctx, c); err != nil {
				return nil, err
			}
			if restricted, err = sight.Restricted(ctx, c); err != nil {
				return nil, err
			}
		}
		weigh := func(h impact.Hit, seen priority.Seen) affected {
			one := affected{h, ranks[s.CI(h.Vertex).Tier], restricted[h.CI], seen}
			if one.isRestricted {
				one.rank = 1
			}
			return one
		}
		isDown := map[ident.ID]bool{}
		for _, h := range hits {
			if h.State == impact.AtRisk {
				findings[i].atRisk++
				continue
			}
			isDown[h.CI] = h.State == impact.Down
			services[i] = append(services[i], weigh(h, priority.Found))
		}
		for _, h := range reported {
			switch {
			case isDown[h.CI]:
			case h.IsRoot:
				supposed[i] = append(supposed[i], weigh(h, priority.Reported))
			default:
				supposed[i] = append(supposed[i], weigh(h, priority.Follows))
			}
		}
		slices.SortFunc(services[i], gravest)
		slices.SortFunc(supposed[i], gravest)
		for _, a := range supposed[i][:min(len(supposed[i]), mostServices)] {
			names[a.CI] = a.CI.String()
		}
		for _, a := range services[i][:min(len(services[i]), mostServices)] {
			names[a.CI] = a.CI.String()
		}
		findings[i].snapshot = &domain.ImpactSnapshot{Revision: s.Revision(), Affected: answer.Counts(impact.Filter{WithoutRoots: true}).Total}
	}
	if err := nameAll(ctx, c, names); err != nil {
		return nil, err
	}
	hidden, err := sight.Within(ctx, c)
	if err != nil {
		return nil, err
	}
	for i := range findings {
		findings[i].conclude(services[i], supposed[i], names, hidden)
	}
	return findings, nil
}

// conclude keeps what was found, and suggests a level by that and by what was reported, without a word of what the
// actor may not see.
func (f *finding) conclude(services, supposed []affected, names map[ident.ID]string, hidden map[ident.ID]bool) {
	f.snapshot.ServiceCount = len(services)
	f.snapshot.Services = make([]domain.ImpactedRecord, 0, min(len(services), mostServices))
	for _, a := range services[:min(len(services), mostServices)] {
		f.snapshot.Services = append(f.snapshot.Services, domain.ImpactedRecord{CI: a.CI, Name: names[a.CI], State: a.State.String()})
	}
	var weighed []priority.Service
	isDown := map[ident.ID]bool{} // and counts as that, not as what it was found to be
	for _, a := range supposed {
		isDown[a.CI] = true
	}
	for _, list := range [][]affected{services, supposed} {
		for i, a := range list {
			if a.seen == priority.Found && isDown[a.CI] {
				continue
			}
			one := priority.Service{Rank: a.rank, State: a.State, IsRestricted: a.isRestricted, Seen: a.seen}
			if i < mostServices && !hidden[a.CI] {
				one.Name = names[a.CI]
			}
			weighed = append(weighed, one)
		}
	}
	f.suggestion = priority.Suggest(weighed, f.atRisk)
}

func ranksOfTiers(ctx context.Context, c *ent.Client) (map[ident.ID]int, error) {
	tiers, err := c.ServiceTier.Query().All(ctx)
	if err != nil {
		return nil, err
	}
	ranks := make(map[ident.ID]int, len(tiers))
	for _, t := range tiers {
		ranks[t.ID] = t.Rank
	}
	return ranks, nil
}

// nameAll replaces the values by the names of the CIs; if a CI is not found, its value stays.
func nameAll(ctx context.Context, c *ent.Client, names map[ident.ID]string) error {
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(names)), 10_000) {
		cis, err := c.CI.Query().Where(ci.IDIn(chunk...)).Select(ci.FieldID, ci.FieldName).All(ctx)
		if err != nil {
			return err
		}
		for _, one := range cis {
			names[one.ID] = one.Name
		}
	}
	return nil
}
