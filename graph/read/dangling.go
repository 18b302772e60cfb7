package read

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/danglingreference"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// DanglingReference is a reference to what nobody has reported, as clients see it.
type DanglingReference struct {
	*ent.DanglingReference
	in *batch[*DanglingReference]
}

// IsNode marks records with a global id.
func (*DanglingReference) IsNode() {}

func (r *Reader) wrapDangling(rows []*ent.DanglingReference) []*DanglingReference {
	b := newBatch(r, make([]*DanglingReference, len(rows)))
	for i, row := range rows {
		b.rows[i] = &DanglingReference{row, b}
	}
	return b.rows
}

// DanglingReferences lists references to what nobody has reported, the oldest first.
func (r *Reader) DanglingReferences(ctx context.Context, source *string, p Page) (*Connection[*DanglingReference], error) {
	c := &conditions{}
	if source != nil {
		c.add(equals(danglingreference.FieldSource, *source))
	}
	return list[*ent.DanglingReference, *DanglingReference]{
		name: "dangling references", filter: source, wrap: r.wrapDangling,
		order: order[*ent.DanglingReference]{{danglingreference.FieldID, false, func(e *ent.DanglingReference) any { return e.ID }}},
		query: func(ctx context.Context, modify func(*sql.Selector)) ([]*ent.DanglingReference, error) {
			q := r.danglingReferences(ctx)
			q.Modify(c.where, modify)
			return q.All(ctx)
		},
	}.page(ctx, p)
}

// Record is the record that refers.
func (d *DanglingReference) Record(ctx context.Context) (Node, error) {
	return node(ctx, d.in, "record", d, func(d *DanglingReference) ident.ID { return d.RecordID })
}
