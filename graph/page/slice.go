package page

import (
	"cmp"
	"context"
	"slices"
)

// Slice is a list that each B of a batch has by computation: rows of E, shown as T.
type Slice[B comparable, E, T any] struct {
	Name  string
	About func(B) string // what else cursors are bound to
	Rows  func(B) ([]E, error)
	// Key tells rows apart, for cursors: an id, or one with more behind a KeySeparator.
	Key func(E) string
	// Hides reports whether the actor may not see a row; nil: all may be seen.
	Hides func(E) bool
	// Show returns how the rows of a batch's pages are shown, and loads before what they need.
	Show func(ctx context.Context, rows []E) (func(B, E) (T, error), error)
}

// KeySeparator stands between the id that a key begins with and what else it needs.
const KeySeparator = "."

// sliceKey names the pages of a batch. The lists of one name may differ by what its cursors are bound to, which they
// do for all rows alike.
type sliceKey struct {
	name, about string
	asked       asked
}

// Page shows the page of owner's list. It loads the rows of all pages of the batch at once.
func (s Slice[B, E, T]) Page(ctx context.Context, b *Batch[B], owner B, a Args) (*Connection[T], error) {
	type shown struct {
		page *Connection[T]
		err  error
	}
	all, err := Once(b, sliceKey{s.Name, s.About(b.Rows[0]), a.asked()}, func() (map[B]shown, error) {
		parts := make(map[B]part[E], len(b.Rows))
		var rows []E
		for _, of := range b.Rows {
			p := s.cut(of, a)
			rows = append(rows, p.rows[p.from:p.to]...)
			parts[of] = p
		}
		show, err := s.Show(ctx, rows)
		if err != nil {
			return nil, err
		}
		pages := make(map[B]shown, len(parts))
		for _, of := range b.Rows {
			page, wrong := s.connect(of, parts[of], show)
			pages[of] = shown{page, wrong}
		}
		return pages, nil
	})
	return all[owner].page, cmp.Or(err, all[owner].err)
}

// part is a page of a computed list before it is shown, or the error in its place.
type part[E any] struct {
	rows        []E
	restricted  int // how many more the actor may not see
	from, to    int
	fingerprint string
	err         error
}

// cut cuts the page out of the list, of what is not hidden.
func (s Slice[B, E, T]) cut(of B, a Args) part[E] {
	none := func(err error) part[E] { return part[E]{err: err} }
	fingerprint := order{}.fingerprint(s.Name, s.About(of))
	limit, backward, err := a.limit()
	if err != nil {
		return none(err)
	}
	rows, err := s.Rows(of)
	if err != nil {
		return none(err)
	}
	all := len(rows)
	if s.Hides != nil {
		rows = slices.DeleteFunc(slices.Clone(rows), s.Hides)
	}
	first, last := 0, len(rows)
	if a.After != nil {
		place, ok, err := find(*a.After, "after", fingerprint, rows, s.Key)
		if err != nil {
			return none(err)
		}
		if first = place; ok {
			first++
		}
	}
	if a.Before != nil {
		if last, _, err = find(*a.Before, "before", fingerprint, rows, s.Key); err != nil {
			return none(err)
		}
	}
	last = max(first, last)
	from, to := first, min(last, first+limit)
	if backward {
		from, to = max(first, last-limit), last
	}
	return part[E]{rows, all - len(rows), from, to, fingerprint, nil}
}

func (s Slice[B, E, T]) connect(of B, p part[E], show func(B, E) (T, error)) (*Connection[T], error) {
	if p.err != nil {
		return nil, p.err
	}
	c := &Connection[T]{
		Edges: []*Edge[T]{}, RestrictedCount: p.restricted, total: func(context.Context) (int, error) { return len(p.rows), nil },
		PageInfo: &Info{HasNextPage: p.to < len(p.rows), HasPreviousPage: p.from > 0},
	}
	cursor := func(place int) string {
		return encode(placeCursor{cursorVersion, p.fingerprint, s.Key(p.rows[place]), place})
	}
	for i, e := range p.rows[p.from:p.to] {
		node, err := show(of, e)
		if err != nil {
			return nil, err
		}
		c.Edges = append(c.Edges, &Edge[T]{node, p.from + i, cursor})
	}
	c.bound()
	return c, nil
}

// Ranked is a list that is read by place, such as what a search found, and no deeper than Most.
type Ranked[E, T any] struct {
	Name  string
	About any // what else cursors are bound to: plain data
	Most  int
	Read  func(ctx context.Context, limit, offset int) ([]E, error)
	// Show shows rows; what it gives no node for is left out.
	Show func(ctx context.Context, rows []E) (func(E) (node T, ok bool), error)
}

// Page reads the first records, or those after a cursor.
func (r Ranked[E, T]) Page(ctx context.Context, first *int, after *string) (*Connection[T], error) {
	fingerprint := order{}.fingerprint(r.Name, r.About)
	limit, _, err := Args{First: first}.limit()
	if err != nil {
		return nil, err
	}
	offset := 0
	if after != nil {
		var c placeCursor
		if !decode(*after, 1023, &c) || c.Version != cursorVersion || c.Fingerprint != fingerprint || c.Place < 1 || c.Place > r.Most {
			return nil, badCursor("after", "search")
		}
		offset = c.Place
	}
	rows, err := r.Read(ctx, limit+1, offset)
	if err != nil {
		return nil, err
	}
	c := &Connection[T]{Edges: []*Edge[T]{}, PageInfo: &Info{HasPreviousPage: offset > 0}}
	if len(rows) > limit {
		rows, c.PageInfo.HasNextPage = rows[:limit], offset+limit < r.Most
	}
	show, err := r.Show(ctx, rows)
	if err != nil {
		return nil, err
	}
	cursor := func(place int) string {
		return encode(placeCursor{Version: cursorVersion, Fingerprint: fingerprint, Place: place})
	}
	for i, e := range rows {
		if node, ok := show(e); ok {
			c.Edges = append(c.Edges, &Edge[T]{node, offset + i + 1, cursor})
		}
	}
	c.bound()
	return c, nil
}
