package read

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/membership"
	"github.com/linchpin-cmdb/linchpin/ent/owner"
	"github.com/linchpin-cmdb/linchpin/ent/person"
	"github.com/linchpin-cmdb/linchpin/ent/team"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Team is a group of people as clients see it.
type Team struct {
	*ent.Team
	in *batch[*Team]
}

// IsNode marks records with a global id.
func (*Team) IsNode() {}

func (t *Team) id() ident.ID { return t.ID }

func (r *Reader) wrapTeams(rows []*ent.Team) []*Team {
	b := newBatch(r, make([]*Team, len(rows)))
	for i, row := range rows {
		b.Rows[i] = &Team{row, b}
	}
	return b.Rows
}

// ShowTeam shows a team that a verb returned.
func (r *Reader) ShowTeam(row *ent.Team) *Team { return r.wrapTeams([]*ent.Team{row})[0] }

func loadTeams(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*Team, error) {
	rows, err := r.store.Show.Team.Query().Where(having(team.FieldID, ids)).All(ctx)
	return index(r.wrapTeams(rows), func(t *Team) ident.ID { return t.ID }), store.Translate(err)
}

// Team returns the team with an id. If there is none, it returns nil.
func (r *Reader) Team(ctx context.Context, id ident.ID) (*Team, error) {
	found, err := loadTeams(ctx, r, []ident.ID{id})
	return found[id], err
}

// TeamFilter says which teams to list.
type TeamFilter struct{ Name *where.Text }

// Teams lists teams by name.
func (r *Reader) Teams(ctx context.Context, filter *TeamFilter, p page.Args) (*page.Connection[*Team], error) {
	c := &where.Conditions{}
	if filter != nil {
		c.Text(team.FieldName, filter.Name)
	}
	if c.Err() != nil {
		return nil, c.Err()
	}
	return page.List[*ent.Team, *Team]{
		Name: "teams", Filter: filter, Wrap: r.wrapTeams,
		Order: []page.Term[*ent.Team]{
			page.By(team.FieldName, func(e *ent.Team) string { return e.Name }), page.By(team.FieldID, func(e *ent.Team) ident.ID { return e.ID }),
		},
		Query: func(ctx context.Context, modify func(*sql.Selector)) ([]*ent.Team, error) {
			q := r.store.Show.Team.Query()
			q.Modify(c.Apply, modify)
			return translated(q.All(ctx))
		},
	}.Page(ctx, p)
}

// Parent returns the team this one is part of.
func (t *Team) Parent(ctx context.Context) (*Team, error) {
	return one(ctx, t.in, t, "parent", func(t *Team) *ident.ID { return t.ParentID }, loadTeams)
}

// Children returns the teams that are part of this one.
func (t *Team) Children(ctx context.Context) ([]*Team, error) {
	return many(ctx, t.in, t, "children", (*Team).id, func(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID][]*Team, error) {
		rows, err := r.store.Show.Team.Query().Where(having(team.FieldParentID, ids)).Order(ent.Asc(team.FieldName)).All(ctx)
		return bundle(r.wrapTeams(rows), func(t *Team) ident.ID { return *t.ParentID }), store.Translate(err)
	})
}

// Members returns the people of the team.
func (t *Team) Members(ctx context.Context, first *int, after *string, last *int, before *string) (*page.Connection[*Person], error) {
	return nestedPage(ctx, t.in, t, (*Team).id, page.Args{First: first, After: after, Last: last, Before: before}, func() (page.List[*ent.Person, *Person], error) {
		l := t.in.reader.peopleList(&where.Conditions{}, "members", nil)
		l.Belongs = []page.Link{{Parent: membership.FieldTeamID, Table: membership.Table, Row: membership.FieldPersonID}}
		return l, nil
	})
}

// Owns returns what the team owns.
func (t *Team) Owns(ctx context.Context, first *int, after *string, last *int, before *string) (*page.Connection[*CI], error) {
	return nestedPage(ctx, t.in, t, (*Team).id, page.Args{First: first, After: after, Last: last, Before: before}, func() (page.List[*ent.CI, *CI], error) {
		return t.in.reader.owned("owned CIs", owner.FieldTeamID), nil
	})
}

// ExternalIdentities returns the team's keys in other systems.
func (t *Team) ExternalIdentities(ctx context.Context) ([]*ent.ExternalIdentity, error) {
	return many(ctx, t.in, t, "external identities", (*Team).id, loadExternalIdentities)
}

// Person is someone as clients see them.
type Person struct {
	*ent.Person
	in *batch[*Person]
}

// IsNode marks records with a global id.
func (*Person) IsNode() {}

func (p *Person) id() ident.ID { return p.ID }

func (r *Reader) wrapPeople(rows []*ent.Person) []*Person {
	b := newBatch(r, make([]*Person, len(rows)))
	for i, row := range rows {
		b.Rows[i] = &Person{row, b}
	}
	return b.Rows
}

// ShowPerson shows a person that a verb returned.
func (r *Reader) ShowPerson(row *ent.Person) *Person { return r.wrapPeople([]*ent.Person{row})[0] }

func loadPeople(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*Person, error) {
	rows, err := r.store.Show.Person.Query().Where(having(person.FieldID, ids)).All(ctx)
	return index(r.wrapPeople(rows), func(p *Person) ident.ID { return p.ID }), store.Translate(err)
}

// Person returns the person with an id. If there is none, it returns nil.
func (r *Reader) Person(ctx context.Context, id ident.ID) (*Person, error) {
	found, err := loadPeople(ctx, r, []ident.ID{id})
	return found[id], err
}

// PersonFilter says which people to list.
type PersonFilter struct{ Name *where.Text }

// People lists people by name.
func (r *Reader) People(ctx context.Context, filter *PersonFilter, p page.Args) (*page.Connection[*Person], error) {
	c := &where.Conditions{}
	if filter != nil {
		c.Text(person.FieldName, filter.Name)
	}
	if c.Err() != nil {
		return nil, c.Err()
	}
	return r.peopleList(c, "people", filter).Page(ctx, p)
}

func (r *Reader) peopleList(c *where.Conditions, name string, filter any) page.List[*ent.Person, *Person] {
	return page.List[*ent.Person, *Person]{
		Name: name, Filter: filter, Wrap: r.wrapPeople,
		Order: []page.Term[*ent.Person]{
			page.By(person.FieldName, func(e *ent.Person) string { return e.Name }), page.By(person.FieldID, func(e *ent.Person) ident.ID { return e.ID }),
		},
		Query: func(ctx context.Context, modify func(*sql.Selector)) ([]*ent.Person, error) {
			q := r.store.Show.Person.Query()
			q.Modify(c.Apply, modify)
			return translated(q.All(ctx))
		},
	}
}

// Teams returns the teams this person belongs to.
func (p *Person) Teams(ctx context.Context) ([]*Team, error) {
	return many(ctx, p.in, p, "teams", (*Person).id, func(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID][]*Team, error) {
		q := r.store.Show.Team.Query().Order(ent.Asc(team.FieldName))
		q.Modify(func(s *sql.Selector) {
			s.AppendSelectAs(joinMemberships(s, membership.FieldTeamID, membership.FieldPersonID, ids), chosenColumn)
		})
		rows, err := q.All(ctx)
		return bundle(r.wrapTeams(rows), func(t *Team) ident.ID { return ident.ID(page.Number(t.Team, chosenColumn)) }), store.Translate(err)
	})
}

// Owns returns what this person owns.
func (p *Person) Owns(ctx context.Context, first *int, after *string, last *int, before *string) (*page.Connection[*CI], error) {
	return nestedPage(ctx, p.in, p, (*Person).id, page.Args{First: first, After: after, Last: last, Before: before}, func() (page.List[*ent.CI, *CI], error) {
		return p.in.reader.owned("CIs of a person", owner.FieldPersonID), nil
	})
}

// owned returns the list of what a team or person owns.
func (r *Reader) owned(name, by string) page.List[*ent.CI, *CI] {
	c := &where.Conditions{}
	c.AddUsual(notRetired)
	l := r.ciList(c, name, nil, ciOrder(c, nil))
	l.Belongs = []page.Link{{Parent: by, Table: owner.Table, Row: owner.FieldCiID}}
	return l
}

// ExternalIdentities returns this person's keys in other systems.
func (p *Person) ExternalIdentities(ctx context.Context) ([]*ent.ExternalIdentity, error) {
	return many(ctx, p.in, p, "external identities", (*Person).id, loadExternalIdentities)
}

// Owner is a team or person that answers for a CI.
type Owner struct {
	*ent.Owner
	in *batch[*Owner]
}

func loadOwners(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID][]*Owner, error) {
	rows, err := r.store.Show.Owner.Query().Where(having(owner.FieldCiID, ids)).Order(ent.Desc(owner.FieldIsPrimary), ent.Asc(owner.FieldID)).All(ctx)
	b := newBatch(r, make([]*Owner, len(rows)))
	for i, row := range rows {
		b.Rows[i] = &Owner{row, b}
	}
	return bundle(b.Rows, func(o *Owner) ident.ID { return o.CiID }), store.Translate(err)
}

// Team returns the team, if the owner is one.
func (o *Owner) Team(ctx context.Context) (*Team, error) {
	return one(ctx, o.in, o, "team", func(o *Owner) *ident.ID { return o.TeamID }, loadTeams)
}

// Person returns the person, if the owner is one.
func (o *Owner) Person(ctx context.Context) (*Person, error) {
	return one(ctx, o.in, o, "person", func(o *Owner) *ident.ID { return o.PersonID }, loadPeople)
}

// Name returns the name of the team or person.
func (o *Owner) Name(ctx context.Context) (string, error) {
	if o.TeamID != nil {
		t, err := o.Team(ctx)
		if t == nil {
			return "", err
		}
		return t.Name, nil
	}
	p, err := o.Person(ctx)
	if p == nil {
		return "", err
	}
	return p.Name, nil
}

// chosenColumn has the id of the chosen side in the other side's rows.
const chosenColumn = "x_parent"

// joinMemberships joins the memberships of the chosen people or teams to the other side's rows, and names the chosen
// side's column.
func joinMemberships(s *sql.Selector, own, chosen string, ids []ident.ID) string {
	t := sql.Dialect(s.Dialect()).Table(membership.Table)
	s.Join(t).On(s.C("id"), t.C(own)).Where(page.OneOf(t.C(chosen), ids))
	return t.C(chosen)
}
