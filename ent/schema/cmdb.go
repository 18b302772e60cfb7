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

// RelationshipType is the meaning of relationships of a type, above all for impact.
type RelationshipType struct{ ent.Schema }

func (RelationshipType) Annotations() []schema.Annotation {
	return table("relationship_type", ident.RelationshipType)
}

func (RelationshipType) Fields() []ent.Field {
	return versioned(
		field.String("code").Unique().Immutable(),
		field.String("forward_label"),
		field.String("reverse_label"),
		field.String("description").Default(""),
		field.Enum("impact_direction").GoType(domain.ImpactDirection("")),
		field.Enum("strength").GoType(domain.Strength("")).Default(string(domain.Hard)),
		field.Bool("is_containment").Default(false),
		field.Enum("cardinality").GoType(domain.Cardinality("")).Default(string(domain.ManyToMany)),
		field.JSON("allowed_pairs", []domain.ClassPair{}).Optional(),
	)
}

// Relationship is a typed link from one CI to another.
type Relationship struct{ ent.Schema }

func (Relationship) Annotations() []schema.Annotation {
	return table("relationship", ident.Relationship)
}

func (Relationship) Fields() []ent.Field {
	return versioned(
		field.Int64("type_id").GoType(ident.ID(0)).Immutable(),
		field.Int64("source_id").GoType(ident.ID(0)).Immutable(),
		field.Int64("target_id").GoType(ident.ID(0)).Immutable(),
		// strength overrides the type's.
		field.Enum("strength").GoType(domain.Strength("")).Optional().Nillable(),
		field.JSON("attributes", map[string]any{}),
		// reported_by is the source that reported it first: "manual" or an importer's name; evidence is the place in
		// the source that shows it.
		field.String("reported_by").Default("manual"),
		field.String("evidence").Default(""),
	)
}

func (Relationship) Edges() []ent.Edge {
	return []ent.Edge{immutable("type", RelationshipType.Type), immutable("source", CI.Type), immutable("target", CI.Type)}
}

func (Relationship) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("source_id", "type_id", "target_id").Unique(),
		// PostgreSQL reads a page of a CI's relationships from the index alone.
		index.Fields("source_id", "id").Annotations(entsql.IncludeColumns("type_id", "target_id", "strength")),
		index.Fields("target_id", "id").Annotations(entsql.IncludeColumns("type_id", "source_id", "strength")),
		index.Fields("type_id"),
	}
}

// DependencyGroup combines some of a CI's dependencies.
type DependencyGroup struct{ ent.Schema }

func (DependencyGroup) Annotations() []schema.Annotation {
	return table("dependency_group", ident.DependencyGroup)
}

func (DependencyGroup) Fields() []ent.Field {
	return versioned(
		field.Int64("ci_id").GoType(ident.ID(0)).Immutable(),
		field.String("name"),
		field.Enum("mode").GoType(domain.GroupMode("")),
		// threshold is k for AT_LEAST, p for PERCENT, the weight needed for WEIGHTED, else 0.
		field.Int("threshold").Default(0),
		field.JSON("members", []domain.GroupMember{}),
	)
}

func (DependencyGroup) Edges() []ent.Edge { return []ent.Edge{immutable("ci", CI.Type)} }

func (DependencyGroup) Indexes() []ent.Index {
	return []ent.Index{index.Fields("ci_id", "name").Unique()}
}

// ExternalIdentity is a record's key in the system it came from. It names any kind of record.
type ExternalIdentity struct{ ent.Schema }

func (ExternalIdentity) Annotations() []schema.Annotation {
	return table("external_identity", ident.ExternalIdentity)
}

func (ExternalIdentity) Fields() []ent.Field {
	return []ent.Field{
		identity(), field.Int64("record_id").GoType(ident.ID(0)).Immutable(), field.String("source").Immutable(),
		field.String("external_id").Immutable(), field.Time("created_at").Immutable(),
		field.Bool("is_event").Default(false).Immutable(), // of an incident: apart from all others, so that no key tells of a CI
	}
}

func (ExternalIdentity) Indexes() []ent.Index {
	return []ent.Index{index.Fields("source", "external_id", "is_event").Unique(), index.Fields("record_id")}
}

// DanglingReference is a reference to a record that has not been reported yet; it heals when that record arrives.
type DanglingReference struct{ ent.Schema }

func (DanglingReference) Annotations() []schema.Annotation {
	return table("dangling_reference", ident.DanglingReference)
}

func (DanglingReference) Fields() []ent.Field {
	return []ent.Field{
		identity(),
		field.Int64("record_id").GoType(ident.ID(0)).Immutable(), // the record that refers
		field.String("source").Immutable(),
		field.String("external_id").Immutable(), // the target
		field.Enum("kind").GoType(domain.DanglingKind("")).Immutable(),
		// detail is the relationship type's code, or the owner's role.
		field.String("detail").Default("").Immutable(),
		field.Bool("is_reverse").Default(false).Immutable(),
		field.Enum("strength").GoType(domain.Strength("")).Optional().Nillable().Immutable(),
		field.String("evidence").Default("").Immutable(),
		field.Time("created_at").Immutable(),
	}
}

func (DanglingReference) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("record_id", "source", "external_id", "kind", "detail", "is_reverse").Unique(),
		index.Fields("source", "external_id"),
	}
}
