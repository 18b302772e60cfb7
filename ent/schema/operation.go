package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// PlannedOperation is one operation of a change on the CI graph, in the order of place.
type PlannedOperation struct{ ent.Schema }

func (PlannedOperation) Annotations() []schema.Annotation {
	return table("planned_operation", ident.PlannedOperation)
}

func (PlannedOperation) Fields() []ent.Field {
	return []ent.Field{
		identity(), field.Int64("change_id").GoType(ident.ID(0)).Immutable(), field.Int("place").Immutable(),
		field.Enum("kind").GoType(domain.OperationKind("")).Immutable(),
		// key names the record that the operation creates, for the operations after it.
		field.String("key").Default("").Immutable(),
		// record_id is the record that is changed or removed. The id of a created record is set once the operation is
		// applied, or if it existed before.
		optional("record_id"),
		// undoes_id is the change that the operation takes back a step of: it may bring back ids and stages of the
		// lifecycle that nobody else may set.
		field.Int64("undoes_id").GoType(ident.ID(0)).Optional().Nillable().Immutable(),
		// planned and base hold the touched fields: as they are to be, and as they were when the operation was planned.
		field.JSON("planned", map[string]any{}).Immutable(),
		field.JSON("base", map[string]any{}).Immutable(),
		field.Int64("base_revision").Immutable(),
		// consent is why it is accepted if the operations take something DOWN.
		field.String("consent").Default("").Immutable(),
	}
}

func (PlannedOperation) Edges() []ent.Edge { return []ent.Edge{immutable("change", Change.Type)} }

func (PlannedOperation) Indexes() []ent.Index {
	return []ent.Index{index.Fields("change_id", "place").Unique(), index.Fields("undoes_id", "change_id"), index.Fields("record_id")}
}
