package store_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// TestMoreStatementsThanStayPreparedAreAnsweredByManyAtOnce has some closed while others send them.
func TestMoreStatementsThanStayPreparedAreAnsweredByManyAtOnce(t *testing.T) {
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ask := func(n, arg int) error {
		rows, err := s.Read.QueryContext(t.Context(), fmt.Sprintf("SELECT %d + $1", n), arg)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var got int
			if err := rows.Scan(&got); err != nil {
				return err
			}
			if got != n+arg {
				return fmt.Errorf("%d + %d is %d", n, arg, got)
			}
		}
		return rows.Err()
	}
	var all sync.WaitGroup
	for asker := range 8 {
		all.Go(func() {
			for i := range 1200 {
				n := (i*(asker+1) + asker) % 400
				if err := ask(n, i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if err := ask(401, 1); err != nil {
		t.Error(err)
	}
}

// TestAStatementStaysPreparedThroughAFailureAndAMigration sends one while the table that it reads is not there yet,
// and after the table has got another column.
func TestAStatementStaysPreparedThroughAFailureAndAMigration(t *testing.T) {
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	read := func() (n int, err error) {
		rows, err := s.Read.QueryContext(t.Context(), "SELECT n FROM later WHERE n > $1", 0)
		if err != nil {
			return 0, err
		}
		defer rows.Close()
		for rows.Next() {
			if err := rows.Scan(&n); err != nil {
				return 0, err
			}
		}
		return n, rows.Err()
	}
	if _, err := read(); err == nil {
		t.Fatal("there is a table before it is made")
	}
	for i, change := range []string{"CREATE TABLE later AS SELECT 7 AS n", "ALTER TABLE later ADD COLUMN m", "CREATE INDEX later_n ON later (n)", "UPDATE later SET n = 8"} {
		if _, err := s.Writer().ExecContext(t.Context(), change); err != nil {
			t.Fatal(err)
		}
		if n, err := read(); err != nil || n != 7+i/3 {
			t.Errorf("after %s: %d, %v", change, n, err)
		}
	}
}
