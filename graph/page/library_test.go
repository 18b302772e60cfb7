package page_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"entgo.io/ent"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store/sqltest"
)

// book is a row of the tests' own table: a page knows nothing of what it shows.
type book struct {
	ID, Shelf ident.ID
	Title     string
	Length    int
	Bought    time.Time

	added map[string]int64
}

// Value returns what a statement added to the row, as ent's rows do.
func (b *book) Value(name string) (ent.Value, error) {
	n, ok := b.added[name]
	if !ok {
		return nil, fmt.Errorf("no column %s", name)
	}
	return n, nil
}

var (
	byTitle  = page.By("title", func(b *book) string { return b.Title })
	byLength = page.By("length", func(b *book) int { return b.Length })
	byBought = page.By("bought", func(b *book) time.Time { return b.Bought })
	// byThird is an order by what no column holds.
	byThird = page.By("length", func(b *book) int { return -(b.Length % 3) }).Over(" by threes", func(b *entsql.Builder, column func(string) string) {
		b.WriteString("(0 - ").Ident(column("length")).WriteString(" % 3)")
	})
	byID = page.By("id", func(b *book) ident.ID { return b.ID })
)

// orders are orders of every kind of column, with values that several books have.
var orders = map[string][]page.Term[*book]{
	"title":                   {byTitle, byID},
	"title, descending":       {byTitle.Descending(), byID.Descending()},
	"length, the other way":   {byLength.Descending(), byID},
	"bought, length":          {byBought, byLength.Descending(), byID},
	"by an expression":        {byThird, byTitle.Descending(), byID},
	"an expression, the last": {byThird.Descending(), byID},
	"id":                      {byID},
	"id, the newest first":    {byID.Descending()},
	"title, bought, the last": {byTitle, byBought.Descending(), byID.Descending()},
}

// library is books in a database.
type library struct {
	db         *sql.DB
	dialect    string
	books      []*book
	shelves    []ident.ID
	loans      map[ident.ID][]ident.ID // of a reader, whom a table links to books
	statements int
}

const tables = `
CREATE TABLE book (id BIGINT PRIMARY KEY, shelf BIGINT NOT NULL, title TEXT NOT NULL, length BIGINT NOT NULL, bought %s NOT NULL);
CREATE TABLE loan (reader BIGINT NOT NULL, book BIGINT NOT NULL);
`

var columns = []string{"id", "shelf", "title", "length", "bought"}

// inLibraries runs a test on a library in each database.
func inLibraries(t *testing.T, test func(t *testing.T, l *library)) {
	sqltest.Each(t, "library", tables, func(t *testing.T, db *sql.DB, dialect string) {
		l := &library{db: db, dialect: dialect, loans: map[ident.ID][]ident.ID{}}
		l.fill(t)
		test(t, l)
	})
}

func (l *library) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	if _, err := l.db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

// fill puts books on shelves of which one is empty, and lends some of them, one twice to the same reader.
func (l *library) fill(t *testing.T) {
	t.Helper()
	random := rand.New(rand.NewPCG(7, 7))
	for n := range 4 {
		l.shelves = append(l.shelves, ident.New(ident.Team, int64(n+1)))
	}
	noon := time.Date(2027, 1, 8, 12, 0, 0, 0, time.UTC)
	for n := range 23 {
		b := &book{
			ID: ident.New(ident.CI, int64(n+1)), Shelf: l.shelves[random.IntN(3)], Title: string(rune('a' + random.IntN(4))),
			Length: 100 * random.IntN(3), Bought: noon.Add(time.Duration(random.IntN(3)) * time.Microsecond),
		}
		l.books = append(l.books, b)
		l.exec(t, "INSERT INTO book VALUES ($1, $2, $3, $4, $5)", int64(b.ID), int64(b.Shelf), b.Title, b.Length, b.Bought)
		for _, reader := range l.shelves[1:] {
			if random.IntN(3) == 0 {
				l.loans[reader] = append(l.loans[reader], b.ID)
				l.exec(t, "INSERT INTO loan VALUES ($1, $2), ($1, $2)", int64(reader), int64(b.ID))
			}
		}
	}
}

// query reads books as a query of ent's does: it selects the columns, modify completes the statement.
func (l *library) query(ctx context.Context, modify func(*entsql.Selector)) ([]*book, error) {
	d := entsql.Dialect(l.dialect)
	table := d.Table("book")
	s := d.Select(table.Columns(columns...)...).From(table).WithContext(ctx)
	modify(s)
	text, args := s.Query()
	l.statements++
	rows, err := l.db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var all []*book
	for rows.Next() {
		b, added := &book{added: map[string]int64{}}, make([]int64, len(names))
		into := map[string]any{"id": (*int64)(&b.ID), "shelf": (*int64)(&b.Shelf), "title": &b.Title, "length": &b.Length, "bought": &b.Bought}
		values := make([]any, len(names))
		for i, name := range names {
			if values[i] = into[name]; values[i] == nil {
				values[i] = &added[i]
			}
		}
		if err := rows.Scan(values...); err != nil {
			return nil, err
		}
		for i, name := range names {
			if into[name] == nil {
				b.added[name] = added[i]
			}
		}
		all = append(all, b)
	}
	return all, rows.Err()
}

// list returns all books as clients see them: their titles and numbers.
func (l *library) list(order []page.Term[*book]) page.List[*book, string] {
	return page.List[*book, string]{Name: "books", Order: order, Query: l.query, Wrap: func(rows []*book) []string {
		shown := make([]string, len(rows))
		for i, b := range rows {
			shown[i] = b.String()
		}
		return shown
	}}
}

func (b *book) String() string { return fmt.Sprint(b.Title, " ", b.Length, " ", b.ID) }

// sorted returns some books in an order, as they are shown. Go sorts them, and not the database.
func sorted(books []*book, by ...func(a, b *book) int) []string {
	books = slices.Clone(books)
	slices.SortFunc(books, func(a, b *book) int {
		for _, compare := range by {
			if c := compare(a, b); c != 0 {
				return c
			}
		}
		return 0
	})
	shown := make([]string, len(books))
	for i, b := range books {
		shown[i] = b.String()
	}
	return shown
}

// inField returns a context in which a field of an operation is resolved, another one each time.
func inField(t *testing.T) context.Context {
	t.Helper()
	return graphql.WithFieldContext(t.Context(), &graphql.FieldContext{Field: graphql.CollectedField{Field: &ast.Field{}}})
}

// walk reads a list page by page, from the front or from the back, and returns it from the front.
func walk(t *testing.T, size int, backward bool, read func(page.Args) (*page.Connection[string], error)) (all []string) {
	t.Helper()
	var args page.Args
	for n := 0; ; n++ {
		if args.First = &size; backward {
			args.First, args.Last = nil, &size
		}
		p, err := read(args)
		if err != nil {
			t.Fatal(err)
		}
		more, isBounded := p.PageInfo.HasNextPage, p.PageInfo.HasPreviousPage
		if backward {
			more, isBounded = isBounded, more
		}
		if n > 100 {
			t.Fatalf("the pages do not end: %q", all)
		}
		if isBounded != (n > 0) || len(p.Edges) > size || more && len(p.Edges) < size {
			t.Fatalf("page %d of %d: %d records, %+v", n, size, len(p.Edges), *p.PageInfo)
		}
		if backward {
			all, args.Before = append(p.Nodes(), all...), p.PageInfo.StartCursor()
		} else {
			all, args.After = append(all, p.Nodes()...), p.PageInfo.EndCursor()
		}
		if !more {
			return all
		}
	}
}

func isCode(err error, code errs.Code) bool {
	e, ok := errors.AsType[*errs.Error](err)
	return ok && e.Code == code
}

func pointer[T any](v T) *T { return &v }

// among reads the books with some ids.
func (l *library) among(ids []ident.ID) func(context.Context, func(*entsql.Selector)) ([]*book, error) {
	return func(ctx context.Context, modify func(*entsql.Selector)) ([]*book, error) {
		return l.query(ctx, func(s *entsql.Selector) {
			s.Where(page.OneOf(s.C("id"), ids))
			modify(s)
		})
	}
}
