package read

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/ent/ciclass"
	"github.com/linchpin-cmdb/linchpin/ent/danglingreference"
	"github.com/linchpin-cmdb/linchpin/ent/dependencygroup"
	"github.com/linchpin-cmdb/linchpin/ent/externalidentity"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// CI is a configuration item as clients see it.
type CI struct {
	*ent.CI
	in *batch[*CI]
}

func (r *Reader) wrapCIs(rows []*ent.CI) []*CI {
	b := newBatch(r, make([]*CI, len(rows)))
	all := make([]CI, len(rows))
	for i, row := range rows {
		all[i] = CI{row, b}
		b.Rows[i] = &all[i]
	}
	return b.Rows
}

// ShowCI shows a CI that a verb returned.
func (r *Reader) ShowCI(row *ent.CI) *CI { return r.wrapCIs([]*ent.CI{row})[0] }

// CIFilter chooses CIs.
type CIFilter struct {
	Name        *where.Text
	Class       *CodeFilter
	Lifecycle   *where.Choice[domain.Lifecycle]
	Environment *where.Choice[domain.Environment]
	Criticality *where.Choice[domain.Criticality]
	Ids         []ident.ID
	Source      *CodeFilter
	Visibility  *where.Choice[domain.Visibility]

	OperationalState *CodeFilter
	IsInMaintenance  *bool

	OwnerTeam      *IDFilter
	OwnedByMyTeams *bool
	OwnerPerson    *IDFilter
	RelatedTo      []*RelatedToFilter
	Labels         []*LabelFilter
	Attributes     []*AttributeFilter
	CreatedAt      *where.Time
	UpdatedAt      *where.Time
	And            []*CIFilter
	Or             []*CIFilter
	Not            *CIFilter
}

// hasLifecycle reports whether the filter says anything about the lifecycle, at any depth.
func (f *CIFilter) hasLifecycle() bool {
	if f == nil {
		return false
	}
	named := f.Lifecycle != nil || f.Not.hasLifecycle()
	for _, part := range append(append([]*CIFilter(nil), f.And...), f.Or...) {
		named = named || part.hasLifecycle()
	}
	return named
}

func (s *seen) cis(c *where.Conditions, f *CIFilter) {
	if f == nil {
		return
	}
	c.Text(ci.FieldName, f.Name)
	s.codeOf(c, ci.FieldClassID, ciclass.Table, f.Class)
	where.Usual(c, ci.FieldLifecycle, f.Lifecycle)
	where.Usual(c, ci.FieldEnvironment, f.Environment)
	where.Usual(c, ci.FieldCriticality, f.Criticality)
	if f.Ids != nil {
		c.Spend("ids", len(f.Ids))
		c.Add(isOneOf(asCIs(f.Ids)))
	}
	bySource(c, f.Source)
	where.Usual(c, ci.FieldVisibility, f.Visibility)
	s.inState(c, f.OperationalState)
	s.inMaintenance(c, f.IsInMaintenance)
	ownedBy(c, "team_id", f.OwnerTeam)
	s.owned(c, f.OwnedByMyTeams)
	ownedBy(c, "person_id", f.OwnerPerson)
	for _, to := range f.RelatedTo {
		s.relatedTo(c, to)
	}
	c.Spend("relationships", len(f.RelatedTo))
	labels(c, f.Labels)
	attributes(c, f.Attributes)
	c.Time(ci.FieldCreatedAt, f.CreatedAt)
	c.Time(ci.FieldUpdatedAt, f.UpdatedAt)
	where.Combine(c, f.And, f.Or, f.Not, s.cis)
}

// notRetired leaves retired CIs out.
func notRetired(s *sql.Selector) *sql.Predicate {
	return sql.NEQ(s.C(ci.FieldLifecycle), domain.Retired)
}

// CIOrderField is what CIs and services can be ordered by.
type CIOrderField string

// OrderDirection is which way to order.
type OrderDirection string

// CIOrder is one step of the order of CIs.
type CIOrder struct {
	Field     CIOrderField
	Direction OrderDirection
}

var ciTerms = map[CIOrderField]page.Term[*ent.CI]{
	"NAME":       page.By(ci.FieldName, func(e *ent.CI) string { return e.Name }),
	"CREATED_AT": page.By(ci.FieldCreatedAt, func(e *ent.CI) time.Time { return e.CreatedAt }),
	"UPDATED_AT": page.By(ci.FieldUpdatedAt, func(e *ent.CI) time.Time { return e.UpdatedAt }),
}

var byCIID = page.By(ci.FieldID, func(e *ent.CI) ident.ID { return e.ID })

func ciOrder(c *where.Conditions, by []*CIOrder) []page.Term[*ent.CI] {
	return orderOf(c, by, ciTerms)
}

func orderOf(c *where.Conditions, by []*CIOrder, terms map[CIOrderField]page.Term[*ent.CI]) []page.Term[*ent.CI] {
	if len(by) == 0 {
		by = []*CIOrder{{Field: "NAME"}}
	}
	return steps(c, by, terms, byCIID, func(o *CIOrder) (CIOrderField, OrderDirection) { return o.Field, o.Direction })
}

// steps makes an order of what a client asked for: at most three different fields, then the id.
func steps[E any, F comparable, O any](c *where.Conditions, by []O, terms map[F]page.Term[E], id page.Term[E], read func(O) (F, OrderDirection)) []page.Term[E] {
	var all []page.Term[E]
	seen := map[F]bool{}
	last := id
	for _, step := range by {
		field, direction := read(step)
		t := terms[field]
		if last = id; direction == "DESC" {
			t, last = t.Descending(), id.Descending()
		}
		if seen[field] {
			c.Refuse("orderBy names %v twice", field)
		}
		seen[field] = true
		all = append(all, t)
	}
	if len(by) > 3 {
		c.Refuse("orderBy has %d steps: at most 3", len(by))
	}
	return append(all, last)
}

func (r *Reader) ciList(c *where.Conditions, name string, filter any, o []page.Term[*ent.CI]) page.List[*ent.CI, *CI] {
	columns := make([]string, len(o))
	for i, t := range o {
		columns[i] = t.Column
	}
	return page.List[*ent.CI, *CI]{
		Name: name, Filter: filter, Order: o, Wrap: r.wrapCIs,
		Query: func(ctx context.Context, modify func(*sql.Selector)) ([]*ent.CI, error) {
			q := r.cis(ctx)
			q.Modify(c.Apply, selected(ctx, columns), modify)
			return translated(q.All(ctx))
		},
	}
}

// CIs lists CIs.
func (r *Reader) CIs(ctx context.Context, filter *CIFilter, by []*CIOrder, p page.Args) (*page.Connection[*CI], error) {
	s, err := r.seen(ctx)
	if err != nil {
		return nil, err
	}
	c := &where.Conditions{}
	s.cis(c, filter)
	if !filter.hasLifecycle() {
		c.AddUsual(notRetired)
	}
	o := ciOrder(c, by)
	if c.Err() != nil {
		return nil, c.Err()
	}
	l := r.ciList(c, "cis", filter, o)
	l.StateRevision = s.revision
	return l.Page(ctx, p)
}

// CI returns the CI with an id. If there is none, it returns nil.
func (r *Reader) CI(ctx context.Context, id ident.ID) (*CI, error) {
	if id.Kind() == ident.Service {
		id = id.As(ident.CI)
	}
	found, err := loadCIs(ctx, r, []ident.ID{id})
	return found[id], err
}

// CIByExternalID returns the CI that a source knows under a key. If there is none, it returns nil.
func (r *Reader) CIByExternalID(ctx context.Context, source, key string) (*CI, error) {
	found, err := r.store.Show.ExternalIdentity.Query().
		Where(externalidentity.Source(source), externalidentity.ExternalID(key), externalidentity.IsEvent(false)).All(ctx)
	if err != nil || len(found) == 0 || found[0].RecordID.Kind() != ident.CI {
		return nil, store.Translate(err)
	}
	return r.CI(ctx, found[0].RecordID)
}

func loadCIs(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*CI, error) {
	return loadCIsBelow(ctx, r, ids)
}

// loadCIsBelow loads CIs that only the fields with these names show.
func loadCIsBelow(ctx context.Context, r *Reader, ids []ident.ID, fields ...string) (map[ident.ID]*CI, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if r.past != nil {
		rows, err := then[ent.CI](ctx, r, ids)
		for _, row := range rows {
			if row.Attributes == nil { // the journal leaves out what is empty
				row.Attributes = map[string]any{}
			}
		}
		return index(r.past.today.wrapCIs(rows), (*CI).id), err
	}
	q := r.cis(ctx).Where(having(ci.FieldID, ids))
	q.Modify(selected(ctx, nil, fields...))
	rows, err := q.All(ctx)
	return index(r.wrapCIs(rows), func(c *CI) ident.ID { return c.ID }), store.Translate(err)
}

func (c *CI) id() ident.ID { return c.ID }

// itself returns the CIs that a question about the CI names.
func itself(_ context.Context, c *CI) ([]ident.ID, error) { return []ident.ID{c.ID}, nil }

// IsNode marks records with a global id.
func (*CI) IsNode() {}

// Class returns the CI's class.
func (c *CI) Class(ctx context.Context) (*CIClass, error) {
	return one(ctx, c.in, c, "class", func(c *CI) *ident.ID { return &c.ClassID }, loadClasses)
}

// IsInMaintenance reports whether the CI is in the scope of a change that is being carried out.
func (c *CI) IsInMaintenance() bool { return impact.IsMaintained(c.in.reader.snapshot(), c.ID) }

// OperationalState returns the state of the CI now, given all open incidents and the changes that are being carried
// out; nil if the CI is not in service.
func (c *CI) OperationalState() *string {
	graph := c.in.reader.snapshot()
	if v, ok := graph.Index(c.ID); !ok || !graph.InService(v) {
		return nil
	}
	state := impact.StateOf(graph, c.ID).String()
	return &state
}

// Owners returns the team and people who answer for the CI, the primary one first.
func (c *CI) Owners(ctx context.Context) ([]*Owner, error) {
	return many(ctx, c.in, c, "owners", (*CI).id, loadOwners)
}

// Owner returns the primary owner.
func (c *CI) Owner(ctx context.Context) (*Owner, error) {
	all, err := c.Owners(ctx)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all[0], nil
}

// Service returns the service the CI is. If it is none, it returns nil.
func (c *CI) Service() *Service {
	if c.ServiceKind == nil {
		return nil
	}
	return &Service{c}
}

// Visibility returns who may see the CI. For a CI from before there was a choice, that is everyone.
func (c *CI) Visibility() domain.Visibility { return cmp.Or(c.CI.Visibility, domain.Everyone) }

// Labels returns free labels, by name.
func (c *CI) Labels() []*Label { return labelsByName(c.CI.Labels) }

// LockedFields returns the fields that a person has set.
func (c *CI) LockedFields() []string { return append([]string{}, c.Locks...) }

// ExternalIdentities returns the CI's keys in other systems.
func (c *CI) ExternalIdentities(ctx context.Context) ([]*ent.ExternalIdentity, error) {
	return many(ctx, c.in, c, "external identities", (*CI).id, loadExternalIdentities)
}

func loadExternalIdentities(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID][]*ent.ExternalIdentity, error) {
	rows, err := r.store.Show.ExternalIdentity.Query().Where(having(externalidentity.FieldRecordID, ids)).
		Order(ent.Asc(externalidentity.FieldSource, externalidentity.FieldExternalID)).All(ctx)
	return bundle(rows, func(e *ent.ExternalIdentity) ident.ID { return e.RecordID }), store.Translate(err)
}

// DependencyGroups returns the groups that say how the CI's dependencies combine.
func (c *CI) DependencyGroups(ctx context.Context) ([]*DependencyGroup, error) {
	return many(ctx, c.in, c, "dependency groups", (*CI).id, func(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID][]*DependencyGroup, error) {
		rows, err := r.groups(ctx).Where(having(dependencygroup.FieldCiID, ids)).Order(ent.Asc(dependencygroup.FieldName)).All(ctx)
		return bundle(r.wrapGroups(rows), func(g *DependencyGroup) ident.ID { return g.CiID }), store.Translate(err)
	})
}

// DanglingReferences returns the CI's references to what nobody has reported.
func (c *CI) DanglingReferences(ctx context.Context) ([]*DanglingReference, error) {
	return many(ctx, c.in, c, "dangling references", (*CI).id, func(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID][]*DanglingReference, error) {
		rows, err := r.danglingReferences(ctx).Where(having(danglingreference.FieldRecordID, ids)).Order(ent.Asc(danglingreference.FieldID)).All(ctx)
		return bundle(r.wrapDangling(rows), func(d *DanglingReference) ident.ID { return d.RecordID }), store.Translate(err)
	})
}

// Impact returns what breaks if the CI fails.
func (c *CI) Impact(ctx context.Context, state string, maxDepth, maxCIs *int, filter *ImpactFilter, facts Facts, asOf *AsOf) (*Impact, error) {
	about := fmt.Sprint("impact of a CI ", state, shown(maxDepth), shown(maxCIs), facts.hold())
	return asked(ctx, c.in, c, (*CI).id, itself, about, filter, asOf, func(c *CI, graph *topology.Snapshot) (*impact.Answer, error) {
		q, err := question([]*Failure{{ID: c.ID, State: state}}, nil, maxDepth, maxCIs, facts)
		if err != nil {
			return nil, err
		}
		return answerTo(ctx, graph, q)
	})
}

// Dependencies returns what the CI needs.
func (c *CI) Dependencies(ctx context.Context, maxDepth, maxCIs *int, filter *ImpactFilter, asOf *AsOf) (*Dependencies, error) {
	return dependencies(ctx, c, maxDepth, maxCIs, filter, asOf)
}

// Incidents returns the incidents that name the CI.
func (c *CI) Incidents(ctx context.Context, filter *IncidentFilter, orderBy []*IncidentOrder, first *int, after *string, last *int, before *string) (*page.Connection[*Incident], error) {
	return nestedPage(ctx, c.in, c, (*CI).id, page.Args{First: first, After: after, Last: last, Before: before}, func() (page.List[*ent.Incident, *Incident], error) {
		l, err := c.in.reader.incidentList(ctx, "incidents of a CI", filter, orderBy)
		l.Belongs = []page.Link{{Parent: "ci_id", Table: "incident_ci", Row: "incident_id"}}
		return l, err
	})
}

// Changes returns the changes with the CI in their scope.
func (c *CI) Changes(ctx context.Context, filter *ChangeFilter, orderBy []*ChangeOrder, first *int, after *string, last *int, before *string) (*page.Connection[*Change], error) {
	return nestedPage(ctx, c.in, c, (*CI).id, page.Args{First: first, After: after, Last: last, Before: before}, func() (page.List[*ent.Change, *Change], error) {
		l, err := c.in.reader.changeList(ctx, "changes of a CI", filter, orderBy)
		l.Belongs = []page.Link{{Parent: "ci_id", Table: "change_ci", Row: "change_id"}}
		return l, err
	})
}

// History returns who wrote what to the CI and when.
func (c *CI) History(ctx context.Context, first *int, after *string, last *int, before *string) (*page.Connection[*Entry], error) {
	return history(ctx, c.in, c, (*CI).id, page.Args{First: first, After: after, Last: last, Before: before})
}
