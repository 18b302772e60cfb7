package read

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"

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

// slicePage shows one page of a computed list; show makes its records, in one statement.
func slicePage[E, T any](p Page, name string, rows []E, id func(E) ident.ID, show func([]E) ([]*T, error)) (*Connection[T], error) {
	fingerprint := order[E]{}.fingerprint(name, nil)
	first, last := 0, len(rows)
	w, err := order[E]{}.window(Page{First: p.First, Last: p.Last}, fingerprint)
	if err != nil {
		return nil, err
	}
	if p.After != nil {
		place, found, err := findPlace(*p.After, "after", fingerprint, rows, id)
		if err != nil {
			return nil, err
		}
		if first = place; found {
			first++
		}
	}
	if p.Before != nil {
		if last, _, err = findPlace(*p.Before, "before", fingerprint, rows, id); err != nil {
			return nil, err
		}
	}
	last = max(first, last)
	from, to := first, min(last, first+w.limit)
	if w.backward {
		from, to = max(first, last-w.limit), last
	}
	nodes, err := show(rows[from:to])
	if err != nil {
		return nil, err
	}
	c := &Connection[T]{
		Edges: make([]*Edge[T], len(nodes)), total: func(context.Context) (int, error) { return len(rows), nil },
		PageInfo: &PageInfo{HasNextPage: to < len(rows), HasPreviousPage: from > 0},
	}
	for i, n := range nodes {
		text, err := json.Marshal(sliceCursor{cursorVersion, fingerprint, id(rows[from+i]).String(), from + i})
		if err != nil {
			return nil, err
		}
		c.Edges[i] = &Edge[T]{Cursor: base64.RawURLEncoding.EncodeToString(text), Node: n}
	}
	if n := len(c.Edges); n > 0 {
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &c.Edges[0].Cursor, &c.Edges[n-1].Cursor
	}
	return c, nil
}

// findPlace is where a cursor's record stands in rows now; where it stood, and false, when it is gone.
func findPlace[E any](text, argument, fingerprint string, rows []E, id func(E) ident.ID) (int, bool, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	var c sliceCursor
	if err == nil && len(text) < 1024 {
		err = json.Unmarshal(raw, &c)
	}
	named, idErr := ident.Parse(c.ID)
	if err != nil || idErr != nil || c.Version != cursorVersion || c.Fingerprint != fingerprint || c.Place < 0 {
		return 0, false, errs.New(errs.BadCursor, "%s: the cursor does not belong to this list; take cursors from pageInfo or edges of the same query", argument)
	}
	if c.Place < len(rows) && id(rows[c.Place]) == named {
		return c.Place, true, nil
	}
	if place := slices.IndexFunc(rows, func(e E) bool { return id(e) == named }); place >= 0 {
		return place, true, nil
	}
	return min(c.Place, len(rows)), false, nil
}
