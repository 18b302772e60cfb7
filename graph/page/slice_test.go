package page_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// answer is a list that was computed.
type answer struct {
	about string
	found []ident.ID
	err   error
}

// answers returns the pages of some answers. loads counts how often what they show is loaded.
func answers(loads *[]int) page.Slice[*answer, ident.ID, string] {
	return page.Slice[*answer, ident.ID, string]{
		Name: "found", About: func(a *answer) string { return a.about }, Key: ident.ID.String,
		Rows: func(a *answer) ([]ident.ID, error) { return a.found, a.err },
		Show: func(_ context.Context, rows []ident.ID) (func(*answer, ident.ID) (string, error), error) {
			*loads = append(*loads, len(rows))
			return func(a *answer, id ident.ID) (string, error) {
				if !slices.Contains(rows, id) {
					return "", fmt.Errorf("%v is shown and was not loaded", id)
				}
				return id.String() + " of " + a.about, nil
			}, nil
		},
	}
}

func numbered(n int) []ident.ID {
	all := make([]ident.ID, n)
	for i := range all {
		all[i] = ident.New(ident.CI, int64((i*7)%n+1))
	}
	return all
}

func shownOf(a *answer, ids []ident.ID) []string {
	all := []string{}
	for _, id := range ids {
		all = append(all, id.String()+" of "+a.about)
	}
	return all
}

func TestAComputedListIsTheSameInPagesOfAnySizeFromBothEnds(t *testing.T) {
	a := &answer{about: "a", found: numbered(10)}
	for size := 1; size <= 11; size++ {
		for _, backward := range []bool{false, true} {
			var loads []int
			b := &page.Batch[*answer]{Rows: []*answer{a}}
			var args page.Args
			var got []string
			for n := 0; ; n++ {
				if args.First = &size; backward {
					args.First, args.Last = nil, &size
				}
				if n > 100 {
					t.Fatalf("the pages do not end: %q", got)
				}
				p, err := answers(&loads).Page(t.Context(), b, a, args)
				if err != nil {
					t.Fatal(err)
				}
				if total, err := p.TotalCount(t.Context()); total != 10 || err != nil {
					t.Fatal(total, err)
				}
				if backward {
					got, args.Before = append(p.Nodes(), got...), p.PageInfo.StartCursor()
					if !p.PageInfo.HasPreviousPage {
						break
					}
				} else {
					got, args.After = append(got, p.Nodes()...), p.PageInfo.EndCursor()
					if !p.PageInfo.HasNextPage {
						break
					}
				}
			}
			if want := shownOf(a, a.found); !slices.Equal(got, want) || slices.Max(loads) > size {
				t.Errorf("%d at a time (backward: %t): %v, not %v; loaded %v", size, backward, got, want, loads)
			}
		}
	}
}

func TestPagesOfABatchOfAnswersAreLoadedOnce(t *testing.T) {
	broken := errors.New("broken")
	one, two, lost := &answer{about: "one", found: numbered(5)}, &answer{about: "two", found: numbered(2)}, &answer{err: broken}
	b := &page.Batch[*answer]{Rows: []*answer{one, lost, two}}
	var loads []int
	for _, a := range []*answer{two, one, two} {
		p, err := answers(&loads).Page(t.Context(), b, a, page.Args{First: pointer(3)})
		if err != nil || !slices.Equal(p.Nodes(), shownOf(a, a.found[:min(3, len(a.found))])) {
			t.Errorf("%s: %v, %v", a.about, p, err)
		}
	}
	if _, err := answers(&loads).Page(t.Context(), b, lost, page.Args{First: pointer(3)}); !errors.Is(err, broken) {
		t.Errorf("an answer that failed has a page: %v", err)
	}
	if !slices.Equal(loads, []int{5}) {
		t.Errorf("loaded %v", loads)
	}
	if _, err := answers(&loads).Page(t.Context(), b, one, page.Args{First: pointer(1)}); err != nil || len(loads) != 2 {
		t.Errorf("a page of another size is taken from %v, %v", loads, err)
	}
}

func TestACursorHoldsWhereItsRecordHasLeftTheList(t *testing.T) {
	var loads []int
	at := func(found []ident.ID, args page.Args) []string {
		t.Helper()
		a := &answer{about: "a", found: found}
		p, err := answers(&loads).Page(t.Context(), &page.Batch[*answer]{Rows: []*answer{a}}, a, args)
		if err != nil {
			t.Fatal(err)
		}
		return p.Nodes()
	}
	a, ids := &answer{about: "a"}, numbered(6)
	a.found = ids
	p, err := answers(&loads).Page(t.Context(), &page.Batch[*answer]{Rows: []*answer{a}}, a, page.Args{First: pointer(3)})
	if err != nil {
		t.Fatal(err)
	}
	cursor := p.PageInfo.EndCursor() // of the third
	gone := slices.Delete(slices.Clone(ids), 2, 3)
	moved := append([]ident.ID{ident.New(ident.CI, 99)}, ids...)
	for name, c := range map[string]struct {
		found, after, before []ident.ID
	}{
		"as it was":              {ids, ids[3:], ids[:2]},
		"without the record":     {gone, ids[3:], ids[:2]},
		"with one more before":   {moved, ids[3:], moved[:3]},
		"with hardly any record": {ids[:1], nil, ids[:1]},
	} {
		if got := at(c.found, page.Args{After: cursor}); !slices.Equal(got, shownOf(a, c.after)) {
			t.Errorf("%s: after it come %v", name, got)
		}
		if got := at(c.found, page.Args{Before: cursor}); !slices.Equal(got, shownOf(a, c.before)) {
			t.Errorf("%s: before it come %v", name, got)
		}
	}
}

func TestACursorOfAnotherAnswerIsRefused(t *testing.T) {
	var loads []int
	one, two := &answer{about: "one", found: numbered(5)}, &answer{about: "two", found: numbered(5)}
	b := &page.Batch[*answer]{Rows: []*answer{one, two}}
	p, err := answers(&loads).Page(t.Context(), b, one, page.Args{First: pointer(1)})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "x", "e30", *p.PageInfo.EndCursor()} {
		for _, args := range []page.Args{{After: &text}, {Before: &text}} {
			if _, err := answers(&loads).Page(t.Context(), b, two, args); !isCode(err, errs.BadCursor) {
				t.Errorf("%q gives %v", text, err)
			}
		}
	}
	for _, args := range []page.Args{{First: pointer(-1)}, {Last: pointer(101)}, {First: pointer(1), Last: pointer(1)}} {
		if _, err := answers(&loads).Page(t.Context(), b, two, args); !isCode(err, errs.BadUserInput) {
			t.Errorf("%+v gives %v", args, err)
		}
	}
}

func TestAHiddenRecordIsCountedAndNotShown(t *testing.T) {
	var loads []int
	a := &answer{about: "a", found: numbered(6)}
	list := answers(&loads)
	list.Hides = func(id ident.ID) bool { return id.Number()%2 == 0 }
	p, err := list.Page(t.Context(), &page.Batch[*answer]{Rows: []*answer{a}}, a, page.Args{First: pointer(2)})
	if err != nil {
		t.Fatal(err)
	}
	odd := slices.DeleteFunc(slices.Clone(a.found), list.Hides)
	total, err := p.TotalCount(t.Context())
	if !slices.Equal(p.Nodes(), shownOf(a, odd[:2])) || p.RestrictedCount != 3 || total != 3 || !p.PageInfo.HasNextPage || err != nil {
		t.Errorf("%v, %d restricted, %d in all, %+v, %v", p.Nodes(), p.RestrictedCount, total, p.PageInfo, err)
	}
	if len(a.found) != 6 {
		t.Error("the answer itself has lost records")
	}
}

func TestARankedListIsReadByPlaceAndNoDeeperThanItsBound(t *testing.T) {
	const most = 7
	list := page.Ranked[int, int]{
		Name: "search", About: []any{"words"}, Most: most,
		Read: func(_ context.Context, limit, offset int) ([]int, error) {
			var rows []int
			for n := offset; n < min(offset+limit, 20); n++ {
				rows = append(rows, n)
			}
			return rows, nil
		},
		Show: func(context.Context, []int) (func(int) (int, bool), error) {
			return func(n int) (int, bool) { return n, n != 1 }, nil // one has been deleted since
		},
	}
	var got []int
	var after *string
	for n := 0; ; n++ {
		p, err := list.Page(t.Context(), pointer(3), after)
		if err != nil {
			t.Fatal(err)
		}
		if p.PageInfo.HasPreviousPage != (n > 0) {
			t.Errorf("page %d: %+v", n, p.PageInfo)
		}
		got = append(got, p.Nodes()...)
		if after = p.PageInfo.EndCursor(); !p.PageInfo.HasNextPage {
			break
		}
	}
	if !slices.Equal(got, []int{0, 2, 3, 4, 5, 6, 7, 8}) {
		t.Error(got)
	}
	other := list
	other.About = []any{"other words"}
	for _, text := range []string{"", "x", *after} {
		if _, err := other.Page(t.Context(), nil, &text); !isCode(err, errs.BadCursor) {
			t.Errorf("%q gives %v", text, err)
		}
	}
	if _, err := list.Page(t.Context(), nil, after); !isCode(err, errs.BadCursor) { // which is place 9
		t.Errorf("a place beyond the bound gives %v", err)
	}
	if _, err := list.Page(t.Context(), pointer(101), nil); !isCode(err, errs.BadUserInput) {
		t.Errorf("101 give %v", err)
	}
}
