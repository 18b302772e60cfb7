package read

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/dependencygroup"
	"github.com/linchpin-cmdb/linchpin/ent/relationship"
	"github.com/linchpin-cmdb/linchpin/ent/relationshiptype"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Relationship is a typed link as clients see it.
type Relationship struct {
	*ent.Relationship
	in *batch[*Relationship]
}

// IsNode marks records with a global id.
func (*Relationship) IsNode() {}

func (r *Reader) wrapRelationships(rows []*ent.Relationship) []*Relationship {
	b := newBatch(r, make([]*Relationship, len(rows)))
	all := make([]Relationship, len(rows))
	for i, row := range rows {
		all[i] = Relationship{row, b}
		b.Rows[i] = &all[i]
	}
	return b.Rows
}

// ShowRelationship shows a relationship that a verb returned.
func (r *Reader) ShowRelationship(row *ent.Relationship) *Relationship {
	return r.wrapRelationships([]*ent.Relationship{row})[0]
}

func loadRelationships(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*Relationship, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if r.past != nil {
		rows, err := then[ent.Relationship](ctx, r, ids)
		for _, row := range rows {
			if row.Attributes == nil { // the journal leaves out what is empty
				row.Attributes = map[string]any{}
			}
		}
		return index(r.wrapRelationships(rows), (*Relationship).id), err
	}
	q := r.relationships(ctx).Where(having(relationship.FieldID, ids))
	q.Modify(selected(ctx, nil))
	rows, err := q.All(ctx)
	return index(r.wrapRelationships(rows), func(c *Relationship) ident.ID { return c.ID }), store.Translate(err)
}

func (l *Relationship) id() ident.ID { return l.ID }

// Type returns what the relationship means.
func (l *Relationship) Type(ctx context.Context) (*RelationshipType, error) {
	return one(ctx, l.in, l, "type", func(l *Relationship) *ident.ID { return &l.TypeID }, loadTypes)
}

// end returns a CI at one end. An operation that shows both ends has those of all relationships of the batch in one
// statement.
func (l *Relationship) end(ctx context.Context, ref func(*Relationship) *ident.ID) (*CI, error) {
	ends, err := once(l.in, "ends", func() (map[ident.ID]*CI, error) {
		var all []ident.ID
		if shows(ctx, "source") {
			all = page.Distinct(l.in.Rows, sourceOf)
		}
		if shows(ctx, "target") {
			all = append(all, page.Distinct(l.in.Rows, targetOf)...)
		}
		return loadCIsBelow(ctx, l.in.reader, all, "source", "target")
	})
	return ends[*ref(l)], err
}

func sourceOf(l *Relationship) *ident.ID { return &l.SourceID }
func targetOf(l *Relationship) *ident.ID { return &l.TargetID }

// Source returns where the relationship starts.
func (l *Relationship) Source(ctx context.Context) (*CI, error) { return l.end(ctx, sourceOf) }

// Target returns where the relationship leads.
func (l *Relationship) Target(ctx context.Context) (*CI, error) { return l.end(ctx, targetOf) }

// Strength returns what a failure does.
func (l *Relationship) Strength(ctx context.Context) (domain.Strength, error) {
	if l.Relationship.Strength != nil {
		return *l.Relationship.Strength, nil
	}
	t, err := l.Type(ctx)
	if err != nil {
		return "", err
	}
	return t.Strength, nil
}

// IsStrengthOverridden reports whether the strength is the relationship's own.
func (l *Relationship) IsStrengthOverridden() bool { return l.Relationship.Strength != nil }

// History returns who wrote what to the relationship and when.
func (l *Relationship) History(ctx context.Context, first *int, after *string, last *int, before *string) (*page.Connection[*Entry], error) {
	return history(ctx, l.in, l, (*Relationship).id, page.Args{First: first, After: after, Last: last, Before: before})
}

// RelationshipFilter chooses relationships.
type RelationshipFilter struct{ Type *CodeFilter }

// RelationshipDirection says at which end a CI stands.
type RelationshipDirection string

var relationshipOrder = []page.Term[*ent.Relationship]{page.By(relationship.FieldID, func(e *ent.Relationship) ident.ID { return e.ID })}

// relationshipIndex are the columns that the indexes of a CI's relationships have.
var relationshipIndex = []string{relationship.FieldID, relationship.FieldTypeID, relationship.FieldSourceID, relationship.FieldTargetID, relationship.FieldStrength}

// Relationships returns the CI's relationships to other CIs.
func (c *CI) Relationships(ctx context.Context, filter *RelationshipFilter, direction RelationshipDirection, first *int, after *string, last *int, before *string) (*page.Connection[*Relationship], error) {
	return nestedPage(ctx, c.in, c, (*CI).id, page.Args{First: first, After: after, Last: last, Before: before}, func() (page.List[*ent.Relationship, *Relationship], error) {
		s, err := c.in.reader.seen(ctx)
		if err != nil {
			return page.List[*ent.Relationship, *Relationship]{}, err
		}
		kinds := &where.Conditions{}
		if filter != nil {
			s.codeOf(kinds, relationship.FieldTypeID, relationshiptype.Table, filter.Type)
		}
		l := page.List[*ent.Relationship, *Relationship]{
			Name: "relationships " + string(direction), Filter: filter, Order: relationshipOrder, Wrap: c.in.reader.wrapRelationships,
			Query: func(ctx context.Context, modify func(*sql.Selector)) ([]*ent.Relationship, error) {
				q := c.in.reader.relationships(ctx)
				q.Modify(kinds.Apply, selected(ctx, nil, "relationships"), modify)
				return translated(q.All(ctx))
			},
			Covered: relationshipIndex,
		}
		outgoing, incoming := page.Link{Parent: relationship.FieldSourceID}, page.Link{Parent: relationship.FieldTargetID}
		switch direction {
		case "OUTGOING":
			l.Belongs, l.Parent = []page.Link{outgoing}, func(e *ent.Relationship) ident.ID { return e.SourceID }
		case "INCOMING":
			l.Belongs, l.Parent = []page.Link{incoming}, func(e *ent.Relationship) ident.ID { return e.TargetID }
		default: // a row may be a relationship of two CIs of the batch
			l.Belongs = []page.Link{outgoing, incoming}
		}
		return l, kinds.Err()
	})
}

// RelationshipType is what relationships of a type mean.
type RelationshipType struct{ *ent.RelationshipType }

// IsNode marks records with a global id.
func (*RelationshipType) IsNode() {}

// AllowedPairs returns the pairs of classes the type may connect.
func (t *RelationshipType) AllowedPairs() []*domain.ClassPair {
	all := make([]*domain.ClassPair, len(t.RelationshipType.AllowedPairs))
	for i := range all {
		all[i] = &t.RelationshipType.AllowedPairs[i]
	}
	return all
}

func asTypes(rows []*ent.RelationshipType) []*RelationshipType {
	all := make([]*RelationshipType, len(rows))
	for i, row := range rows {
		all[i] = &RelationshipType{row}
	}
	return all
}

func loadTypes(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*RelationshipType, error) {
	q := r.store.Show.RelationshipType.Query().Where(having(relationshiptype.FieldID, ids))
	q.Modify(selected(ctx, nil))
	rows, err := q.All(ctx)
	return index(asTypes(rows), func(t *RelationshipType) ident.ID { return t.ID }), store.Translate(err)
}

// RelationshipTypes lists the types.
func (r *Reader) RelationshipTypes(ctx context.Context, p page.Args) (*page.Connection[*RelationshipType], error) {
	return page.List[*ent.RelationshipType, *RelationshipType]{
		Name: "relationship types", Wrap: asTypes,
		Order: []page.Term[*ent.RelationshipType]{
			page.By(relationshiptype.FieldCode, func(e *ent.RelationshipType) string { return e.Code }),
			page.By(relationshiptype.FieldID, func(e *ent.RelationshipType) ident.ID { return e.ID }),
		},
		Query: func(ctx context.Context, modify func(*sql.Selector)) ([]*ent.RelationshipType, error) {
			q := r.store.Show.RelationshipType.Query()
			q.Modify(modify)
			return translated(q.All(ctx))
		},
	}.Page(ctx, p)
}

// DependencyGroup says how some of a CI's dependencies combine.
type DependencyGroup struct {
	*ent.DependencyGroup
	in *batch[*DependencyGroup]
}

// IsNode marks records with a global id.
func (*DependencyGroup) IsNode() {}

func (r *Reader) wrapGroups(rows []*ent.DependencyGroup) []*DependencyGroup {
	b := newBatch(r, make([]*DependencyGroup, len(rows)))
	for i, row := range rows {
		b.Rows[i] = &DependencyGroup{row, b}
	}
	return b.Rows
}

// ShowDependencyGroup shows a group that a verb returned.
func (r *Reader) ShowDependencyGroup(row *ent.DependencyGroup) *DependencyGroup {
	return r.wrapGroups([]*ent.DependencyGroup{row})[0]
}

func loadGroups(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*DependencyGroup, error) {
	if r.past != nil {
		rows, err := then[ent.DependencyGroup](ctx, r, ids)
		return index(r.wrapGroups(rows), func(g *DependencyGroup) ident.ID { return g.ID }), err
	}
	rows, err := r.groups(ctx).Where(having(dependencygroup.FieldID, ids)).All(ctx)
	return index(r.wrapGroups(rows), func(g *DependencyGroup) ident.ID { return g.ID }), store.Translate(err)
}

// Ci returns the CI whose dependencies they are.
func (g *DependencyGroup) Ci(ctx context.Context) (*CI, error) {
	return one(ctx, g.in, g, "ci", func(g *DependencyGroup) *ident.ID { return &g.CiID }, loadCIs)
}

// GroupMember is a relationship that counts in a group.
type GroupMember struct {
	Relationship *Relationship
	Weight       int
}

// Members returns the relationships that count.
func (g *DependencyGroup) Members(ctx context.Context) ([]*GroupMember, error) {
	found, err := once(g.in, "members", func() (map[ident.ID]*Relationship, error) {
		var all []ident.ID
		for _, row := range g.in.Rows {
			for _, m := range row.DependencyGroup.Members {
				all = append(all, m.Relationship)
			}
		}
		return loadRelationships(ctx, g.in.reader, all)
	})
	if err != nil {
		return nil, err
	}
	members := []*GroupMember{}
	for _, m := range g.DependencyGroup.Members {
		if l := found[m.Relationship]; l != nil {
			members = append(members, &GroupMember{l, max(1, m.Weight)})
		}
	}
	return members, nil
}

// RestrictedCount returns how many more members the group has.
func (g *DependencyGroup) RestrictedCount(ctx context.Context) (int, error) {
	hidden, err := g.in.reader.hidden(ctx)
	if err != nil || len(hidden) == 0 {
		return 0, err
	}
	members, err := g.Members(ctx)
	return len(g.DependencyGroup.Members) - len(members), err
}

// ShowRelationshipType shows a type that a verb returned.
func (r *Reader) ShowRelationshipType(row *ent.RelationshipType) *RelationshipType {
	return &RelationshipType{row}
}
