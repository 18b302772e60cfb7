// Package schema declares the tables: fields, edges, indexes. It refuses hooks and policies; rules live in
// internal/rule, and internal/store watches every write.
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// table returns annotations with the table's name and the first id of its kind.
func table(name string, kind ident.Kind) []schema.Annotation {
	start := int(kind.First())
	return []schema.Annotation{entsql.Annotation{Table: name, IncrementStart: &start}}
}

func identity() ent.Field { return field.Int64("id").GoType(ident.ID(0)).Immutable() }

// reference returns a foreign key, which is required; optional returns one that may be absent.
func reference(name string) ent.Field { return field.Int64(name).GoType(ident.ID(0)) }

func optional(name string) ent.Field {
	return field.Int64(name).GoType(ident.ID(0)).Optional().Nillable()
}

// to returns the edge over reference "<name>_id"; toOptional the one over optional "<name>_id".
func to(name string, t any) ent.Edge {
	return edge.To(name, t).Field(name + "_id").Unique().Required().Annotations(entsql.OnDelete(entsql.Restrict))
}

func toOptional(name string, t any) ent.Edge {
	return edge.To(name, t).Field(name + "_id").Unique().Annotations(entsql.OnDelete(entsql.Restrict))
}

// versioned returns the fields of a record that people edit: its own and those that every such record has. Its version
// guards against lost updates: +1 on each write. The times come from the clock of the transaction.
func versioned(own ...ent.Field) []ent.Field {
	return append(append([]ent.Field{identity()}, own...),
		field.Int("version").Default(1),
		field.Time("created_at").Immutable(),
		field.Time("updated_at"),
	)
}

// immutable returns the edge over a reference that is set once.
func immutable(name string, t any) ent.Edge {
	return edge.To(name, t).Field(name + "_id").Unique().Required().Immutable().Annotations(entsql.OnDelete(entsql.Restrict))
}

var headTable = entsql.Annotation{Table: "head"}

// parent returns the edge from children of a table to their parent in the same table, over the optional "parent_id".
func parent(t any) ent.Edge {
	return edge.To("children", t).Annotations(entsql.OnDelete(entsql.Restrict)).From("parent").Field("parent_id").Unique()
}
