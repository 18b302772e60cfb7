package read

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/danglingreference"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/where"
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
		b.Rows[i] = &DanglingReference{row, b}
	}
	return b.Rows
}

// DanglingReferenceFilter says which dangling references to list.
type DanglingReferenceFilter struct{ Source *CodeFilter }

// DanglingReferences lists references to what nobody has reported, the oldest first.
func (r *Reader) DanglingReferences(ctx context.Context, filter *DanglingReferenceFilter, p page.Args) (*page.Connection[*DanglingReference], error) {
	c := &where.Conditions{}
	if filter != nil {
		where.Among(c, danglingreference.FieldSource, filter.Source)
	}
	if c.Err() != nil {
		return nil, c.Err()
	}
	return page.List[*ent.DanglingReference, *DanglingReference]{
		Name: "dangling references", Filter: filter, Wrap: r.wrapDangling,
		Order: []page.Term[*ent.DanglingReference]{page.By(danglingreference.FieldID, func(e *ent.DanglingReference) ident.ID { return e.ID })},
		Query: func(ctx context.Context, modify func(*sql.Selector)) ([]*ent.DanglingReference, error) {
			q := r.danglingReferences(ctx)
			q.Modify(c.Apply, modify)
			return translated(q.All(ctx))
		},
	}.Page(ctx, p)
}

// Record returns the record that refers.
func (d *DanglingReference) Record(ctx context.Context) (Node, error) {
	return node(ctx, d.in, "record", d, func(d *DanglingReference) ident.ID { return d.RecordID })
}
