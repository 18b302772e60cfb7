package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// ChangeWindow is a time, once or recurring, in which CIs may not be changed, or in which alone they may.
type ChangeWindow struct{ ent.Schema }

func (ChangeWindow) Annotations() []schema.Annotation {
	return table("change_window", ident.ChangeWindow)
}

func (ChangeWindow) Fields() []ent.Field {
	return versioned(
		field.String("name").Unique(),
		field.String("description").Default(""),
		field.Enum("kind").GoType(domain.WindowKind("")),
		field.Time("starts_at"),
		field.Int("duration_minutes"),
		field.String("time_zone"),
		field.String("recurrence").Default(""), // an RFC 5545 RRULE; empty: once
		// The extent: everything, or CIs, classes with their subtrees, and CIs that carry all of some labels.
		field.Bool("is_global").Default(false),
		field.JSON("cis", []ident.ID{}),
		field.JSON("classes", []ident.ID{}),
		field.JSON("labels", map[string]string{}),
	)
}

func (ChangeWindow) Indexes() []ent.Index { return []ent.Index{index.Fields("kind", "id")} }
