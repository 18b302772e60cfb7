package read

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ciclass"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/attribute"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// CIClass is a class of CIs as clients see it.
type CIClass struct {
	*ent.CIClass
	in *batch[*CIClass]
}

// IsNode marks records with a global id.
func (*CIClass) IsNode() {}

func (r *Reader) wrapClasses(rows []*ent.CIClass) []*CIClass {
	b := newBatch(r, make([]*CIClass, len(rows)))
	for i, row := range rows {
		b.Rows[i] = &CIClass{row, b}
	}
	return b.Rows
}

// ShowCIClass shows a class that a verb returned.
func (r *Reader) ShowCIClass(row *ent.CIClass) *CIClass { return r.wrapClasses([]*ent.CIClass{row})[0] }

func loadClasses(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*CIClass, error) {
	q := r.store.Show.CIClass.Query().Where(having(ciclass.FieldID, ids))
	q.Modify(selected(ctx, nil))
	rows, err := q.All(ctx)
	return index(r.wrapClasses(rows), func(c *CIClass) ident.ID { return c.ID }), store.Translate(err)
}

// CIClasses lists the classes.
func (r *Reader) CIClasses(ctx context.Context, p page.Args) (*page.Connection[*CIClass], error) {
	return page.List[*ent.CIClass, *CIClass]{
		Name: "classes", Wrap: r.wrapClasses,
		Order: []page.Term[*ent.CIClass]{
			page.By(ciclass.FieldCode, func(e *ent.CIClass) string { return e.Code }), page.By(ciclass.FieldID, func(e *ent.CIClass) ident.ID { return e.ID }),
		},
		Query: func(ctx context.Context, modify func(*sql.Selector)) ([]*ent.CIClass, error) {
			q := r.store.Show.CIClass.Query()
			q.Modify(modify)
			return translated(q.All(ctx))
		},
	}.Page(ctx, p)
}

// CIClass returns the class with a code. If there is none, it returns nil.
func (r *Reader) CIClass(ctx context.Context, code string) (*CIClass, error) {
	row, err := r.store.Show.CIClass.Query().Where(ciclass.Code(code)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, store.Translate(err)
	}
	return r.ShowCIClass(row), nil
}

// Parent returns the class this one is a kind of.
func (c *CIClass) Parent(ctx context.Context) (*CIClass, error) {
	return one(ctx, c.in, c, "parent", func(c *CIClass) *ident.ID { return c.ParentID }, loadClasses)
}

// IdentityRules returns lists of attributes that identify a CI of the class, tried in order.
func (c *CIClass) IdentityRules() [][]string { return append([][]string{}, c.CIClass.IdentityRules...) }

// AttributeSchema returns the class's attributes with its ancestors'. All classes are read at once: there are few.
func (c *CIClass) AttributeSchema(ctx context.Context) (map[string]any, error) {
	all, err := once(c.in, "all classes", func() (map[ident.ID]*ent.CIClass, error) {
		rows, err := c.in.reader.store.Show.CIClass.Query().All(ctx)
		return index(rows, func(c *ent.CIClass) ident.ID { return c.ID }), store.Translate(err)
	})
	if err != nil {
		return nil, err
	}
	var line []map[string]any // topmost first
	for at := c.CIClass; at != nil; {
		line = append([]map[string]any{at.AttributeSchema}, line...)
		if at.ParentID == nil {
			break
		}
		at = all[*at.ParentID]
	}
	return attribute.Effective(line...), nil
}
