package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// CIClass is one class of the tree of classes.
type CIClass struct{ ent.Schema }

func (CIClass) Annotations() []schema.Annotation { return table("ci_class", ident.CIClass) }

func (CIClass) Fields() []ent.Field {
	return versioned(
		field.String("code").Unique().Immutable(),
		field.String("label"),
		field.String("description").Default(""),
		optional("parent_id"),
		field.Bool("is_abstract").Default(false),
		field.String("icon").Default(""),
		field.JSON("attribute_schema", map[string]any{}).Optional(),
		field.JSON("identity_rules", [][]string{}).Optional(),
	)
}

func (CIClass) Edges() []ent.Edge { return []ent.Edge{parent(CIClass.Type)} }

// CI is a configuration item. A service is a CI whose service_kind is set: the columns below it are its facet
// in the catalogue, kept in the same row so that lists of services need no join.
type CI struct{ ent.Schema }

func (CI) Annotations() []schema.Annotation { return table("ci", ident.CI) }

func (CI) Fields() []ent.Field {
	return versioned(
		reference("class_id"),
		field.String("name"),
		field.String("description").Default(""),
		field.Enum("lifecycle").GoType(domain.Lifecycle("")).Default(string(domain.Live)),
		field.Enum("environment").GoType(domain.Environment("")).Default(string(domain.Production)),
		field.Enum("criticality").GoType(domain.Criticality("")).Default(string(domain.CriticalityMedium)),
		field.Enum("visibility").GoType(domain.Visibility("")).Default(string(domain.Everyone)),
		field.JSON("attributes", map[string]any{}),
		field.JSON("labels", map[string]string{}),
		// locks names the fields that a person has set: sources leave them alone.
		field.JSON("locks", []string{}).Optional(),

		field.Enum("service_kind").GoType(domain.ServiceKind("")).Optional().Nillable(),
		optional("tier_id"),
		field.Enum("portfolio_stage").GoType(domain.PortfolioStage("")).Optional().Nillable(),
		field.String("category").Default(""),
		field.JSON("links", []domain.Link{}).Optional(),
		optional("support_team_id"),
		field.Float("availability_target").Optional().Nillable(),
	)
}

func (CI) Edges() []ent.Edge {
	return []ent.Edge{to("class", CIClass.Type), toOptional("tier", ServiceTier.Type), toOptional("support_team", Team.Type)}
}

// Indexes declares the orders of the API, each of which ends in the id.
func (CI) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("name", "id"),
		index.Fields("created_at", "id"),
		index.Fields("updated_at", "id"),
		index.Fields("class_id", "name", "id"),
		index.Fields("service_kind", "name", "id"),
		index.Fields("tier_id", "name", "id"),
		index.Fields("lifecycle", "name", "id"),
		index.Fields("environment", "name", "id"),
		index.Fields("criticality", "name", "id"),
		index.Fields("support_team_id", "name", "id"),
		index.Fields("category", "name", "id").Annotations(entsql.IndexWhere("service_kind IS NOT NULL")),
		// Restricted CIs, which are few.
		index.Fields("visibility").Annotations(entsql.IndexWhere("visibility = 'OWNERS'")),
	}
}

// ServiceTier is one step of the scale of services' importance; rank 1 is the most important.
type ServiceTier struct{ ent.Schema }

func (ServiceTier) Annotations() []schema.Annotation { return table("service_tier", ident.ServiceTier) }

func (ServiceTier) Fields() []ent.Field {
	return versioned(
		field.String("code").Unique().Immutable(),
		field.String("name"),
		field.Int("rank").Unique(),
		field.String("description").Default(""),
	)
}

// Team is a group of people that owns, supports and decides.
type Team struct{ ent.Schema }

func (Team) Annotations() []schema.Annotation { return table("team", ident.Team) }

func (Team) Fields() []ent.Field {
	return versioned(
		field.String("name").Unique(),
		field.String("description").Default(""),
		field.String("email").Default(""),
		optional("parent_id"),
	)
}

func (Team) Edges() []ent.Edge { return []ent.Edge{parent(Team.Type)} }

func (Team) Indexes() []ent.Index { return []ent.Index{index.Fields("parent_id")} }

// Person is a person who owns CIs, opens tickets, works on them or decides.
type Person struct{ ent.Schema }

func (Person) Annotations() []schema.Annotation { return table("person", ident.Person) }

func (Person) Fields() []ent.Field {
	return versioned(
		field.String("name"),
		field.String("email").Default(""),
	)
}

func (Person) Indexes() []ent.Index {
	return []ent.Index{index.Fields("name", "id"), index.Fields("email")}
}

// Membership is the membership of a person in a team.
type Membership struct{ ent.Schema }

func (Membership) Annotations() []schema.Annotation { return table("membership", ident.Membership) }

func (Membership) Fields() []ent.Field {
	return []ent.Field{identity(), reference("team_id"), reference("person_id")}
}

func (Membership) Edges() []ent.Edge {
	return []ent.Edge{to("team", Team.Type), to("person", Person.Type)}
}

func (Membership) Indexes() []ent.Index {
	return []ent.Index{index.Fields("team_id", "person_id").Unique(), index.Fields("person_id")}
}

// Owner is a team or a person answerable for a CI; one owner of a CI is primary.
type Owner struct{ ent.Schema }

func (Owner) Annotations() []schema.Annotation { return table("owner", ident.Owner) }

func (Owner) Fields() []ent.Field {
	return []ent.Field{
		identity(), reference("ci_id"), optional("team_id"), optional("person_id"),
		field.String("role").Default("owner"), field.Bool("is_primary").Default(false),
	}
}

func (Owner) Edges() []ent.Edge {
	return []ent.Edge{to("ci", CI.Type), toOptional("team", Team.Type), toOptional("person", Person.Type)}
}

func (Owner) Indexes() []ent.Index {
	return []ent.Index{index.Fields("ci_id"), index.Fields("team_id", "ci_id"), index.Fields("person_id", "ci_id")}
}
