package read

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Failure is a CI that is supposed to fail.
type Failure struct {
	ID    ident.ID
	State string
}

// maxFailures bounds the CIs of one question.
const maxFailures = 100

// Impact is who suffers when some CIs fail, as clients see it.
type Impact struct {
	r      *Reader
	answer *impact.Answer
}

// Impact asks what breaks if these CIs fail together.
func (r *Reader) Impact(ctx context.Context, failed []*Failure, excluded []ident.ID, maxDepth, maxCIs *int) (*Impact, error) {
	if len(failed) == 0 || len(failed) > maxFailures || len(excluded) > maxFailures {
		return nil, errs.New(errs.BadUserInput, "failed lists %d CIs and excluded %d: 1 to %d may fail, at most %d be excluded", len(failed), len(excluded), maxFailures, maxFailures)
	}
	limits, err := limits(maxDepth, maxCIs)
	if err != nil {
		return nil, err
	}
	q := impact.Question{MaxDepth: limits.MaxDepth, MaxCIs: limits.MaxCIs}
	for _, f := range failed {
		state, known := impact.ParseState(f.State)
		if !known {
			return nil, errs.New(errs.BadUserInput, "%q is no state to fail in", f.State)
		}
		q.Failed = append(q.Failed, impact.Failure{CI: asCI(f.ID), State: state})
	}
	for _, id := range excluded {
		q.Excluded = append(q.Excluded, asCI(id))
	}
	return r.ask(ctx, q)
}

func (r *Reader) ask(ctx context.Context, q impact.Question) (*Impact, error) {
	answer, err := impact.Of(ctx, r.snapshot(), q)
	if err != nil {
		return nil, err
	}
	return &Impact{r, answer}, nil
}

// asCI is the CI behind a service's id.
func asCI(id ident.ID) ident.ID {
	if id.Kind() == ident.Service {
		return id.As(ident.CI)
	}
	return id
}

func limits(maxDepth, maxCIs *int) (l impact.Limits, err error) {
	for name, given := range map[string]*int{"maxDepth": maxDepth, "maxCIs": maxCIs} {
		if given != nil && *given < 1 {
			return l, errs.New(errs.BadUserInput, "%s is %d: at least 1, or leave it out", name, *given)
		}
	}
	if maxDepth != nil {
		l.MaxDepth = *maxDepth
	}
	if maxCIs != nil {
		l.MaxCIs = *maxCIs
	}
	return l, nil
}

// Revision is the revision of the graph the answer was worked out on.
func (i *Impact) Revision() int64 { return i.answer.Revision }

// Completeness says whether the answer is whole.
func (i *Impact) Completeness() *Completeness { return completeness(i.answer.Completeness) }

// Completeness says whether an answer is whole.
type Completeness struct {
	IsPartial     bool
	Reason        string
	ExploredCount int
}

func completeness(c impact.Completeness) *Completeness {
	return &Completeness{c.IsPartial, c.Reason.String(), c.Explored}
}

// AffectedCI is a CI and how it fares in an answer.
type AffectedCI struct {
	hit impact.Hit
	i   *Impact
	ci  *CI
	in  *batch[AffectedCI]
}

// State is the state the CI would be in.
func (a *AffectedCI) State() string { return a.hit.State.String() }

// Distance is how many relationships lie between the CI and the nearest failed one.
func (a *AffectedCI) Distance() int { return a.hit.Distance }

// Ci is the CI.
func (a *AffectedCI) Ci() *CI { return a.ci }

// Service is the service the CI is.
func (a *AffectedCI) Service() *Service { return a.ci.Service() }

// affectedList is hits of one answer, to be shown page by page.
type affectedList struct {
	i    *Impact
	name string
	hits []impact.Hit
}

// Affected lists the CIs that are affected, without those supposed to fail, worst first.
func (i *Impact) Affected(ctx context.Context, states, classes []string, first *int, after *string, last *int, before *string) (*Connection[AffectedCI], error) {
	keep, err := i.r.subtreeOf(ctx, classes)
	if err != nil {
		return nil, err
	}
	hits, err := i.hits(states, func(c topology.CI) bool { return classes == nil || keep[c.Class] })
	if err != nil {
		return nil, err
	}
	return affectedList{i, fmt.Sprint("affected", states, classes), hits}.page(ctx, Page{first, after, last, before})
}

// Services lists the services that are affected, worst first.
func (i *Impact) Services(ctx context.Context, states []string, first *int, after *string, last *int, before *string) (*Connection[AffectedCI], error) {
	hits, err := i.hits(states, func(c topology.CI) bool { return c.IsService })
	if err != nil {
		return nil, err
	}
	return affectedList{i, fmt.Sprint("services", states), hits}.page(ctx, Page{first, after, last, before})
}

// hits lists the hits in some states, DEGRADED and DOWN by default.
func (i *Impact) hits(states []string, keep func(topology.CI) bool) ([]impact.Hit, error) {
	if states == nil {
		return i.answer.Affected(impact.Filter{WithoutRoots: true, Keep: keep}), nil
	}
	wanted := map[impact.State]bool{}
	for _, name := range states {
		state, known := impact.ParseState(name)
		if !known || state == impact.Operational {
			return nil, errs.New(errs.BadUserInput, "states lists %q: an answer holds what is AT_RISK, DEGRADED or DOWN", name)
		}
		wanted[state] = true
	}
	all := i.answer.Affected(impact.Filter{AtLeast: impact.AtRisk, WithoutRoots: true, Keep: keep})
	return slices.DeleteFunc(all, func(h impact.Hit) bool { return !wanted[h.State] }), nil
}

// page shows a part of the hits, loading their CIs in one statement.
func (l affectedList) page(ctx context.Context, p Page) (*Connection[AffectedCI], error) {
	id := func(h impact.Hit) ident.ID { return h.CI }
	return slicePage(p, l.name, l.hits, id, func(hits []impact.Hit) ([]*AffectedCI, error) { return l.i.show(ctx, hits) })
}

// show loads the CIs of hits.
func (i *Impact) show(ctx context.Context, hits []impact.Hit) ([]*AffectedCI, error) {
	ids := make([]ident.ID, len(hits))
	for n, h := range hits {
		ids[n] = h.CI
	}
	cis, err := loadCIs(ctx, i.r, ids)
	if err != nil {
		return nil, err
	}
	b := newBatch(i.r, make([]*AffectedCI, len(hits)))
	for n, h := range hits {
		if cis[h.CI] == nil {
			return nil, errs.New(errs.Unavailable, "CI %v is in the graph and not in the database: try again", h.CI)
		}
		b.rows[n] = &AffectedCI{h, i, cis[h.CI], b}
	}
	return b.rows, nil
}

// On is how one CI fares; nil when it is not affected.
func (i *Impact) On(ctx context.Context, id ident.ID) (*AffectedCI, error) {
	hit, found := i.answer.Hit(asCI(id))
	if !found {
		return nil, nil
	}
	all, err := i.show(ctx, []impact.Hit{hit})
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// ImpactCounts is how many CIs are affected, by several measures.
type ImpactCounts struct {
	AffectedCount, DownCount, DegradedCount, AtRiskCount, ServiceCount int

	r      *Reader
	counts impact.Counts
}

// Counts counts the affected.
func (i *Impact) Counts() *ImpactCounts {
	c := i.answer.Counts(impact.Filter{WithoutRoots: true})
	return &ImpactCounts{
		AffectedCount: c.Total, DownCount: c.ByState[impact.Down], DegradedCount: c.ByState[impact.Degraded],
		AtRiskCount: c.ByState[impact.AtRisk], ServiceCount: c.Services, r: i.r, counts: c,
	}
}

// ClassCount is how many CIs of a class.
type ClassCount struct {
	Class *CIClass
	Count int
}

// ByClass counts by class, the largest first.
func (c *ImpactCounts) ByClass(ctx context.Context) ([]*ClassCount, error) {
	found, err := loadClasses(ctx, c.r, keys(c.counts.ByClass))
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
	found, err := loadTiers(ctx, c.r, keys(c.counts.ByTier))
	if err != nil {
		return nil, err
	}
	all := []*TierCount{}
	for id, n := range c.counts.ByTier {
		if id != 0 {
			all = append(all, &TierCount{found[id], n})
		}
	}
	slices.SortFunc(all, func(a, b *TierCount) int { return cmp.Compare(a.Tier.Rank, b.Tier.Rank) })
	tiered := 0
	for _, t := range all {
		tiered += t.Count
	}
	if rest := c.ServiceCount - tiered; rest > 0 {
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

func keys[V any](m map[ident.ID]V) []ident.ID {
	all := make([]ident.ID, 0, len(m))
	for id := range m {
		if id != 0 {
			all = append(all, id)
		}
	}
	return all
}

// Subgraph is the part of the graph that an answer speaks of.
type Subgraph struct {
	Relationships     []*Relationship
	IsPartial         bool
	RelationshipCount int
}

const maxSubgraph = 1000

// Subgraph gives the relationships between the CIs of the answer.
func (i *Impact) Subgraph(ctx context.Context) (*Subgraph, error) {
	hits := i.answer.Affected(impact.Filter{})
	vertices := make([]topology.Vertex, len(hits))
	for n, h := range hits {
		vertices[n] = h.Vertex
	}
	seen := map[ident.ID]bool{}
	var ids []ident.ID
	for _, link := range i.answer.Subgraph(vertices) {
		if id := link.Relationship; !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	shown := ids[:min(len(ids), maxSubgraph)]
	found, err := loadRelationships(ctx, i.r, shown)
	if err != nil {
		return nil, err
	}
	s := &Subgraph{Relationships: []*Relationship{}, IsPartial: len(shown) < len(ids), RelationshipCount: len(ids)}
	for _, id := range shown {
		if l := found[id]; l != nil {
			s.Relationships = append(s.Relationships, l)
		}
	}
	return s, nil
}

// servicesWithRoots lists the services affected, those among the failed CIs included.
func (i *Impact) servicesWithRoots() []impact.Hit {
	return i.answer.Affected(impact.Filter{Keep: func(c topology.CI) bool { return c.IsService }})
}
