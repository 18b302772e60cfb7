package read

import (
	"context"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/changetemplate"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// ChangeTemplate is what STANDARD changes are drafted from.
type ChangeTemplate struct {
	*ent.ChangeTemplate
	in *batch[*ChangeTemplate]
}

// IsNode marks records with a global id.
func (*ChangeTemplate) IsNode() {}

func (r *Reader) wrapTemplates(rows []*ent.ChangeTemplate) []*ChangeTemplate {
	b := newBatch(r, make([]*ChangeTemplate, len(rows)))
	for i, row := range rows {
		b.Rows[i] = &ChangeTemplate{row, b}
	}
	return b.Rows
}

// ShowChangeTemplate shows a template that a verb returned.
func (r *Reader) ShowChangeTemplate(row *ent.ChangeTemplate) *ChangeTemplate {
	return r.wrapTemplates([]*ent.ChangeTemplate{row})[0]
}

func loadTemplates(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*ChangeTemplate, error) {
	rows, err := r.store.Show.ChangeTemplate.Query().Where(having(changetemplate.FieldID, ids)).All(ctx)
	return index(r.wrapTemplates(rows), func(t *ChangeTemplate) ident.ID { return t.ID }), store.Translate(err)
}

// Classes returns the classes whose CIs it is for. If it is for all, it returns none.
func (t *ChangeTemplate) Classes(ctx context.Context) ([]*CIClass, error) {
	return several(ctx, t.in, t, "classes", func(t *ChangeTemplate) []ident.ID { return t.ChangeTemplate.Classes }, loadClasses)
}

// Operations returns what its changes do to the graph, in order.
func (t *ChangeTemplate) Operations(context.Context) ([]*PlannedOperation, error) {
	found, err := once(t.in, "operations", func() (map[ident.ID][]*PlannedOperation, error) {
		all, b := make(map[ident.ID][]*PlannedOperation, len(t.in.Rows)), newBatch[*PlannedOperation](t.in.reader, nil)
		for _, row := range t.in.Rows {
			all[row.ID] = []*PlannedOperation{}
			for _, o := range row.ChangeTemplate.Operations {
				one := &PlannedOperation{&ent.PlannedOperation{Kind: o.Kind, Key: o.Key, Planned: o.Planned, Base: operation.Fields{}, Consent: o.Consent}, b}
				if o.Record != 0 {
					one.RecordID = &o.Record
				}
				b.Rows, all[row.ID] = append(b.Rows, one), append(all[row.ID], one)
			}
		}
		return all, nil
	})
	return found[t.ID], err
}

// LongestWindow returns how long a change may take. If it may take any time, it returns nil.
func (t *ChangeTemplate) LongestWindow() *time.Duration {
	if t.LongestSeconds == nil {
		return nil
	}
	d := time.Duration(*t.LongestSeconds) * time.Second
	return &d
}

// Calendar returns the calendar with the hours in which a change lies. If it may lie at any, it returns nil.
func (t *ChangeTemplate) Calendar(ctx context.Context) (*Calendar, error) {
	return one(ctx, t.in, t, "calendar", func(t *ChangeTemplate) *ident.ID { return t.CalendarID }, loadCalendars)
}

// Template returns what a STANDARD change was drafted from.
func (c *Change) Template(ctx context.Context) (*ChangeTemplate, error) {
	return one(ctx, c.in, c, "template", func(c *Change) *ident.ID { return c.TemplateID }, loadTemplates)
}

// ChangeTemplateFilter says which templates to list.
type ChangeTemplateFilter struct{ IsRetired *bool }

// ChangeTemplates lists templates by name.
func (r *Reader) ChangeTemplates(ctx context.Context, filter *ChangeTemplateFilter, p page.Args) (*page.Connection[*ChangeTemplate], error) {
	return page.List[*ent.ChangeTemplate, *ChangeTemplate]{
		Name: "change templates", Filter: filter, Wrap: r.wrapTemplates,
		Order: []page.Term[*ent.ChangeTemplate]{
			page.By(changetemplate.FieldName, func(e *ent.ChangeTemplate) string { return e.Name }),
			page.By(changetemplate.FieldID, func(e *ent.ChangeTemplate) ident.ID { return e.ID }),
		},
		Query: func(ctx context.Context, modify func(*sql.Selector)) ([]*ent.ChangeTemplate, error) {
			q := r.store.Show.ChangeTemplate.Query()
			switch {
			case filter == nil || filter.IsRetired == nil:
			case *filter.IsRetired:
				q.Where(changetemplate.RetiredAtNotNil())
			default:
				q.Where(changetemplate.RetiredAtIsNil())
			}
			q.Modify(modify)
			return translated(q.All(ctx))
		},
	}.Page(ctx, p)
}
