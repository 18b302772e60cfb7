package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// ConflictFinding is a kind of conflict in which a change was found to be with another change or a window: written when
// it was first found, and kept whatever becomes of either. The current conflicts of a change are worked out, and never
// read from here.
type ConflictFinding struct{ ent.Schema }

func (ConflictFinding) Annotations() []schema.Annotation {
	return table("conflict_finding", ident.ConflictFinding)
}

func (ConflictFinding) Fields() []ent.Field {
	return []ent.Field{
		identity(), field.Int64("change_id").GoType(ident.ID(0)).Immutable(),
		field.Enum("kind").GoType(domain.ConflictKind("")).Immutable(),
		field.Int64("other_id").GoType(ident.ID(0)).Immutable(), // the other change, or the window
		field.Time("found_at").Immutable(),
	}
}

func (ConflictFinding) Edges() []ent.Edge { return []ent.Edge{immutable("change", Change.Type)} }

func (ConflictFinding) Indexes() []ent.Index {
	return []ent.Index{index.Fields("change_id", "kind", "other_id").Unique(), index.Fields("found_at", "change_id")}
}
