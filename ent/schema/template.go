package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
)

// ChangeTemplate is a template from which STANDARD changes are drafted: approved once, for all of them.
type ChangeTemplate struct{ ent.Schema }

func (ChangeTemplate) Annotations() []schema.Annotation {
	return table("change_template", ident.ChangeTemplate)
}

func (ChangeTemplate) Fields() []ent.Field {
	return versioned(
		field.String("name").Unique(),
		field.String("description").Default(""),
		field.String("justification").Default(""),
		field.String("plan").Default(""),
		field.String("backout_plan").Default(""),
		field.String("test_plan").Default(""),
		field.JSON("classes", []ident.ID{}), // with those below them; none: all
		// operations have no base, which a change notes when it is drafted.
		field.JSON("operations", []operation.Operation{}).Optional(),
		field.Bool("may_take_down"),
		field.Int64("longest_seconds").Optional().Nillable(), // of the window
		optional("calendar_id"),                              // in whose hours the window lies
		field.Time("retired_at").Optional().Nillable(),
	)
}

func (ChangeTemplate) Edges() []ent.Edge { return []ent.Edge{toOptional("calendar", Calendar.Type)} }

func (ChangeTemplate) Indexes() []ent.Index { return []ent.Index{index.Fields("calendar_id")} }
