package read

import (
	"context"
	"slices"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// belonging is the condition that a row of s belongs to the parent whose id the column has.
type belonging func(s *sql.Selector, parent string) *sql.Predicate

// byColumn is how most rows belong to their parent: by a column of their own.
func byColumn(column string) belonging {
	return func(s *sql.Selector, parent string) *sql.Predicate { return sql.ColumnsEQ(s.C(column), parent) }
}

// byLink is how a row belongs to its parents through a table between them, which may link the same two twice.
func byLink(table, childColumn, parentColumn string) belonging {
	return func(s *sql.Selector, parent string) *sql.Predicate {
		link := sql.Dialect(s.Dialect()).Table(table)
		return sql.In(s.C("id"), sql.Dialect(s.Dialect()).Select(link.C(childColumn)).From(link).Where(sql.ColumnsEQ(link.C(parentColumn), parent)))
	}
}

// perParent turns s into a statement that gives limit + 1 rows for each parent. The rows of each are picked by a
// subquery of its own, which reads an index in the list's order and stops: a hub costs its page, not its rows.
func (n nested[E, T]) perParent(s *sql.Selector, parents []ident.ID, w window) {
	d := sql.Dialect(s.Dialect())
	parent := idTable(s.Dialect(), parents).As("parent")
	columns := s.UnqualifiedColumns()
	page := func(s *sql.Selector) {
		n.order.bounds(s, w)
		n.order.reading(w).apply(s)
		s.Limit(w.limit + 1)
	}
	row := d.Table(s.TableName()).As("row")
	outer := d.Select(row.Columns(columns...)...).WithContext(s.Context())
	if n.isCovered(s.Dialect(), columns) {
		picked := n.way(s, n.belongs[0], parent.C("id"), columns, page)
		outer.From(parent).AppendFromExpr(sql.ExprFunc(func(b *sql.Builder) {
			b.WriteString("LATERAL ").Wrap(func(b *sql.Builder) { b.Join(picked) }).WriteString(" AS ").Ident("row")
		}))
	} else {
		picked := n.pick(s, parent.C("id"), page)
		outer.From(row).Join(parent).OnP(sql.P(func(b *sql.Builder) {
			if b.Ident(row.C("id")); b.Dialect() == dialect.Postgres {
				b.WriteString(" = ANY").Wrap(func(b *sql.Builder) { b.WriteString("ARRAY").Wrap(func(b *sql.Builder) { b.Join(picked) }) })
				return
			}
			b.WriteString(" IN ").Wrap(func(b *sql.Builder) { b.Join(picked) })
		}))
	}
	if n.parent == nil {
		outer.AppendSelectAs(parent.C("id"), parentColumn)
	}
	outer.OrderBy(parent.C("id"))
	n.order.reading(w).applyTo(outer, row)
	*s = *outer
}

// isCovered reports whether PostgreSQL finds the columns in the index by which it picks the rows. With others, it
// might read all rows of a hub and sort them, so that ids are picked first.
func (n nested[E, T]) isCovered(name string, columns []string) bool {
	return name == dialect.Postgres && len(n.belongs) == 1 && !slices.ContainsFunc(columns, func(column string) bool { return !slices.Contains(n.covered, column) })
}

// way selects columns of the rows of s that belong to the parent in one way and that narrow leaves.
func (n nested[E, T]) way(s *sql.Selector, belongs belonging, parent string, columns []string, narrow func(*sql.Selector)) *sql.Selector {
	own := *s
	own.Where(belongs(&own, parent)).Select(own.Columns(columns...)...)
	narrow(&own)
	return &own
}

// pick selects the ids of the rows of s that belong to the parent and that narrow leaves.
func (n nested[E, T]) pick(s *sql.Selector, parent string, narrow func(*sql.Selector)) *sql.Selector {
	d := sql.Dialect(s.Dialect())
	if len(n.belongs) == 1 {
		return n.way(s, n.belongs[0], parent, []string{"id"}, narrow)
	}
	// A row that belongs in two ways is picked once.
	columns := n.order.columns()
	var ways *sql.Selector
	for _, belongs := range n.belongs {
		own := n.way(s, belongs, parent, columns, narrow).As("way")
		if all := d.Select(own.Columns(columns...)...).From(own); ways == nil {
			ways = all
		} else {
			ways.Union(all)
		}
	}
	ways.As("ways")
	both := d.Select(ways.C("id")).From(ways).As("ways") // so that its columns are named by what it selects from
	narrow(both)
	return both
}

// count counts the lists of all parents.
func (n nested[E, T]) count(ctx context.Context, parents []ident.ID) (map[ident.ID]int, error) {
	rows, err := n.query(ctx, func(s *sql.Selector) {
		parent := idTable(s.Dialect(), parents).As("parent")
		mine := n.pick(s, parent.C("id"), func(*sql.Selector) {}).As("mine")
		counted := sql.Dialect(s.Dialect()).SelectExpr(sql.Raw("COUNT(*)")).From(mine)
		*s = *sql.Dialect(s.Dialect()).Select().From(parent).WithContext(s.Context())
		s.AppendSelectAs(parent.C("id"), parentColumn)
		s.AppendSelectExprAs(sql.ExprFunc(func(b *sql.Builder) { b.Wrap(func(b *sql.Builder) { b.Join(counted) }) }), countColumn)
	})
	if err != nil {
		return nil, store.Translate(err)
	}
	counts := make(map[ident.ID]int, len(rows))
	for _, row := range rows {
		counts[ident.ID(number(row, parentColumn))] = int(number(row, countColumn))
	}
	return counts, nil
}
