package page

import "context"

// Walk is a list that is worked out on the way, forward only: nobody knows its end before it is reached.
type Walk[E, T any] struct {
	Name  string
	About any // what else cursors are bound to: plain data
	// Read returns the next rows after a place, at most limit, and the place to go on from; "" is the beginning and the
	// end. It may return fewer rows, or none, before the end, so that a page takes a bounded time.
	Read func(ctx context.Context, after string, limit int) (rows []E, next string, err error)
	// Place returns the place of a row, to go on behind it.
	Place func(E) string
	Show  func(ctx context.Context, rows []E) ([]T, error)
}

// Page reads the first rows, or those after a cursor. Its last cursor is where to go on, also if the page is empty.
func (w Walk[E, T]) Page(ctx context.Context, first *int, after *string) (*Connection[T], error) {
	fingerprint := order{}.fingerprint(w.Name, w.About)
	limit, _, err := Args{First: first}.limit()
	if err != nil {
		return nil, err
	}
	from := ""
	if after != nil {
		var c placeCursor
		if !decode(*after, 1023, &c) || c.Version != cursorVersion || c.Fingerprint != fingerprint || c.Key == "" {
			return nil, badCursor("after", w.Name)
		}
		from = c.Key
	}
	rows, next, err := w.Read(ctx, from, limit)
	if err != nil {
		return nil, err
	}
	nodes, err := w.Show(ctx, rows)
	if err != nil {
		return nil, err
	}
	c := &Connection[T]{Edges: []*Edge[T]{}, PageInfo: &Info{HasPreviousPage: from != "", HasNextPage: next != ""}}
	cursor := func(place string) string {
		return encode(placeCursor{Version: cursorVersion, Fingerprint: fingerprint, Key: place})
	}
	for i, node := range nodes {
		c.Edges = append(c.Edges, &Edge[T]{node, i, func(i int) string { return cursor(w.Place(rows[i])) }})
	}
	c.bound()
	if next != "" {
		c.PageInfo.end = func() string { return cursor(next) }
	}
	return c, nil
}
