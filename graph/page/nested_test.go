package page_test

import (
	"slices"
	"testing"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

func itself(id ident.ID) ident.ID { return id }

// ways are how books belong to what they are nested in, and which do.
var ways = map[string]struct {
	links  []page.Link
	parent func(*book) ident.ID
	of     func(l *library, parent ident.ID, b *book) bool
}{
	"by column": {links: []page.Link{{Parent: "shelf"}}, of: onShelf},
	"by a column that tells the parent": {
		links: []page.Link{{Parent: "shelf"}}, of: onShelf, parent: func(b *book) ident.ID { return b.Shelf },
	},
	"by a table":       {links: []page.Link{{Parent: "reader", Table: "loan", Row: "book"}}, of: lent},
	"in two ways":      {links: []page.Link{{Parent: "shelf"}, {Parent: "reader", Table: "loan", Row: "book"}}, of: eitherWay},
	"twice in one way": {links: []page.Link{{Parent: "shelf"}, {Parent: "shelf"}}, of: onShelf},
}

func onShelf(_ *library, parent ident.ID, b *book) bool { return b.Shelf == parent }

func lent(l *library, parent ident.ID, b *book) bool { return slices.Contains(l.loans[parent], b.ID) }

func eitherWay(l *library, parent ident.ID, b *book) bool {
	return onShelf(l, parent, b) || lent(l, parent, b)
}

func TestEachParentHasItsOwnPages(t *testing.T) {
	inLibraries(t, func(t *testing.T, l *library) {
		for way, w := range ways {
			for _, covered := range [][]string{nil, columns} { // all columns are in the index by which PostgreSQL picks rows
				for name, order := range orders {
					list := l.list(order)
					list.Belongs, list.Parent, list.Covered = w.links, w.parent, covered
					for _, parent := range l.shelves {
						mine := slices.DeleteFunc(slices.Clone(l.books), func(b *book) bool { return !w.of(l, parent, b) })
						want := sorted(mine, meaning[name]...)
						for _, backward := range []bool{false, true} {
							got := walk(t, 3, backward, func(a page.Args) (*page.Connection[string], error) {
								b := &page.Batch[ident.ID]{Rows: l.shelves} // of another operation each time
								return page.Nested(inField(t), b, parent, itself, a, func() (page.List[*book, string], error) { return list, nil })
							})
							if !slices.Equal(got, want) {
								t.Fatalf("%s, by %s of %v (backward: %t):\n%q, not\n%q", way, name, parent, backward, got, want)
							}
						}
					}
				}
			}
		}
	})
}

func TestPagesOfAllParentsAreOneStatementAndSoAreTheirTotals(t *testing.T) {
	inLibraries(t, func(t *testing.T, l *library) {
		for way, w := range ways {
			list := l.list(orders["title"])
			list.Belongs, list.Parent = w.links, w.parent
			wrapped := 0
			wrap := list.Wrap
			list.Wrap = func(rows []*book) []string {
				wrapped++
				return wrap(rows)
			}
			l.statements = 0
			of := func() (page.List[*book, string], error) { return list, nil }
			b, field, other := &page.Batch[ident.ID]{Rows: l.shelves}, inField(t), inField(t)
			for _, parent := range l.shelves {
				p, err := page.Nested(field, b, parent, itself, page.Args{First: pointer(2)}, of)
				if err != nil {
					t.Fatal(err)
				}
				same, err := page.Nested(other, b, parent, itself, page.Args{First: pointer(2)}, of) // under another name
				if err != nil || told(t, same) != told(t, p) {
					t.Errorf("%s: %v, %v", way, same, err)
				}
				want := 0
				for _, b := range l.books {
					if w.of(l, parent, b) {
						want++
					}
				}
				if total, err := p.TotalCount(field); total != want || err != nil {
					t.Errorf("%s: %v has %d books, not %d, %v", way, parent, total, want, err)
				}
			}
			if l.statements != 2 || wrapped != 1 {
				t.Errorf("%s: %d statements, %d batches", way, l.statements, wrapped)
			}
			if _, err := page.Nested(inField(t), b, l.shelves[0], itself, page.Args{First: pointer(3)}, of); err != nil || l.statements != 3 {
				t.Errorf("%s: pages of another size are %d statements, %v", way, l.statements, err)
			}
		}
	})
}

func TestABadCursorOfANestedListIsRefused(t *testing.T) {
	inLibraries(t, func(t *testing.T, l *library) {
		list := l.list(orders["title"])
		p, err := list.Page(t.Context(), page.Args{First: pointer(1)})
		if err != nil {
			t.Fatal(err)
		}
		list.Name, list.Belongs = "books of a shelf", ways["by column"].links
		for _, text := range []string{"x", p.Edges[0].Cursor()} {
			b := &page.Batch[ident.ID]{Rows: l.shelves}
			_, err := page.Nested(inField(t), b, l.shelves[0], itself, page.Args{After: &text}, func() (page.List[*book, string], error) { return list, nil })
			if !isCode(err, errs.BadCursor) {
				t.Errorf("%q gives %v", text, err)
			}
		}
	})
}
