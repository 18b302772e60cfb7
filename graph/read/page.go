package read

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Bounds of a page.
const (
	DefaultPage = 20
	MaxPage     = 100
)

// Page is the four arguments of a Relay connection.
type Page struct {
	First  *int
	After  *string
	Last   *int
	Before *string
}

// window is a page made sure of: how many, after or before which row, and which way to read.
type window struct {
	limit    int
	backward bool
	after    []any
	before   []any
}

// Connection is a page of a list.
type Connection[T any] struct {
	Edges    []*Edge[T]
	PageInfo *PageInfo
	// RestrictedCount is how many more records a computed list has that the actor may not see.
	RestrictedCount int

	total func(context.Context) (int, error)
}

// Edge is a record in a page.
type Edge[T any] struct {
	Node   T
	place  int
	cursor func(place int) string
}

// Cursor names the record's place in the list. It is made when it is asked for.
func (e *Edge[T]) Cursor() string { return e.cursor(e.place) }

// PageInfo says where a page lies in its list.
type PageInfo struct {
	HasNextPage, HasPreviousPage bool
	start, end                   func() string
}

// StartCursor is the cursor of the first record; nil on an empty page.
func (p *PageInfo) StartCursor() *string { return made(p.start) }

// EndCursor is the cursor of the last record; nil on an empty page.
func (p *PageInfo) EndCursor() *string { return made(p.end) }

func made(cursor func() string) *string {
	if cursor == nil {
		return nil
	}
	text := cursor()
	return &text
}

// Nodes are the records of the page.
func (c *Connection[T]) Nodes() []T {
	all := make([]T, len(c.Edges))
	for i, e := range c.Edges {
		all[i] = e.Node
	}
	return all
}

// TotalCount counts the whole list.
func (c *Connection[T]) TotalCount(ctx context.Context) (int, error) { return c.total(ctx) }

// term is one step of an order: a NOT NULL column and how a record of type E shows its value.
type term[E any] struct {
	column string
	desc   bool
	value  func(E) any
}

// order is the terms of a list's order. It always ends in the id.
type order[E any] []term[E]

// reversed is the same order read from the back.
func (o order[E]) reversed() order[E] {
	r := slices.Clone(o)
	for i := range r {
		r[i].desc = !r[i].desc
	}
	return r
}

// columns are the columns of its terms.
func (o order[E]) columns() []string {
	all := make([]string, len(o))
	for i, t := range o {
		all[i] = t.column
	}
	return all
}

// apply puts the order on a selector.
func (o order[E]) apply(s *sql.Selector) { o.applyTo(s, s) }

// applyTo puts the order of a table's rows on a selector.
func (o order[E]) applyTo(s *sql.Selector, rows sql.TableView) {
	for _, t := range o {
		if t.desc {
			s.OrderBy(sql.Desc(rows.C(t.column)))
		} else {
			s.OrderBy(sql.Asc(rows.C(t.column)))
		}
	}
}

// beyond is the condition that a row comes after the row with these values: for (a, b, id) it is
// a > x OR a = x AND (b > y OR b = y AND id > z), by each term's own direction.
func (o order[E]) beyond(s *sql.Selector, values []any) *sql.Predicate {
	column := s.C(o[0].column)
	compare := sql.GT
	if o[0].desc {
		compare = sql.LT
	}
	first := compare(column, values[0])
	if len(o) == 1 {
		return first
	}
	return sql.Or(first, sql.And(sql.EQ(column, values[0]), o[1:].beyond(s, values[1:])))
}

// bounds restricts a selector to the rows of a window, in the order to read them.
func (o order[E]) bounds(s *sql.Selector, w window) {
	if w.after != nil {
		s.Where(o.from(s, w.after))
	}
	if w.before != nil {
		s.Where(o.reversed().from(s, w.before))
	}
}

// from is beyond, with the bound of the first term said by itself: an index then starts there and not at its end.
func (o order[E]) from(s *sql.Selector, values []any) *sql.Predicate {
	if len(o) == 1 {
		return o.beyond(s, values)
	}
	compare := sql.GTE
	if o[0].desc {
		compare = sql.LTE
	}
	return sql.And(compare(s.C(o[0].column), values[0]), o.beyond(s, values))
}

// reading is the order in which a window is read: backward windows from the back.
func (o order[E]) reading(w window) order[E] {
	if w.backward {
		return o.reversed()
	}
	return o
}

// fingerprint binds cursors to what they were made for.
func (o order[E]) fingerprint(list string, filter any) string {
	h := fnv.New64a()
	text, err := json.Marshal(filter)
	if err != nil {
		panic(err) // filters are plain data
	}
	_, _ = fmt.Fprintf(h, "%s|%s", list, text)
	for _, t := range o {
		_, _ = fmt.Fprintf(h, "|%s %t", t.column, t.desc)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

const (
	cursorVersion = 1
	maxMoment     = 253_402_300_799_999_999 // the last microsecond of the year 9999
)

type cursorText struct {
	Version     int    `json:"v"`
	Fingerprint string `json:"f"`
	Values      []any  `json:"k"`
}

// cursor names a record's place in the list.
func (o order[E]) cursor(fingerprint string, e E) string {
	c := cursorText{cursorVersion, fingerprint, make([]any, len(o))}
	for i, t := range o {
		switch v := t.value(e).(type) {
		case time.Time:
			c.Values[i] = v.UTC().UnixMicro()
		case ident.ID:
			c.Values[i] = v.String()
		default:
			c.Values[i] = v
		}
	}
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// parse reads a cursor back into typed values: nothing of it reaches SQL but as an argument of its column's type.
func (o order[E]) parse(fingerprint, argument, text string) ([]any, error) {
	bad := errs.New(errs.BadCursor, "%s: the cursor does not belong to this list, filter and order; take cursors from pageInfo or edges of the same query", argument)
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(text) > 4096 {
		return nil, bad
	}
	var c cursorText
	if err := json.Unmarshal(raw, &c); err != nil || c.Version != cursorVersion || c.Fingerprint != fingerprint || len(c.Values) != len(o) {
		return nil, bad
	}
	values := make([]any, len(o))
	for i, t := range o {
		number, isNumber := c.Values[i].(float64)
		isNumber = isNumber && number == math.Trunc(number) && math.Abs(number) <= maxMoment
		word, isText := c.Values[i].(string)
		switch t.sample().(type) {
		case time.Time:
			if !isNumber {
				return nil, bad
			}
			values[i] = time.UnixMicro(int64(number)).UTC()
		case ident.ID:
			id, err := ident.Parse(word)
			if err != nil {
				return nil, bad
			}
			values[i] = id
		case int:
			if !isNumber {
				return nil, bad
			}
			values[i] = int(number)
		default:
			if !isText || strings.ContainsRune(word, 0) { // PostgreSQL has no text with NUL
				return nil, bad
			}
			values[i] = word
		}
	}
	return values, nil
}

// sample is a value of the type that the column has.
func (t term[E]) sample() any {
	switch t.column {
	case "id":
		return ident.ID(0)
	case "created_at", "updated_at", "at":
		return time.Time{}
	case "priority", "rank":
		return 0
	default:
		return ""
	}
}

// window checks the arguments of a connection.
func (o order[E]) window(p Page, fingerprint string) (w window, err error) {
	w.limit = DefaultPage
	switch {
	case p.First != nil && p.Last != nil:
		return w, errs.New(errs.BadUserInput, "first and last together ask for two pages at once: give one of them")
	case p.First != nil:
		w.limit, err = within("first", *p.First)
	case p.Last != nil:
		w.backward = true
		w.limit, err = within("last", *p.Last)
	}
	if err == nil && p.After != nil {
		w.after, err = o.parse(fingerprint, "after", *p.After)
	}
	if err == nil && p.Before != nil {
		w.before, err = o.parse(fingerprint, "before", *p.Before)
	}
	return w, err
}

func within(argument string, n int) (int, error) {
	if n < 0 || n > MaxPage {
		return 0, errs.New(errs.BadUserInput, "%s is %d: a page has 0 to %d records", argument, n, MaxPage)
	}
	return n, nil
}

// connect makes a connection of rows in list order with their nodes; more says whether the statement gave a row
// beyond the window's limit.
func connect[E, T any](o order[E], w window, fingerprint string, rows []E, nodes []T, more bool, total func(context.Context) (int, error)) *Connection[T] {
	c := &Connection[T]{Edges: make([]*Edge[T], len(rows)), total: total, PageInfo: &PageInfo{}}
	edges, cursor := make([]Edge[T], len(rows)), func(place int) string { return o.cursor(fingerprint, rows[place]) }
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

// bound gives the page info the cursors of the first and the last record.
func (c *Connection[T]) bound() {
	if n := len(c.Edges); n > 0 {
		c.PageInfo.start, c.PageInfo.end = c.Edges[0].Cursor, c.Edges[n-1].Cursor
	}
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
