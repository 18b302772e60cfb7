package read

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// sliceCursor names a place in a list that was computed and not read: the id that stood there, and where, in case
// that id has left the list since.
type sliceCursor struct {
	Version     int    `json:"v"`
	Fingerprint string `json:"f"`
	ID          string `json:"i"`
	Place       int    `json:"p"`
}

func (c sliceCursor) encode() string {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// computed is a list that each B of a batch has by computation: rows that stand for CIs, shown as T.
type computed[B comparable, E, T any] struct {
	name  string
	about func(B) string // what else cursors are bound to
	has   func(B) bool   // false where the computation failed
	rows  func(B) ([]E, error)
	ci    func(E) ident.ID
	show  func(B, E, *CI) T
}

// part is a page of a computed list before it is shown, or why there is none.
type part[E any] struct {
	rows        []E
	restricted  int // how many more the actor may not see
	from, to    int
	fingerprint string
	err         error
}

// page reads the page of owner's list, for the whole batch in one statement.
func (l computed[B, E, T]) page(ctx context.Context, b *batch[B], owner B, p Page) (*Connection[T], error) {
	arguments, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	type shown struct {
		page *Connection[T]
		err  error
	}
	all, err := once(b, l.name+string(arguments), func() (map[B]shown, error) {
		hidden, err := b.reader.hidden(ctx)
		if err != nil {
			return nil, err
		}
		parts := make(map[B]part[E], len(b.rows))
		var ids []ident.ID
		for _, row := range b.rows {
			if l.has(row) {
				cut := l.part(row, p, hidden)
				for _, e := range cut.rows[cut.from:cut.to] {
					ids = append(ids, l.ci(e))
				}
				parts[row] = cut
			}
		}
		cis, err := loadCIs(ctx, b.reader, ids)
		pages := make(map[B]shown, len(parts))
		for row, cut := range parts {
			page, wrong := l.connect(row, cut, cis)
			pages[row] = shown{page, wrong}
		}
		return pages, err
	})
	return all[owner].page, cmp.Or(err, all[owner].err)
}

// part cuts a page out of the list of row, of what is not hidden.
func (l computed[B, E, T]) part(row B, p Page, hidden map[ident.ID]bool) part[E] {
	hides := func(e E) bool { return hidden[l.ci(e)] }
	if len(hidden) == 0 {
		hides = nil
	}
	return cutOut(l.name, l.about(row), func() ([]E, error) { return l.rows(row) }, func(e E) string { return l.ci(e).String() }, hides, p)
}

// cutOut cuts a page out of a list, of what is not hidden. Its rows are told apart by a key, which begins with an id.
func cutOut[E any](name, about string, list func() ([]E, error), key func(E) string, hides func(E) bool, p Page) part[E] {
	none := func(err error) part[E] { return part[E]{err: err} }
	fingerprint := order[E]{}.fingerprint(name, about)
	w, err := order[E]{}.window(Page{First: p.First, Last: p.Last}, fingerprint)
	if err != nil {
		return none(err)
	}
	rows, err := list()
	if err != nil {
		return none(err)
	}
	all := len(rows)
	if hides != nil {
		rows = slices.DeleteFunc(slices.Clone(rows), hides)
	}
	first, last := 0, len(rows)
	if p.After != nil {
		place, found, err := findPlace(*p.After, "after", fingerprint, rows, key)
		if err != nil {
			return none(err)
		}
		if first = place; found {
			first++
		}
	}
	if p.Before != nil {
		if last, _, err = findPlace(*p.Before, "before", fingerprint, rows, key); err != nil {
			return none(err)
		}
	}
	last = max(first, last)
	from, to := first, min(last, first+w.limit)
	if w.backward {
		from, to = max(first, last-w.limit), last
	}
	return part[E]{rows, all - len(rows), from, to, fingerprint, nil}
}

// cursor names the places of the rows, each of which has a key.
func (cut part[E]) cursor(key func(E) string) func(place int) string {
	return func(place int) string {
		return sliceCursor{cursorVersion, cut.fingerprint, key(cut.rows[place]), place}.encode()
	}
}

// connection makes a connection of a part whose rows need nothing but themselves to be shown.
func connection[E, T any](cut part[E], key func(E) string, show func(E) T) (*Connection[T], error) {
	if cut.err != nil {
		return nil, cut.err
	}
	c := &Connection[T]{
		Edges: []*Edge[T]{}, total: func(context.Context) (int, error) { return len(cut.rows), nil },
		PageInfo: &PageInfo{HasNextPage: cut.to < len(cut.rows), HasPreviousPage: cut.from > 0},
	}
	cursor := cut.cursor(key)
	for i, e := range cut.rows[cut.from:cut.to] {
		c.Edges = append(c.Edges, &Edge[T]{show(e), cut.from + i, cursor})
	}
	c.bound()
	return c, nil
}

// connect makes a connection of a part.
func (l computed[B, E, T]) connect(row B, cut part[E], cis map[ident.ID]*CI) (*Connection[T], error) {
	if cut.err != nil {
		return nil, cut.err
	}
	c := &Connection[T]{
		Edges: []*Edge[T]{}, RestrictedCount: cut.restricted, total: func(context.Context) (int, error) { return len(cut.rows), nil },
		PageInfo: &PageInfo{HasNextPage: cut.to < len(cut.rows), HasPreviousPage: cut.from > 0},
	}
	cursor := cut.cursor(func(e E) string { return l.ci(e).String() })
	for i, e := range cut.rows[cut.from:cut.to] {
		id := l.ci(e)
		if cis[id] == nil {
			return nil, lagging(id)
		}
		c.Edges = append(c.Edges, &Edge[T]{l.show(row, e, cis[id]), cut.from + i, cursor})
	}
	c.bound()
	return c, nil
}

// lagging says that the graph and the database do not show the same revision yet.
func lagging(id ident.ID) error {
	return errs.New(errs.Unavailable, "%v is in the graph and not in the database: try again", id)
}

// keySeparator stands between the id that a key begins with and what else it needs.
const keySeparator = "."

// findPlace is where a cursor's record stands in rows now; where it stood, and false, when it is gone.
func findPlace[E any](text, argument, fingerprint string, rows []E, key func(E) string) (int, bool, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	var c sliceCursor
	if err == nil && len(text) < 1024 {
		err = json.Unmarshal(raw, &c)
	}
	id, _, _ := strings.Cut(c.ID, keySeparator)
	_, idErr := ident.Parse(id)
	if err != nil || idErr != nil || c.Version != cursorVersion || c.Fingerprint != fingerprint || c.Place < 0 {
		return 0, false, errs.New(errs.BadCursor, "%s: the cursor does not belong to this list; take cursors from pageInfo or edges of the same query", argument)
	}
	if c.Place < len(rows) && key(rows[c.Place]) == c.ID {
		return c.Place, true, nil
	}
	if place := slices.IndexFunc(rows, func(e E) bool { return key(e) == c.ID }); place >= 0 {
		return place, true, nil
	}
	return min(c.Place, len(rows)), false, nil
}
