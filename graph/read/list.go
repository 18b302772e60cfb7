package read

import (
	"context"
	"encoding/json"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// list is how a table is read as connections. E is the row, T what clients see.
type list[E, T any] struct {
	name   string
	filter any // what the list was narrowed by, for cursors
	order  order[E]
	query  func(ctx context.Context, modify func(*sql.Selector)) ([]E, error)
	wrap   func([]E) []T
}

// page reads one page: one statement, and one more when the total is asked for.
func (l list[E, T]) page(ctx context.Context, p Page) (*Connection[T], error) {
	fingerprint := l.order.fingerprint(l.name, l.filter)
	w, err := l.order.window(p, fingerprint)
	if err != nil {
		return nil, err
	}
	rows, err := l.query(ctx, func(s *sql.Selector) {
		l.order.bounds(s, w)
		l.order.reading(w).apply(s)
		s.Limit(w.limit + 1)
	})
	if err != nil {
		return nil, store.Translate(err)
	}
	rows, more := cut(rows, w)
	return connect(l.order, w, fingerprint, rows, l.wrap(rows), more, l.total), nil
}

// total counts the whole list.
func (l list[E, T]) total(ctx context.Context) (int, error) {
	rows, err := l.query(ctx, func(s *sql.Selector) { s.Select().AppendSelectExprAs(sql.Raw("COUNT(*)"), countColumn) })
	if err != nil {
		return 0, store.Translate(err)
	}
	return int(number(rows[0], countColumn)), nil
}

// The columns that statements add to a table's own.
const (
	countColumn  = "x_count"
	parentColumn = "x_parent"
	placeColumn  = "x_place"
)

// number is an added column of a row.
func number(row any, column string) int64 {
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

// nested is a list that each record of a batch has its own of. A row belongs to a parent when one of the conditions
// holds: one by each way to belong, each with an index behind it.
type nested[E, T any] struct {
	list[E, T]
	belongs []belonging
	covered []string         // the columns in the index by which rows belong, where they belong in one way
	parent  func(E) ident.ID // the column by which a row belongs; nil: there is none, or several, and the statement adds one
}

// pages are the same page of each parent's list.
type pages[T any] map[ident.ID]*Connection[T]

// nestedPage reads the page of row's list, for the whole batch in one statement; likewise the totals. Which list that
// is, the field of ctx says, for each record the same.
func nestedPage[P, E, T any](ctx context.Context, b *batch[P], row P, id func(P) ident.ID, p Page, of func() (nested[E, T], error)) (*Connection[T], error) {
	found, err := onceForField(ctx, b, func() (pages[T], error) {
		n, err := of()
		if err != nil {
			return nil, err
		}
		arguments, err := json.Marshal([]any{n.filter, p})
		if err != nil {
			return nil, err
		}
		fingerprint := n.order.fingerprint(n.name, n.filter)
		key := fmt.Sprintf("%s %s %s", n.name, fingerprint, arguments) // fields under other names may ask the same
		return once(b, key, func() (pages[T], error) { return n.load(ctx, key, b.ids(id), fingerprint, p, b.totals) })
	})
	return found[id(row)], err
}

// ids are the ids of the batch's records, each once.
func (b *batch[T]) ids(id func(T) ident.ID) []ident.ID {
	return distinct(b.rows, func(row T) *ident.ID { i := id(row); return &i })
}

// totals runs a count for the whole batch once.
func (b *batch[T]) totals(key string, count func() (map[ident.ID]int, error)) (map[ident.ID]int, error) {
	return once(b, "total of "+key, count)
}

func (n nested[E, T]) load(ctx context.Context, key string, parents []ident.ID, fingerprint string, p Page,
	totals func(string, func() (map[ident.ID]int, error)) (map[ident.ID]int, error),
) (pages[T], error) {
	w, err := n.order.window(p, fingerprint)
	if err != nil {
		return nil, err
	}
	rows, err := n.query(ctx, func(s *sql.Selector) { n.perParent(s, parents, w) })
	if err != nil {
		return nil, store.Translate(err)
	}
	byParent := map[ident.ID][]E{}
	parentOf := n.parent
	if parentOf == nil {
		parentOf = func(row E) ident.ID { return ident.ID(number(row, parentColumn)) }
	}
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
	nodes := n.wrap(kept)
	result, from := make(pages[T], len(parents)), 0
	for _, id := range parents {
		mine := byParent[id]
		total := func(ctx context.Context) (int, error) {
			counts, err := totals(key, func() (map[ident.ID]int, error) { return n.count(ctx, parents) })
			return counts[id], err
		}
		result[id] = connect(n.order, w, fingerprint, mine, nodes[from:from+len(mine)], more[id], total)
		from += len(mine)
	}
	return result, nil
}
