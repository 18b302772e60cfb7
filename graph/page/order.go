package page

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Term is one step of an order: a NOT NULL column, and how a record of type E shows its value.
type Term[E any] struct{ term }

// term is a Term whatever the type of the records: one code serves all lists.
type term struct {
	Column string
	desc   bool
	value  func(record any) any
	kind   kind
	sql    Expression // nil: the column itself
	name   string     // of the expression, for cursors
}

// Expression writes what rows are ordered by. It names their columns by column.
type Expression func(b *sql.Builder, column func(string) string)

// By returns the ascending order of a column, whose kind is that of the values.
func By[E any, V string | int | time.Time | ident.ID](column string, value func(E) V) Term[E] {
	var none V
	return Term[E]{term{Column: column, value: func(record any) any { return value(record.(E)) }, kind: kindOf(none)}}
}

// Over returns the same step by an expression that the column, and perhaps others, are in; the values are its
// values, and the name tells it from others.
func (t Term[E]) Over(name string, expression Expression) Term[E] {
	t.name, t.sql = name, expression
	return t
}

// compared returns the condition that a row's value compares with another by an operator.
func (t term) compared(s *sql.Selector, operator sql.Op, value any) *sql.Predicate {
	rows := *s // by the time it is written out, another statement may stand in its place
	return sql.P(func(b *sql.Builder) {
		if t.sql == nil {
			b.Ident(rows.C(t.Column))
		} else {
			t.sql(b, rows.C)
		}
		b.WriteOp(operator).Arg(value)
	})
}

// Descending returns the same step the other way.
func (t Term[E]) Descending() Term[E] {
	t.desc = !t.desc
	return t
}

// kind is how the values of a column are compared and go into cursors.
type kind struct {
	write   func(value any) any // as JSON has it
	read    func(text any) (value any, ok bool)
	compare func(a, b any) int
}

func same(value any) any { return value }

func comparing[V any](compare func(a, b V) int) func(a, b any) int {
	return func(a, b any) int { return compare(a.(V), b.(V)) }
}

func kindOf(sample any) kind {
	switch sample.(type) {
	case time.Time:
		return kind{func(v any) any { return v.(time.Time).UTC().UnixMicro() }, func(text any) (any, bool) {
			n, ok := whole(text)
			return time.UnixMicro(n).UTC(), ok
		}, comparing(time.Time.Compare)}
	case ident.ID:
		return kind{func(v any) any { return v.(ident.ID).String() }, func(text any) (any, bool) {
			word, _ := text.(string)
			id, err := ident.Parse(word)
			return id, err == nil
		}, comparing(cmp.Compare[ident.ID])}
	case int:
		return kind{same, func(text any) (any, bool) {
			n, ok := whole(text)
			return int(n), ok
		}, comparing(cmp.Compare[int])}
	default:
		return kind{same, func(text any) (any, bool) {
			word, ok := text.(string)
			return word, ok && !strings.ContainsRune(word, 0) // PostgreSQL has no text with NUL
		}, comparing(strings.Compare)}
	}
}

// order is the terms of a list's order. It always ends in the id.
type order []term

// orderOf returns the order that terms are.
func orderOf[E any](terms []Term[E]) order {
	o := make(order, len(terms))
	for i, t := range terms {
		o[i] = t.term
	}
	return o
}

// reversed returns the same order read from the back.
func (o order) reversed() order {
	r := slices.Clone(o)
	for i := range r {
		r[i].desc = !r[i].desc
	}
	return r
}

// columns returns the columns of its terms.
func (o order) columns() []string {
	all := make([]string, len(o))
	for i, t := range o {
		all[i] = t.Column
	}
	return all
}

// compare returns whether a record comes before (-1), at (0) or after (1) the one with these values.
func (o order) compare(record any, values []any) int {
	for i, t := range o {
		if c := t.kind.compare(t.value(record), values[i]); c != 0 {
			if t.desc {
				return -c
			}
			return c
		}
	}
	return 0
}

// apply puts the order on a selector.
func (o order) apply(s *sql.Selector) { o.applyTo(s, s) }

// applyTo puts the order of a table's rows on a selector.
func (o order) applyTo(s *sql.Selector, rows sql.TableView) {
	for _, t := range o {
		switch {
		case t.sql != nil:
			if own, ok := rows.(*sql.Selector); ok {
				kept := *own
				rows = &kept
			}
			s.OrderExpr(sql.ExprFunc(func(b *sql.Builder) {
				t.sql(b, rows.C)
				if t.desc {
					b.WriteString(" DESC")
				}
			}))
		case t.desc:
			s.OrderBy(sql.Desc(rows.C(t.Column)))
		default:
			s.OrderBy(sql.Asc(rows.C(t.Column)))
		}
	}
}

// beyond returns the condition that a row comes after the row with these values: for (a, b, id) it is a > x OR a = x
// AND (b > y OR b = y AND id > z), by each term's own direction.
func (o order) beyond(s *sql.Selector, values []any) *sql.Predicate {
	compare := sql.OpGT
	if o[0].desc {
		compare = sql.OpLT
	}
	first := o[0].compared(s, compare, values[0])
	if len(o) == 1 {
		return first
	}
	return sql.Or(first, sql.And(o[0].compared(s, sql.OpEQ, values[0]), o[1:].beyond(s, values[1:])))
}

// bounds restricts a selector to the rows of a window, in the order to read them.
func (o order) bounds(s *sql.Selector, w window) {
	if w.after != nil {
		s.Where(o.from(s, w.after))
	}
	if w.before != nil {
		s.Where(o.reversed().from(s, w.before))
	}
}

// from returns the condition of beyond, with the bound of the first term said by itself: an index then starts there and
// not at its end.
func (o order) from(s *sql.Selector, values []any) *sql.Predicate {
	if len(o) == 1 {
		return o.beyond(s, values)
	}
	compare := sql.OpGTE
	if o[0].desc {
		compare = sql.OpLTE
	}
	return sql.And(o[0].compared(s, compare, values[0]), o.beyond(s, values))
}

// reading returns the order in which a window is read: backward windows from the back.
func (o order) reading(w window) order {
	if w.backward {
		return o.reversed()
	}
	return o
}

// window is a page made sure of: how many, after or before which row, and which way to read.
type window struct {
	limit    int
	backward bool
	after    []any
	before   []any
	marks    []marked
}

// marked is the row that a cursor names, and its mark.
type marked struct {
	key  []any
	mark string
}

// window checks the arguments of a connection.
func (o order) window(a Args, fingerprint string) (w window, err error) {
	w.limit, w.backward, err = a.limit()
	var mark string
	if err == nil && a.After != nil {
		w.after, mark, err = o.parse(fingerprint, "after", *a.After)
		w.marks = append(w.marks, marked{w.after, mark})
	}
	if err == nil && a.Before != nil {
		w.before, mark, err = o.parse(fingerprint, "before", *a.Before)
		w.marks = append(w.marks, marked{w.before, mark})
	}
	return w, err
}

// plain returns plain data as text, such as a filter.
func plain(data any) string {
	text, err := json.Marshal(data)
	if err != nil {
		panic(err) // filters are plain data
	}
	return string(text)
}
