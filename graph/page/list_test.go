package page_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

func titles(a, b *book) int  { return strings.Compare(a.Title, b.Title) }
func lengths(a, b *book) int { return cmp.Compare(a.Length, b.Length) }
func moments(a, b *book) int { return a.Bought.Compare(b.Bought) }
func numbers(a, b *book) int { return cmp.Compare(a.ID, b.ID) }

func back(compare func(a, b *book) int) func(a, b *book) int {
	return func(a, b *book) int { return compare(b, a) }
}

func thirds(a, b *book) int { return cmp.Compare(a.Length%3, b.Length%3) }

// meaning is what each of orders means.
var meaning = map[string][]func(a, b *book) int{
	"title":                   {titles, numbers},
	"title, descending":       {back(titles), back(numbers)},
	"length, the other way":   {back(lengths), numbers},
	"bought, length":          {moments, back(lengths), numbers},
	"by an expression":        {back(thirds), back(titles), numbers},
	"an expression, the last": {thirds, numbers},
	"id":                      {numbers},
	"id, the newest first":    {back(numbers)},
	"title, bought, the last": {titles, back(moments), back(numbers)},
}

// inMemory returns the list of rows that are in no table.
func (l *library) inMemory(name string) page.List[*book, string] {
	list := l.list(orders[name])
	list.Query = nil
	list.All = func(context.Context) (iter.Seq[*book], int, error) {
		books := slices.Clone(l.books)
		slices.SortFunc(books, func(a, b *book) int {
			for _, compare := range meaning[name] {
				if c := compare(a, b); c != 0 {
					return c
				}
			}
			return 0
		})
		return slices.Values(books), len(books), nil
	}
	return list
}

func TestAListIsTheSameInPagesOfAnySizeFromBothEnds(t *testing.T) {
	inLibraries(t, func(t *testing.T, l *library) {
		for name, order := range orders {
			want := sorted(l.books, meaning[name]...)
			for kind, list := range map[string]page.List[*book, string]{"a table": l.list(order), "in memory": l.inMemory(name)} {
				for size := 1; size <= len(want)+1; size += 3 {
					for _, backward := range []bool{false, true} {
						got := walk(t, size, backward, func(a page.Args) (*page.Connection[string], error) { return list.Page(t.Context(), a) })
						if !slices.Equal(got, want) {
							t.Errorf("%s by %s, %d at a time (backward: %t):\n%q, not\n%q", kind, name, size, backward, got, want)
						}
					}
				}
			}
		}
	})
}

func TestAListInMemoryHasThePagesAndCursorsOfATable(t *testing.T) {
	inLibraries(t, func(t *testing.T, l *library) {
		for name, order := range orders {
			whole, err := l.list(order).Page(t.Context(), page.Args{First: pointer(100)})
			if err != nil {
				t.Fatal(err)
			}
			for i, j := 0, len(whole.Edges)-1; i < j; i, j = i+2, j-3 {
				after, before := whole.Edges[i].Cursor(), whole.Edges[j].Cursor()
				for _, a := range []page.Args{
					{After: &after, Before: &before},
					{First: pointer(3), After: &after, Before: &before},
					{Last: pointer(3), After: &after, Before: &before},
					{First: pointer(0)},
					{Last: pointer(0), Before: &before},
					{Before: &before},
					{Last: pointer(4), After: &after},
				} {
					read, err := l.list(order).Page(t.Context(), a)
					kept, wrong := l.inMemory(name).Page(t.Context(), a)
					if err != nil || wrong != nil {
						t.Fatal(err, wrong)
					}
					if got, want := told(t, kept), told(t, read); got != want {
						t.Errorf("by %s %+v: in memory\n%s, in the table\n%s", name, a, got, want)
					}
				}
				if inside, err := l.list(order).Page(t.Context(), page.Args{After: &after, Before: &before}); err != nil || len(inside.Edges) != min(j-i-1, page.Default) {
					t.Errorf("by %s between %d and %d: %v, %v", name, i, j, inside.Nodes(), err)
				}
			}
		}
	})
}

// told returns all that a page tells.
func told(t *testing.T, p *page.Connection[string]) string {
	t.Helper()
	total, err := p.TotalCount(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var cursors []string
	for _, e := range p.Edges {
		cursors = append(cursors, e.Cursor())
	}
	text, err := json.Marshal([]any{p.Nodes(), cursors, p.PageInfo, p.PageInfo.StartCursor(), p.PageInfo.EndCursor(), total})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestATotalIsCountedIfItIsAskedFor(t *testing.T) {
	inLibraries(t, func(t *testing.T, l *library) {
		p, err := l.list(orders["title"]).Page(t.Context(), page.Args{First: pointer(2)})
		if err != nil || l.statements != 1 {
			t.Fatalf("%d statements, %v", l.statements, err)
		}
		if total, err := p.TotalCount(t.Context()); total != len(l.books) || err != nil || l.statements != 2 {
			t.Errorf("%d in %d statements, %v", total, l.statements, err)
		}
	})
}

func TestRowsBeyondTheMostAreEstimated(t *testing.T) {
	inLibraries(t, func(t *testing.T, l *library) {
		for most, isBeyond := range map[int]bool{len(l.books) - 1: true, len(l.books): false} {
			list := l.list(orders["id"])
			list.Most = most
			list.Estimate = func(_ context.Context, behind *book) (int, error) { return 1000 + int(behind.ID.Number()), nil }
			p, err := list.Page(t.Context(), page.Args{First: pointer(2)})
			if err != nil {
				t.Fatal(err)
			}
			want := len(l.books)
			if isBeyond {
				want += 1000 // the numbers of books count them
			}
			l.statements = 0
			for range 2 {
				total, err := p.TotalCount(t.Context())
				isEstimated, failed := p.IsTotalCountEstimated(t.Context())
				if total != want || err != nil || isEstimated != isBeyond || failed != nil || l.statements > 2 {
					t.Errorf("at most %d: %d in %d statements, estimated: %t, %v", most, total, l.statements, isEstimated, errors.Join(err, failed))
				}
			}
		}
	})
}

func TestAPageHasItsBounds(t *testing.T) {
	inLibraries(t, func(t *testing.T, l *library) {
		for _, a := range []page.Args{
			{First: pointer(-1)}, {First: pointer(page.Max + 1)}, {Last: pointer(-1)}, {Last: pointer(page.Max + 1)}, {First: pointer(1), Last: pointer(1)},
		} {
			for kind, list := range map[string]page.List[*book, string]{"a table": l.list(orders["id"]), "in memory": l.inMemory("id")} {
				if _, err := list.Page(t.Context(), a); !isCode(err, errs.BadUserInput) {
					t.Errorf("%s: %+v gives %v", kind, a, err)
				}
			}
		}
		if l.statements != 0 {
			t.Errorf("%d statements for nothing", l.statements)
		}
	})
}

func TestACursorIsGoodForItsListFilterAndOrderAlone(t *testing.T) {
	inLibraries(t, func(t *testing.T, l *library) {
		refuse := func(list page.List[*book, string], cursor, why string) {
			t.Helper()
			l.statements = 0
			for _, a := range []page.Args{{After: &cursor}, {Before: &cursor}} {
				if _, err := list.Page(t.Context(), a); !isCode(err, errs.BadCursor) || l.statements > 0 {
					t.Errorf("%s gives %v after %d statements", why, err, l.statements)
				}
			}
		}
		for name, order := range orders {
			own := l.list(order)
			p, err := own.Page(t.Context(), page.Args{First: pointer(1)})
			if err != nil {
				t.Fatal(err)
			}
			cursor := p.Edges[0].Cursor()
			for other, order := range orders {
				if other != name {
					refuse(l.list(order), cursor, "a cursor by "+name+" for "+other)
				}
			}
			renamed, narrowed := own, own
			renamed.Name, narrowed.Filter = "journals", map[string]any{"title": "a"}
			refuse(renamed, cursor, "a cursor of another list")
			refuse(narrowed, cursor, "a cursor of another filter")
			for _, text := range []string{"", "x", "!", "e30", strings.Repeat("A", 10_000)} {
				refuse(own, text, fmt.Sprintf("the cursor %.10q", text))
			}
			for _, text := range forged(t, cursor) {
				raw, _ := base64.RawURLEncoding.DecodeString(text)
				refuse(own, text, fmt.Sprintf("the cursor %s by %s", raw, name))
			}
		}
	})
}

// forged returns cursors like a good one with a value of another kind in each place.
func forged(t *testing.T, good string) (all []string) {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	encode := func() {
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, base64.RawURLEncoding.EncodeToString(text))
	}
	values := c["k"].([]any)
	for i := range values {
		wrong := []any{nil, true, []any{}, 1e17 * 3, 0.5, "a\x00"}
		if _, ok := values[i].(string); !ok {
			wrong = append(wrong, "1")
		} else {
			wrong = append(wrong, 1)
		}
		kept := values[i]
		for _, w := range wrong {
			values[i] = w
			encode()
		}
		values[i] = kept
	}
	c["k"] = values[1:]
	encode()
	c["k"], c["v"] = values, 2
	encode()
	return all
}

func TestACursorWithABrokenIDIsRefused(t *testing.T) {
	inLibraries(t, func(t *testing.T, l *library) {
		p, err := l.list(orders["id"]).Page(t.Context(), page.Args{First: pointer(1)})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := base64.RawURLEncoding.DecodeString(p.Edges[0].Cursor())
		if err != nil || !strings.Contains(string(raw), l.books[0].ID.String()) {
			t.Fatalf("%s, %v", raw, err)
		}
		text := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(raw), l.books[0].ID.String(), "book_1", 1)))
		if _, err := l.list(orders["id"]).Page(t.Context(), page.Args{After: &text}); !isCode(err, errs.BadCursor) {
			t.Errorf("book_1 gives %v", err)
		}
	})
}

func TestManyIDsAreOneArgument(t *testing.T) {
	inLibraries(t, func(t *testing.T, l *library) {
		ids := make([]ident.ID, 0, 100_000)
		for n := range cap(ids) {
			ids = append(ids, ident.New(ident.CI, int64(2*n+2)))
		}
		list := l.list(orders["id"])
		list.Query = l.among(ids)
		p, err := list.Page(t.Context(), page.Args{First: pointer(100)})
		if err != nil || len(p.Edges) != len(l.books)/2 {
			t.Errorf("%d books with even numbers, %v", len(p.Edges), err)
		}
		list.Query = l.among(nil)
		if p, err := list.Page(t.Context(), page.Args{}); err != nil || len(p.Edges) > 0 {
			t.Errorf("%v are among no ids, %v", p.Nodes(), err)
		}
	})
}
