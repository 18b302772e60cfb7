package read

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/ent/servicetier"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Service is a CI seen from the catalogue: the same record under another id prefix.
type Service struct{ *CI }

func asServices(cis []*CI) []*Service {
	all := make([]*Service, len(cis))
	for i, c := range cis {
		all[i] = &Service{c}
	}
	return all
}

// ShowService shows a service that a verb returned.
func (r *Reader) ShowService(row *ent.CI) *Service { return &Service{r.ShowCI(row)} }

// ServiceFilter chooses services.
type ServiceFilter struct {
	Name           *where.Text
	Kind           *where.Choice[domain.ServiceKind]
	Tier           *CodeFilter
	PortfolioStage *where.Choice[domain.PortfolioStage]
	Lifecycle      *where.Choice[domain.Lifecycle]
	Environment    *where.Choice[domain.Environment]
	Criticality    *where.Choice[domain.Criticality]

	OperationalState *CodeFilter
	IsInMaintenance  *bool
	HasOpenIncidents *bool
	Category         *where.Text

	OwnerTeam      *IDFilter
	OwnerPerson    *IDFilter
	OwnedByMyTeams *bool
	UpdatedAt      *where.Time
	SupportTeam    *IDFilter
	Labels         []*LabelFilter
	And            []*ServiceFilter
	Or             []*ServiceFilter
	Not            *ServiceFilter
}

func (f *ServiceFilter) hasLifecycle() bool {
	if f == nil {
		return false
	}
	named := f.Lifecycle != nil || f.Not.hasLifecycle()
	for _, part := range append(append([]*ServiceFilter(nil), f.And...), f.Or...) {
		named = named || part.hasLifecycle()
	}
	return named
}

func (s *seen) services(c *where.Conditions, f *ServiceFilter) {
	if f == nil {
		return
	}
	c.Text(ci.FieldName, f.Name)
	where.Among(c, ci.FieldServiceKind, f.Kind)
	s.codeOf(c, ci.FieldTierID, servicetier.Table, f.Tier)
	where.Among(c, ci.FieldPortfolioStage, f.PortfolioStage)
	where.Usual(c, ci.FieldLifecycle, f.Lifecycle)
	where.Usual(c, ci.FieldEnvironment, f.Environment)
	where.Usual(c, ci.FieldCriticality, f.Criticality)
	s.inState(c, f.OperationalState)
	s.inMaintenance(c, f.IsInMaintenance)
	hasOpenIncidents(c, f.HasOpenIncidents)
	c.Text(ci.FieldCategory, f.Category)
	ownedBy(c, "team_id", f.OwnerTeam)
	s.owned(c, f.OwnedByMyTeams)
	ownedBy(c, "person_id", f.OwnerPerson)
	c.Time(ci.FieldUpdatedAt, f.UpdatedAt)
	where.Among(c, ci.FieldSupportTeamID, f.SupportTeam)
	labels(c, f.Labels)
	where.Combine(c, f.And, f.Or, f.Not, s.services)
}

func isService(s *sql.Selector) *sql.Predicate { return sql.NotNull(s.C(ci.FieldServiceKind)) }

// Services lists services.
func (r *Reader) Services(ctx context.Context, filter *ServiceFilter, by []*CIOrder, p page.Args) (*page.Connection[*Service], error) {
	s, err := r.seen(ctx)
	if err != nil {
		return nil, err
	}
	c := &where.Conditions{}
	c.AddUsual(isService)
	s.services(c, filter)
	if !filter.hasLifecycle() {
		c.AddUsual(notRetired)
	}
	o, err := r.serviceOrder(ctx, s, c, by)
	if err != nil || c.Err() != nil {
		return nil, cmp.Or(err, c.Err())
	}
	cis := r.ciList(c, "services", filter, o)
	return page.List[*ent.CI, *Service]{
		Name: "services", Filter: filter, Order: o, Query: cis.Query, StateRevision: s.revision,
		Wrap: func(rows []*ent.CI) []*Service { return asServices(r.wrapCIs(rows)) },
	}.Page(ctx, p)
}

// serviceOrder returns the order of services. Those by tier and by state are worked out: tiers are few, and states are
// in the graph.
func (r *Reader) serviceOrder(ctx context.Context, s *seen, c *where.Conditions, by []*CIOrder) ([]page.Term[*ent.CI], error) {
	terms := maps.Clone(ciTerms)
	terms["CRITICALITY"] = byCriticality
	for _, step := range by {
		switch step.Field {
		case "OPERATIONAL_STATE":
			terms[step.Field] = s.byState()
		case "TIER":
			tiers, err := r.store.Show.ServiceTier.Query().Order(ent.Asc(servicetier.FieldRank)).All(ctx)
			if err != nil {
				return nil, store.Translate(err)
			}
			terms[step.Field] = byTier(tiers)
		}
	}
	return orderOf(c, by, terms), nil
}

// byCriticality is the order by criticality, the highest first, which an index of services has.
var byCriticality = page.By(ci.FieldCriticality, func(e *ent.CI) int {
	return slices.Index(domain.Criticality("").Values(), string(e.Criticality))
}).Over(" by rank", func(b *sql.Builder, column func(string) string) {
	b.WriteString("(CASE ").Ident(column(ci.FieldCriticality)).WriteString(" WHEN 'CRITICAL' THEN 0 WHEN 'HIGH' THEN 1 WHEN 'MEDIUM' THEN 2 ELSE 3 END)")
})

// byTier returns the order by the ranks of tiers; what has no tier comes last.
func byTier(tiers []*ent.ServiceTier) page.Term[*ent.CI] {
	place := map[ident.ID]int{}
	for i, t := range tiers {
		place[t.ID] = i
	}
	return page.By(ci.FieldTierID, func(e *ent.CI) int {
		if e.TierID == nil {
			return len(tiers)
		}
		return place[*e.TierID]
	}).Over(" by rank", func(b *sql.Builder, column func(string) string) {
		b.WriteString("(CASE")
		for i, t := range tiers {
			b.WriteString(" WHEN ").Ident(column(ci.FieldTierID)).WriteString(fmt.Sprintf(" = %d THEN %d", int64(t.ID), i))
		}
		b.WriteString(fmt.Sprintf(" ELSE %d END)", len(tiers)))
	})
}

// Service returns the service with an id. If there is none, it returns nil.
func (r *Reader) Service(ctx context.Context, id ident.ID) (*Service, error) {
	c, err := r.CI(ctx, id)
	if c == nil || err != nil {
		return nil, err
	}
	return c.Service(), nil
}

// ServiceByName returns the service with a name in an environment. If there is none or more than one, it returns nil.
func (r *Reader) ServiceByName(ctx context.Context, name string, environment domain.Environment) (*Service, error) {
	rows, err := r.cis(ctx).
		Where(ci.Name(name), ci.EnvironmentEQ(environment), ci.ServiceKindNotNil(), ci.LifecycleNEQ(domain.Retired)).Limit(2).All(ctx)
	if err != nil || len(rows) != 1 {
		return nil, store.Translate(err)
	}
	return r.ShowService(rows[0]), nil
}

// ServiceTiers returns the tiers, the most important first.
func (r *Reader) ServiceTiers(ctx context.Context) ([]*ServiceTier, error) {
	rows, err := r.store.Show.ServiceTier.Query().Order(ent.Asc(servicetier.FieldRank)).All(ctx)
	return asTiers(rows), store.Translate(err)
}

// ServiceTier is one step of the scale of importance.
type ServiceTier struct{ *ent.ServiceTier }

// IsNode marks records with a global id.
func (*ServiceTier) IsNode() {}

func asTiers(rows []*ent.ServiceTier) []*ServiceTier {
	all := make([]*ServiceTier, len(rows))
	for i, row := range rows {
		all[i] = &ServiceTier{row}
	}
	return all
}

func loadTiers(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*ServiceTier, error) {
	rows, err := r.store.Show.ServiceTier.Query().Where(having(servicetier.FieldID, ids)).All(ctx)
	return index(asTiers(rows), func(t *ServiceTier) ident.ID { return t.ID }), store.Translate(err)
}

// ID returns the service's own global id.
func (s *Service) ID() ident.ID { return s.CI.ID.As(ident.Service) }

// Kind returns the sort of service.
func (s *Service) Kind() domain.ServiceKind { return *s.ServiceKind }

// PortfolioStage returns where the service stands in the portfolio.
func (s *Service) PortfolioStage() domain.PortfolioStage {
	if s.CI.PortfolioStage == nil {
		return domain.PortfolioCatalog
	}
	return *s.CI.PortfolioStage
}

// Tier returns how important the service is.
func (s *Service) Tier(ctx context.Context) (*ServiceTier, error) {
	return one(ctx, s.in, s.CI, "tier", func(c *CI) *ident.ID { return c.TierID }, loadTiers)
}

// Links returns where to read, watch and talk about the service.
func (s *Service) Links() []*domain.Link {
	all := make([]*domain.Link, len(s.CI.Links))
	for i := range s.CI.Links {
		all[i] = &s.CI.Links[i]
	}
	return all
}

// SupportTeam supports the service.
func (s *Service) SupportTeam(ctx context.Context) (*Team, error) {
	return one(ctx, s.in, s.CI, "support team", func(c *CI) *ident.ID { return c.SupportTeamID }, loadTeams)
}

// ShowServiceTier shows a tier that a verb returned.
func (r *Reader) ShowServiceTier(row *ent.ServiceTier) *ServiceTier { return &ServiceTier{row} }
