package storetest_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ciclass"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// TestMain fails if goroutines are left. Those of a listener end soon after it is closed, not at once.
func TestMain(m *testing.M) {
	code := m.Run()
	left := error(nil)
	for range 100 { // each for half a second
		if left = goleak.Find(goleak.IgnoreAnyFunction(pgtest.Guard)); left == nil {
			break
		}
	}
	if left != nil && code == 0 {
		fmt.Fprintln(os.Stderr, left)
		code = 1
	}
	os.Exit(code)
}

var by = store.By{Actor: "ada", Verb: "test"}

// write runs store.Write and fails the test if that fails.
func write[T any](t testing.TB, s *store.Store, decide func(context.Context, *store.Tx) (T, error)) T {
	t.Helper()
	v, err := store.Write(t.Context(), s, by, decide)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newClass(t testing.TB, s *store.Store, code string) *ent.CIClass {
	t.Helper()
	return write(t, s, func(ctx context.Context, tx *store.Tx) (*ent.CIClass, error) {
		return tx.CIClass.Create().SetCode(code).SetLabel(code).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
	})
}

// anyClass returns the class of code "server", which it makes on the first call.
func anyClass(ctx context.Context, tx *store.Tx) (ident.ID, error) {
	id, err := tx.CIClass.Query().Where(ciclass.Code("server")).OnlyID(ctx)
	if !ent.IsNotFound(err) {
		return id, err
	}
	c, err := tx.CIClass.Create().SetCode("server").SetLabel("Server").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
	if err != nil {
		return 0, err
	}
	return c.ID, nil
}

// ci returns a write of a CI; more sets the fields that the test is about.
func ci(name string, more func(*ent.CICreate)) func(context.Context, *store.Tx) (*ent.CI, error) {
	return func(ctx context.Context, tx *store.Tx) (*ent.CI, error) {
		class, err := anyClass(ctx, tx)
		if err != nil {
			return nil, err
		}
		c := tx.CI.Create().SetName(name).SetClassID(class).SetAttributes(map[string]any{}).SetLabels(map[string]string{}).
			SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now)
		if more != nil {
			more(c)
		}
		return c.Save(ctx)
	}
}

// named makes CIs of these names in one write.
func named(t testing.TB, s *store.Store, names ...string) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx *store.Tx) (any, error) {
		for _, name := range names {
			if _, err := ci(name, nil)(ctx, tx); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
}

// reader returns a reader like that of the API.
func reader(s *store.Store) *read.Reader { return read.New(s, topology.New(), nil, nil) }

// namesOf returns the names of the CIs that a filter finds, as the API orders them.
func namesOf(t testing.TB, s *store.Store, filter *read.CIFilter) []string {
	t.Helper()
	first := page.Max
	found, err := reader(s).CIs(t.Context(), filter, nil, page.Args{First: &first})
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, e := range found.Edges {
		names = append(names, e.Node.Name)
	}
	return names
}

func same(t testing.TB, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

// second opens another store on the database of address, as another server would.
func second(t testing.TB, address string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// raw runs a statement past the journal, as an administrator might.
func raw(t testing.TB, s *store.Store, statement string, args ...any) {
	t.Helper()
	if _, err := s.Writer().ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// column returns one column of text.
func column(t testing.TB, db *sql.DB, query string, args ...any) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	var all []string
	for rows.Next() {
		var v any
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		if b, ok := v.([]byte); ok {
			v = string(b)
		}
		all = append(all, fmt.Sprint(v))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// soon waits until a condition holds that another goroutine brings about.
func soon(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
	}
}
