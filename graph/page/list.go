package page

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// List is how rows are read as connections. E is the row, T what clients see.
type List[E, T any] struct {
	Name   string
	Filter any       // what the list was narrowed by, for cursors: plain data
	Order  []Term[E] // it ends in the id
	// Query reads the table's rows by a statement that modify completes.
	Query func(ctx context.Context, modify func(*sql.Selector)) ([]E, error)
	// All lists all rows in their order and their number, if they are not the rows of a table.
	All  func(ctx context.Context) (rows iter.Seq[E], total int, err error)
	Wrap func([]E) []T
	// Mark tells a row from one with the same key in another history of the database, and Recognise returns the failure
	// of a cursor whose row has another mark, or is not there. If both are nil, rows are known by their keys alone.
	Mark      func(E) string
	Recognise func(ctx context.Context, key []any, mark string) error
	// StateRevision is the revision of the graph that the filter or the order went by; nil: by none.
	StateRevision *int64
	// Most is how many rows are counted; beyond, Estimate says how many there are, by the row behind those. 0: all.
	Most     int
	Estimate func(ctx context.Context, behind E) (int, error)

	// Belongs are the ways in which a row belongs to the parent whose nested list it is in. One of them must hold, and
	// each has an index behind it.
	Belongs []Link
	Covered []string         // the columns in the index by which rows belong, where they belong in one way
	Parent  func(E) ident.ID // the column by which a row belongs to its parent; nil if no single column does, so that the statement adds one
}

// Page reads one page: one statement, and one more when the total is asked for.
func (l List[E, T]) Page(ctx context.Context, a Args) (*Connection[T], error) {
	o := orderOf(l.Order)
	fingerprint := o.fingerprint(l.Name, l.Filter)
	w, err := o.window(a, fingerprint)
	if err != nil {
		return nil, err
	}
	for _, m := range w.marks {
		if l.Recognise == nil || m.mark == "" { // of a list without marks, or from before there were any
			continue
		}
		if err := l.Recognise(ctx, m.key, m.mark); err != nil {
			return nil, err
		}
	}
	var rows []E
	total, guess := l.counting(o)
	if l.All != nil {
		all, n, err := l.All(ctx)
		if err != nil {
			return nil, err
		}
		rows, total = among(o, all, w), func(context.Context) (int, error) { return n, nil }
	} else if rows, err = l.Query(ctx, func(s *sql.Selector) {
		o.bounds(s, w)
		o.reading(w).apply(s)
		s.Limit(w.limit + 1)
	}); err != nil {
		return nil, err
	}
	rows, more := cut(rows, w)
	c := connect(o, w, l.cursors(fingerprint), rows, l.Wrap(rows), more, total)
	c.StateRevision, c.guess = l.StateRevision, guess
	c.group = func(ctx context.Context, g Grouping) ([]Count, error) { return l.grouped(ctx, g, nil) }
	return c, nil
}

// among returns those of some rows that a statement for the window would give.
func among[E any](o order, all iter.Seq[E], w window) (rows []E) {
	for e := range all {
		if w.after != nil && o.compare(e, w.after) <= 0 {
			continue
		}
		if w.before != nil && o.compare(e, w.before) >= 0 {
			break
		}
		if rows = append(rows, e); len(rows) > w.limit && !w.backward {
			break
		}
	}
	if w.backward {
		slices.Reverse(rows)
	}
	return rows
}

// counting returns functions that count the whole list, once, and report whether that is an estimate.
func (l List[E, T]) counting(o order) (total func(context.Context) (int, error), guess func(context.Context) (bool, error)) {
	if l.Most == 0 {
		return l.total, nil
	}
	var once sync.Once
	var n int
	var isGuess bool
	var failed error
	count := func(ctx context.Context) {
		once.Do(func() {
			var behind []E
			behind, failed = l.Query(ctx, func(s *sql.Selector) {
				o.reading(window{}).apply(s)
				s.Offset(l.Most).Limit(1)
			})
			switch {
			case failed != nil:
			case len(behind) == 0:
				n, failed = l.total(ctx)
			default:
				isGuess = true
				n, failed = l.Estimate(ctx, behind[0])
			}
		})
	}
	return func(ctx context.Context) (int, error) { count(ctx); return n, failed }, func(ctx context.Context) (bool, error) { count(ctx); return isGuess, failed }
}

// total counts the whole list.
func (l List[E, T]) total(ctx context.Context) (int, error) {
	rows, err := l.Query(ctx, func(s *sql.Selector) { s.Select().AppendSelectExprAs(sql.Raw("COUNT(*)"), countColumn) })
	if err != nil {
		return 0, err
	}
	return int(Number(rows[0], countColumn)), nil
}

// The columns that statements add to a table's own.
const (
	countColumn  = "x_count"
	parentColumn = "x_parent"
	keyColumn    = "x_key"
)

// Number returns a whole number that a statement added to a row of ent's under a name.
func Number(row any, column string) int64 {
	v, err := row.(interface {
		Value(string) (ent.Value, error)
	}).Value(column)
	if err != nil {
		panic(err) // the statement of the same function selects it
	}
	switch n := v.(type) {
	case int64:
		return n
	case *int64:
		return *n
	default:
		panic(fmt.Sprintf("column %s is a %T", column, v))
	}
}

// grouped counts the list by a value. Narrow restricts the statement, if the list is one of several.
func (l List[E, T]) grouped(ctx context.Context, g Grouping, narrow func(s *sql.Selector)) ([]Count, error) {
	rows, err := l.Query(ctx, func(s *sql.Selector) {
		if narrow != nil {
			narrow(s)
		}
		groupBy(s, g)
	})
	if err != nil {
		return nil, err
	}
	all := make([]Count, 0, len(rows))
	none := -1
	for _, row := range rows {
		c := Count{key(row), int(Number(row, countColumn))}
		if c.Key == nil && none >= 0 { // an empty text is none, as NULL is
			all[none].N += c.N
			continue
		}
		if c.Key == nil {
			none = len(all)
		}
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b Count) int { // what has none comes last among its like on both databases
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(isNone(a.Key), isNone(b.Key)))
	})
	return all, nil
}

// groupBy turns s into the statement that counts its rows by a value.
func groupBy(s *sql.Selector, g Grouping) {
	count, by := "COUNT(*)", quoted(s, keyColumn)
	switch {
	case g.Join != nil:
		count = "COUNT(DISTINCT " + s.C("id") + ")"
		g.Join(s)
	case g.Column != "":
		by = s.C(g.Column)
		g.Key = func(b *sql.Builder, s *sql.Selector) {
			b.WriteString("NULLIF(CAST(").Ident(s.C(g.Column)).WriteString(" AS TEXT), '')")
		}
	}
	// SQLite tells the type of a column by its first row, which therefore must not be NULL.
	key := func(b *sql.Builder) {
		b.WriteString("COALESCE('=' || CAST(")
		g.Key(b, s)
		if b.WriteString(" AS TEXT), '')"); b.Dialect() == dialect.Postgres {
			b.WriteString(` COLLATE "C"`) // as SQLite orders
		}
	}
	s.Select().AppendSelectExprAs(sql.ExprFunc(key), keyColumn).AppendSelectExprAs(sql.Raw(count), countColumn)
	s.GroupBy(by).OrderBy(sql.Desc(quoted(s, countColumn)), sql.Asc(quoted(s, keyColumn))).Limit(Max)
}

func isNone(key *string) int {
	if key == nil {
		return 1
	}
	return 0
}

// quoted returns a column that a statement adds, by its name alone.
func quoted(s *sql.Selector, column string) string {
	return sql.Dialect(s.Dialect()).String(func(b *sql.Builder) { b.Ident(column) })
}

// key returns what a row of grouped counts; nil: what has none.
func key(row any) *string {
	v, err := row.(interface {
		Value(string) (ent.Value, error)
	}).Value(keyColumn)
	if err != nil {
		panic(err) // the statement of the same function selects it
	}
	text, ok := v.(string)
	if pointer, isPointer := v.(*string); isPointer {
		text, ok = *pointer, true
	}
	if !ok {
		panic(fmt.Sprintf("column %s is a %T", keyColumn, v))
	}
	value, has := strings.CutPrefix(text, "=")
	if !has {
		return nil
	}
	return &value
}

// cursors returns how rows become cursors.
func (l List[E, T]) cursors(fingerprint string) func(o order, row E) string {
	return func(o order, row E) string {
		mark := ""
		if l.Mark != nil {
			mark = l.Mark(row)
		}
		return o.cursor(fingerprint, row, mark)
	}
}

// connect makes a connection of rows in list order with their nodes; more says whether the statement gave a row
// beyond the window's limit.
func connect[E, T any](o order, w window, cursors func(order, E) string, rows []E, nodes []T, more bool, total func(context.Context) (int, error)) *Connection[T] {
	c := &Connection[T]{Edges: make([]*Edge[T], len(rows)), total: total, PageInfo: &Info{}}
	edges, cursor := make([]Edge[T], len(rows)), func(place int) string { return cursors(o, rows[place]) }
	for i := range rows {
		edges[i] = Edge[T]{nodes[i], i, cursor}
		c.Edges[i] = &edges[i]
	}
	// Where a cursor bounds the page, the record that it names lies beyond.
	c.PageInfo.HasNextPage = w.before != nil || more && !w.backward
	c.PageInfo.HasPreviousPage = w.after != nil || more && w.backward
	c.bound()
	return c
}

// cut drops the row beyond the limit and puts what is left into list order.
func cut[E any](rows []E, w window) (_ []E, more bool) {
	if more = len(rows) > w.limit; more {
		rows = rows[:w.limit]
	}
	if w.backward {
		slices.Reverse(rows)
	}
	return rows, more
}
