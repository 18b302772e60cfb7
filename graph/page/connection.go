package page

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// Bounds of a page.
const (
	Default = 20
	Max     = 100
)

// Args is the four arguments of a Relay connection.
type Args struct {
	First  *int
	After  *string
	Last   *int
	Before *string
}

// asked is arguments that can be compared.
type asked struct {
	first, last, after, before any
}

func (a Args) asked() asked {
	return asked{given(a.First), given(a.Last), given(a.After), given(a.Before)}
}

func given[V any](argument *V) any {
	if argument == nil {
		return nil
	}
	return *argument
}

// limit returns how many records a page has at most, and whether it is read from the back.
func (a Args) limit() (n int, backward bool, err error) {
	switch {
	case a.First != nil && a.Last != nil:
		return 0, false, errs.New(errs.BadUserInput, "first and last together ask for two pages at once: give one of them")
	case a.First != nil:
		n, err = within("first", *a.First)
		return n, false, err
	case a.Last != nil:
		n, err = within("last", *a.Last)
		return n, true, err
	}
	return Default, false, nil
}

func within(argument string, n int) (int, error) {
	if n < 0 || n > Max {
		return 0, errs.New(errs.BadUserInput, "%s is %d: a page has 0 to %d records", argument, n, Max)
	}
	return n, nil
}

// Connection is a page of a list.
type Connection[T any] struct {
	Edges    []*Edge[T]
	PageInfo *Info
	// RestrictedCount is how many more records a computed list has that the actor may not see.
	RestrictedCount int
	// LeftOutCount is how many of what a computed list is about it leaves out, because they are DOWN already.
	LeftOutCount int
	// IsSupposedInService says that a computed list was worked out as if what is planned were in service.
	IsSupposedInService bool

	// StateRevision is the revision of the graph that the list was chosen or ordered by; nil: by none.
	StateRevision *int64

	total func(context.Context) (int, error)  // nil: the list is empty
	guess func(context.Context) (bool, error) // whether total is an estimate; nil: it is none
	group func(context.Context, Grouping) ([]Count, error)
}

// Edge is a record in a page.
type Edge[T any] struct {
	Node   T
	place  int
	cursor func(place int) string
}

// Cursor names the record's place in the list. It is made when it is asked for.
func (e *Edge[T]) Cursor() string { return e.cursor(e.place) }

// Info says where a page lies in its list.
type Info struct {
	HasNextPage, HasPreviousPage bool
	start, end                   func() string
}

// StartCursor returns the cursor of the first record. If the page is empty, it returns nil.
func (p *Info) StartCursor() *string { return made(p.start) }

// EndCursor returns the cursor of the last record. If the page is empty, it returns nil.
func (p *Info) EndCursor() *string { return made(p.end) }

func made(cursor func() string) *string {
	if cursor == nil {
		return nil
	}
	text := cursor()
	return &text
}

// Nodes returns the records of the page.
func (c *Connection[T]) Nodes() []T {
	all := make([]T, len(c.Edges))
	for i, e := range c.Edges {
		all[i] = e.Node
	}
	return all
}

// TotalCount counts the whole list.
func (c *Connection[T]) TotalCount(ctx context.Context) (int, error) {
	if c.total == nil {
		return 0, nil
	}
	return c.total(ctx)
}

// IsTotalCountEstimated reports whether TotalCount is an estimate.
func (c *Connection[T]) IsTotalCountEstimated(ctx context.Context) (bool, error) {
	if c.guess == nil {
		return false, nil
	}
	return c.guess(ctx)
}

// Grouping is what the records of a list are counted by: a column, which an index may hold, or an expression over a row
// and what is to be joined for it.
type Grouping struct {
	Column string
	Join   func(s *sql.Selector) // nil: nothing; a record that it gives twice under one key counts once
	Key    func(b *sql.Builder, s *sql.Selector)
}

// Count is how many records of a list have a value; nil: none.
type Count struct {
	Key *string
	N   int
}

// CountBy counts the whole list by a value that its records have, the most frequent first, then by the value.
func (c *Connection[T]) CountBy(ctx context.Context, g Grouping) ([]Count, error) {
	if c.group == nil {
		return nil, nil
	}
	return c.group(ctx, g)
}

// bound gives the page info the cursors of the first and the last record.
func (c *Connection[T]) bound() {
	if n := len(c.Edges); n > 0 {
		c.PageInfo.start, c.PageInfo.end = c.Edges[0].Cursor, c.Edges[n-1].Cursor
	}
}
