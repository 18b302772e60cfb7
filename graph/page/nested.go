package page

import (
	"context"
	"slices"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Link is a way in which a row belongs to its parents: by a column of its own that has the parent's id, or through a
// table between them, which may link the same two twice.
type Link struct {
	Parent string // the column with the parent's id
	Table  string // the table between them; "": the column is the row's own
	Row    string // the column of the table with the row's id
}

// holds returns the condition that a row of s belongs to the parent whose id the column has.
func (l Link) holds(s *sql.Selector, parent string) *sql.Predicate {
	if l.Table == "" {
		return sql.ColumnsEQ(s.C(l.Parent), parent)
	}
	link := sql.Dialect(s.Dialect()).Table(l.Table)
	return sql.In(s.C("id"), sql.Dialect(s.Dialect()).Select(link.C(l.Row)).From(link).Where(sql.ColumnsEQ(link.C(l.Parent), parent)))
}

// pages are the same page of each parent's list.
type pages[T any] map[ident.ID]*Connection[T]

// nestedKey names the pages of a batch: fields under other names may ask the same.
type nestedKey struct {
	name, fingerprint, filter string
	asked                     asked
}

// totalsOf names the totals of the lists that a key names the pages of.
type totalsOf struct{ pages nestedKey }

// Nested reads the page of row's list, for the whole batch in one statement; likewise the totals. The field of ctx says
// which list that is, the same for each record.
func Nested[P, E, T any](ctx context.Context, b *Batch[P], row P, id func(P) ident.ID, a Args, of func() (List[E, T], error)) (*Connection[T], error) {
	found, err := onceForField(ctx, b, func() (pages[T], error) {
		l, err := of()
		if err != nil {
			return nil, err
		}
		fingerprint := orderOf(l.Order).fingerprint(l.Name, l.Filter)
		key := nestedKey{l.Name, fingerprint, plain(l.Filter), a.asked()}
		return Once(b, key, func() (pages[T], error) {
			parents := Distinct(b.Rows, func(row P) *ident.ID { i := id(row); return &i })
			return l.pages(ctx, parents, fingerprint, a, func(ctx context.Context) (map[ident.ID]int, error) {
				return Once(b, totalsOf{key}, func() (map[ident.ID]int, error) { return l.count(ctx, parents) })
			})
		})
	})
	return found[id(row)], err
}

// pages reads the same page of the lists of all parents.
func (l List[E, T]) pages(ctx context.Context, parents []ident.ID, fingerprint string, a Args, totals func(context.Context) (map[ident.ID]int, error)) (pages[T], error) {
	t := l.table()
	w, err := t.order.window(a, fingerprint)
	if err != nil {
		return nil, err
	}
	rows, err := l.Query(ctx, func(s *sql.Selector) { t.perParent(s, parents, w) })
	if err != nil {
		return nil, err
	}
	parentOf := l.Parent
	if parentOf == nil {
		parentOf = func(row E) ident.ID { return ident.ID(Number(row, parentColumn)) }
	}
	byParent := map[ident.ID][]E{}
	for _, row := range rows {
		parent := parentOf(row)
		byParent[parent] = append(byParent[parent], row)
	}
	// All rows of all pages are one batch, so that what they need is again one statement.
	var kept []E
	more := map[ident.ID]bool{}
	for _, id := range parents {
		byParent[id], more[id] = cut(byParent[id], w)
		kept = append(kept, byParent[id]...)
	}
	nodes := l.Wrap(kept)
	result, from := make(pages[T], len(parents)), 0
	for _, id := range parents {
		mine := byParent[id]
		total := func(ctx context.Context) (int, error) {
			counts, err := totals(ctx)
			return counts[id], err
		}
		c := connect(t.order, w, l.cursors(fingerprint), mine, nodes[from:from+len(mine)], more[id], total)
		c.StateRevision = l.StateRevision
		c.group = func(ctx context.Context, g Grouping) ([]Count, error) {
			return l.grouped(ctx, g, func(s *sql.Selector) { s.Where(t.hasParent(s, id)) })
		}
		result[id] = c
		from += len(mine)
	}
	return result, nil
}

// table is what a list knows of its rows whatever their type: one code writes the statements of all lists.
type table struct {
	order      order
	belongs    []Link
	covered    []string
	addsParent bool // the statement adds the parent's id to each row
}

func (l List[E, T]) table() table {
	return table{orderOf(l.Order), l.Belongs, l.Covered, l.Parent == nil}
}

// perParent turns s into a statement that gives limit + 1 rows for each parent. The rows of each are picked by a
// subquery of its own, which reads an index in the list's order and stops: a hub costs its page, not its rows.
func (t table) perParent(s *sql.Selector, parents []ident.ID, w window) {
	o, d := t.order, sql.Dialect(s.Dialect())
	parent := idTable(s.Dialect(), parents).As("parent")
	columns := s.UnqualifiedColumns()
	page := func(s *sql.Selector) {
		o.bounds(s, w)
		o.reading(w).apply(s)
		s.Limit(w.limit + 1)
	}
	row := d.Table(s.TableName()).As("row")
	outer := d.Select(row.Columns(columns...)...).WithContext(s.Context())
	if t.isCovered(s.Dialect(), columns) {
		picked := t.way(s, t.belongs[0], parent.C("id"), columns, page)
		outer.From(parent).AppendFromExpr(sql.ExprFunc(func(b *sql.Builder) {
			b.WriteString("LATERAL ").Wrap(func(b *sql.Builder) { b.Join(picked) }).WriteString(" AS ").Ident("row")
		}))
	} else {
		picked := t.pick(s, parent.C("id"), page)
		outer.From(row).Join(parent).OnP(sql.P(func(b *sql.Builder) {
			if b.Ident(row.C("id")); b.Dialect() == dialect.Postgres {
				b.WriteString(" = ANY").Wrap(func(b *sql.Builder) { b.WriteString("ARRAY").Wrap(func(b *sql.Builder) { b.Join(picked) }) })
				return
			}
			b.WriteString(" IN ").Wrap(func(b *sql.Builder) { b.Join(picked) })
		}))
	}
	if t.addsParent {
		outer.AppendSelectAs(parent.C("id"), parentColumn)
	}
	outer.OrderBy(parent.C("id"))
	o.reading(w).applyTo(outer, row)
	*s = *outer
}

// isCovered reports whether PostgreSQL finds the columns in the index by which it picks the rows. With others, it
// might read all rows of a hub and sort them, so that ids are picked first.
func (t table) isCovered(name string, columns []string) bool {
	return name == dialect.Postgres && len(t.belongs) == 1 && !slices.ContainsFunc(columns, func(column string) bool { return !slices.Contains(t.covered, column) })
}

// way selects columns of the rows of s that belong to the parent in one way and that narrow leaves.
func (t table) way(s *sql.Selector, by Link, parent string, columns []string, narrow func(*sql.Selector)) *sql.Selector {
	own := *s
	own.Where(by.holds(&own, parent)).Select(own.Columns(columns...)...)
	narrow(&own)
	return &own
}

// pick selects the ids of the rows of s that belong to the parent and that narrow leaves.
func (t table) pick(s *sql.Selector, parent string, narrow func(*sql.Selector)) *sql.Selector {
	d := sql.Dialect(s.Dialect())
	if len(t.belongs) == 1 {
		return t.way(s, t.belongs[0], parent, []string{"id"}, narrow)
	}
	// A row that belongs in two ways is picked once.
	columns := t.order.columns()
	var ways *sql.Selector
	for _, by := range t.belongs {
		own := t.way(s, by, parent, columns, narrow).As("way")
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

// countPerParent turns s into a statement that counts the rows of each parent.
func (t table) countPerParent(s *sql.Selector, parents []ident.ID) {
	parent := idTable(s.Dialect(), parents).As("parent")
	mine := t.pick(s, parent.C("id"), func(*sql.Selector) {}).As("mine")
	counted := sql.Dialect(s.Dialect()).SelectExpr(sql.Raw("COUNT(*)")).From(mine)
	*s = *sql.Dialect(s.Dialect()).Select().From(parent).WithContext(s.Context())
	s.AppendSelectAs(parent.C("id"), parentColumn)
	s.AppendSelectExprAs(sql.ExprFunc(func(b *sql.Builder) { b.Wrap(func(b *sql.Builder) { b.Join(counted) }) }), countColumn)
}

// hasParent returns the condition that a row of s belongs to one parent.
func (t table) hasParent(s *sql.Selector, parent ident.ID) *sql.Predicate {
	ways := make([]*sql.Predicate, len(t.belongs))
	for i, by := range t.belongs {
		if by.Table == "" {
			ways[i] = sql.EQ(s.C(by.Parent), parent)
			continue
		}
		link := sql.Dialect(s.Dialect()).Table(by.Table)
		ways[i] = sql.In(s.C("id"), sql.Dialect(s.Dialect()).Select(link.C(by.Row)).From(link).Where(sql.EQ(link.C(by.Parent), parent)))
	}
	return sql.Or(ways...)
}

// count counts the lists of all parents.
func (l List[E, T]) count(ctx context.Context, parents []ident.ID) (map[ident.ID]int, error) {
	t := l.table()
	rows, err := l.Query(ctx, func(s *sql.Selector) { t.countPerParent(s, parents) })
	if err != nil {
		return nil, err
	}
	counts := make(map[ident.ID]int, len(rows))
	for _, row := range rows {
		counts[ident.ID(Number(row, parentColumn))] = int(Number(row, countColumn))
	}
	return counts, nil
}
