package read

import (
	"context"
	"strconv"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent/change"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/ent/incident"
	"github.com/linchpin-cmdb/linchpin/ent/owner"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
)

// Facet is how many records of a list have which value of a field.
type Facet[F ~string] struct {
	Field  F
	Values []*FacetValue
}

// FacetValue is a value, and how many records have it.
type FacetValue struct {
	Value *string // nil: none
	Label string
	Count int
}

// CIFacetField names a field that CIs can be counted by.
type CIFacetField string

// ServiceFacetField names a field that services can be counted by.
type ServiceFacetField string

// IncidentFacetField names a field that incidents can be counted by.
type IncidentFacetField string

// ChangeFacetField names a field that changes can be counted by.
type ChangeFacetField string

type (
	// CIFacet counts CIs by such a field.
	CIFacet = Facet[CIFacetField]
	// ServiceFacet counts services by such a field.
	ServiceFacet = Facet[ServiceFacetField]
	// IncidentFacet counts incidents by such a field.
	IncidentFacet = Facet[IncidentFacetField]
	// ChangeFacet counts changes by such a field.
	ChangeFacet = Facet[ChangeFacetField]
)

// counting is how a field is counted: what rows are grouped by, and what the keys of records are called.
type counting struct {
	page.Grouping
	names func(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]recordName, error) // nil: the key is the value
}

// recordName is a record as a filter and as people call it.
type recordName struct{ value, label string }

// plainly counts by a column's own values; an empty text is none.
func plainly(column string) counting { return counting{Grouping: page.Grouping{Column: column}} }

// byRecord counts by a reference.
func byRecord(column string, names func(context.Context, *Reader, []ident.ID) (map[ident.ID]recordName, error)) counting {
	return counting{page.Grouping{Column: column}, names}
}

// called loads records by their ids and tells what they are called.
func called[V any](load func(context.Context, *Reader, []ident.ID) (map[ident.ID]V, error), name func(V) recordName) func(context.Context, *Reader, []ident.ID) (map[ident.ID]recordName, error) {
	return func(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]recordName, error) {
		found, err := load(ctx, r, ids)
		names := make(map[ident.ID]recordName, len(found))
		for id, record := range found {
			names[id] = name(record)
		}
		return names, err
	}
}

var (
	teamNames     = called(loadTeams, func(t *Team) recordName { return recordName{t.ID.String(), t.Name} })
	personNames   = called(loadPeople, func(p *Person) recordName { return recordName{p.ID.String(), p.Name} })
	templateNames = called(loadTemplates, func(t *ChangeTemplate) recordName { return recordName{t.ID.String(), t.Name} })

	byOwnerTeam = counting{page.Grouping{
		Join: func(s *sql.Selector) {
			o := sql.Dialect(s.Dialect()).Table(owner.Table).As("owners")
			s.LeftJoin(o).OnP(sql.And(sql.ColumnsEQ(s.C(ci.FieldID), o.C(owner.FieldCiID)), sql.NotNull(o.C(owner.FieldTeamID))))
		},
		Key: func(b *sql.Builder, _ *sql.Selector) { b.Ident("owners").WriteString(".").Ident(owner.FieldTeamID) },
	}, teamNames}

	ciCountings = map[string]counting{
		"CLASS": byRecord(ci.FieldClassID, called(loadClasses, func(c *CIClass) recordName { return recordName{c.Code, c.Label} })), "LIFECYCLE": plainly(ci.FieldLifecycle),
		"ENVIRONMENT": plainly(ci.FieldEnvironment), "CRITICALITY": plainly(ci.FieldCriticality), "OWNER_TEAM": byOwnerTeam,
		"KIND": plainly(ci.FieldServiceKind), "TIER": byRecord(ci.FieldTierID, called(loadTiers, func(t *ServiceTier) recordName { return recordName{t.Code, t.Name} })),
		"PORTFOLIO_STAGE": plainly(ci.FieldPortfolioStage), "CATEGORY": plainly(ci.FieldCategory), "SUPPORT_TEAM": byRecord(ci.FieldSupportTeamID, teamNames),
	}
	incidentCountings = map[string]counting{
		"STATE": plainly(incident.FieldState), "PRIORITY": plainly(incident.FieldPriority), "URGENCY": plainly(incident.FieldUrgency), "CHANNEL": plainly(incident.FieldChannel),
		"CATEGORY": plainly(incident.FieldCategory), "ASSIGNMENT_TEAM": byRecord(incident.FieldAssignmentTeamID, teamNames), "ASSIGNEE": byRecord(incident.FieldAssigneeID, personNames),
	}
	changeCountings = map[string]counting{
		"STATE": plainly(change.FieldState), "TYPE": plainly(change.FieldType), "OUTCOME": plainly(change.FieldOutcome), "TEMPLATE": byRecord(change.FieldTemplateID, templateNames),
		"ASSIGNMENT_TEAM": byRecord(change.FieldAssignmentTeamID, teamNames), "ASSIGNEE": byRecord(change.FieldAssigneeID, personNames),
	}
)

// CIFacets counts CIs.
func (r *Reader) CIFacets(ctx context.Context, of *page.Connection[*CI], fields []CIFacetField) ([]*CIFacet, error) {
	return facets(ctx, r, of, fields, ciCountings)
}

// ServiceFacets counts services.
func (r *Reader) ServiceFacets(ctx context.Context, of *page.Connection[*Service], fields []ServiceFacetField) ([]*ServiceFacet, error) {
	return facets(ctx, r, of, fields, ciCountings)
}

// IncidentFacets counts incidents.
func (r *Reader) IncidentFacets(ctx context.Context, of *page.Connection[*Incident], fields []IncidentFacetField) ([]*IncidentFacet, error) {
	return facets(ctx, r, of, fields, incidentCountings)
}

// ChangeFacets counts changes.
func (r *Reader) ChangeFacets(ctx context.Context, of *page.Connection[*Change], fields []ChangeFacetField) ([]*ChangeFacet, error) {
	return facets(ctx, r, of, fields, changeCountings)
}

// facets counts a list by each of some fields, in the order in which they are named first.
func facets[T any, F ~string](ctx context.Context, r *Reader, of *page.Connection[T], fields []F, countings map[string]counting) ([]*Facet[F], error) {
	all, seen := []*Facet[F]{}, map[F]bool{}
	for _, field := range fields {
		if seen[field] {
			continue
		}
		seen[field] = true
		by, ok := countings[string(field)]
		if !ok { // the one that no column has
			by = r.byStates()
		}
		counts, err := of.CountBy(ctx, by.Grouping)
		if err != nil {
			return nil, err
		}
		values, err := by.values(ctx, r, counts)
		if err != nil {
			return nil, err
		}
		all = append(all, &Facet[F]{field, values})
	}
	return all, nil
}

// byStates counts by the states of now.
func (r *Reader) byStates() counting {
	states := faring(r.snapshot())
	return counting{Grouping: page.Grouping{Key: func(b *sql.Builder, s *sql.Selector) {
		stateCase(b, s.C, states, "NULL", func(s impact.State) string { return "'" + s.String() + "'" })
	}}}
}

// values shows counts under the names of what they count.
func (by counting) values(ctx context.Context, r *Reader, counts []page.Count) ([]*FacetValue, error) {
	names := map[ident.ID]recordName{}
	if by.names != nil {
		var ids []ident.ID
		for _, c := range counts {
			if id, ok := idOf(c.Key); ok {
				ids = append(ids, id)
			}
		}
		if len(ids) > 0 {
			var err error
			if names, err = by.names(ctx, r, ids); err != nil {
				return nil, err
			}
		}
	}
	all := make([]*FacetValue, len(counts))
	for i, c := range counts {
		value, label := c.Key, "none"
		if id, ok := idOf(c.Key); ok && by.names != nil {
			name := names[id]
			value, label = &name.value, name.label
		} else if value != nil {
			label = *value
		}
		all[i] = &FacetValue{value, label, c.N}
	}
	return all, nil
}

func idOf(key *string) (ident.ID, bool) {
	if key == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(*key, 10, 64)
	return ident.ID(n), err == nil
}
