package cmdb

import (
	"context"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/relationship"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Between is the unique key of a relationship.
type Between struct{ Type, Source, Target ident.ID }

func between(r *ent.Relationship) Between { return Between{r.TypeID, r.SourceID, r.TargetID} }

// FindRelationships reads those of the relationships that are stored: by the unique index, a statement for each 1,000.
func FindRelationships(ctx context.Context, tx *store.Tx, all []Between) (map[Between]*ent.Relationship, error) {
	found := make(map[Between]*ent.Relationship, len(all))
	for chunk := range slices.Chunk(all, idChunk) {
		some, err := tx.Relationship.Query().Where(func(s *sql.Selector) { s.Where(isOneOf(s, chunk)) }).All(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range some {
			found[between(r)] = r
		}
	}
	return found, nil
}

func isOneOf(s *sql.Selector, all []Between) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		b.WriteByte('(').IdentComma(s.C(relationship.FieldSourceID), s.C(relationship.FieldTypeID), s.C(relationship.FieldTargetID)).WriteString(") IN (VALUES ")
		for i, one := range all {
			if i > 0 {
				b.Comma()
			}
			b.WriteByte('(')
			for j, id := range []ident.ID{one.Source, one.Type, one.Target} {
				if j > 0 {
					b.Comma()
				}
				// PostgreSQL takes the type of a column of VALUES from its first row.
				b.WriteString("CAST(").Arg(int64(id)).WriteString(" AS bigint)")
			}
			b.WriteByte(')')
		}
		b.WriteByte(')')
	})
}
