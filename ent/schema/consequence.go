package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Consequence is a CI of which a write broke what it needs, and why that was accepted. It is written with that write
// and kept. It holds no key to the CI: it is written last, under the lock of the head, and waits for nobody.
type Consequence struct{ ent.Schema }

func (Consequence) Annotations() []schema.Annotation {
	return table("consequence", ident.Consequence)
}

func (Consequence) Fields() []ent.Field {
	return []ent.Field{
		identity(), field.Int64("ci_id").GoType(ident.ID(0)).Immutable(),
		field.Int64("revision").Immutable(), // of the write
		field.String("reason").Immutable(),
		field.Bool("is_now").Immutable(), // it fell only by what had failed already
		field.Time("created_at").Immutable(),
	}
}

func (Consequence) Indexes() []ent.Index { return []ent.Index{index.Fields("ci_id", "revision")} }
