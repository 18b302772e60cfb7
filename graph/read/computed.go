package read

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// computed is a list that each B of a batch has by computation: rows that stand for CIs, shown as T.
type computed[B comparable, E, T any] struct {
	name  string
	about func(B) string // what else cursors are bound to
	rows  func(B) ([]E, error)
	ci    func(E) ident.ID
	show  func(B, E, *CI) T
}

// page shows the page of owner's list, of CIs that the actor may see. Those of the whole batch are loaded at once.
func (l computed[B, E, T]) page(ctx context.Context, b *batch[B], owner B, p page.Args) (*page.Connection[T], error) {
	hidden, err := b.reader.hidden(ctx)
	if err != nil {
		return nil, err
	}
	s := page.Slice[B, E, T]{
		Name: l.name, About: l.about, Rows: l.rows, Key: func(e E) string { return l.ci(e).String() },
		Show: func(ctx context.Context, rows []E) (func(B, E) (T, error), error) {
			ids := make([]ident.ID, len(rows))
			for i, e := range rows {
				ids[i] = l.ci(e)
			}
			cis, err := loadCIs(ctx, b.reader, ids)
			return func(of B, e E) (shown T, err error) {
				c := cis[l.ci(e)]
				if c == nil {
					return shown, errs.New(errs.Unavailable, "%v is in the graph and not in the database: try again", l.ci(e))
				}
				return l.show(of, e, c), nil
			}, err
		},
	}
	if len(hidden) > 0 {
		s.Hides = func(e E) bool { return hidden[l.ci(e)] }
	}
	return s.Page(ctx, &b.Batch, owner, p)
}
