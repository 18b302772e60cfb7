// Package sqltest opens a database of each kind with the tables that a test brings, for tests of what works on any
// table. It refuses to know the tables of the product.
package sqltest

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"entgo.io/ent/dialect"
	_ "github.com/lib/pq" // the driver postgres
	_ "modernc.org/sqlite"

	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
)

// Each runs a test on a new database of each dialect that has some tables. In their statements %s stands for the type
// of a moment. If the machine has no PostgreSQL, it skips the test on it.
func Each(t *testing.T, name, tables string, test func(t *testing.T, db *sql.DB, dialect string)) {
	t.Helper()
	t.Run(dialect.SQLite, func(t *testing.T) {
		address := "file:" + filepath.Join(t.TempDir(), name+".db") + "?_time_format=sqlite&_timezone=UTC&_pragma=synchronous(OFF)"
		test(t, open(t, "sqlite", address, fmt.Sprintf(tables, "DATETIME")), dialect.SQLite)
	})
	t.Run(dialect.Postgres, func(t *testing.T) {
		address := pgtest.Database(t, name, func(string) error { return nil })
		test(t, open(t, "postgres", address, fmt.Sprintf(tables, "TIMESTAMPTZ")), dialect.Postgres)
	})
}

func open(t *testing.T, driver, address, tables string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(t.Context(), tables); err != nil {
		t.Fatal(err)
	}
	return db
}
