package storetest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Copied returns how long COPY takes on PostgreSQL for the rows of tables, in the order in which they refer to each
// other, from files that the server reads. It takes the rows out and brings them back.
func Copied(b testing.TB, s *store.Store, tables ...string) time.Duration {
	b.Helper()
	folder := b.TempDir()
	for f := folder; f != os.TempDir() && f != "/"; f = filepath.Dir(f) {
		if err := os.Chmod(f, 0o777); err != nil { // the server may be another user
			b.Fatal(err)
		}
	}
	run := func(text string) {
		if _, err := s.Writer().ExecContext(b.Context(), text); err != nil {
			b.Fatalf("%s: %v", text, err)
		}
	}
	files := map[string]string{}
	for _, table := range tables {
		var columns string
		err := s.Writer().QueryRowContext(b.Context(), `SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) FROM information_schema.columns
			WHERE table_name = $1 AND is_generated = 'NEVER'`, table).Scan(&columns)
		if err != nil {
			b.Fatal(err)
		}
		files[table] = table + " (" + columns + ") %s '" + filepath.Join(folder, table) + "'"
		run("COPY " + strings.Replace(files[table], "%s", "TO", 1))
	}
	run("TRUNCATE " + strings.Join(tables, ", ") + " CASCADE")
	start := time.Now()
	for _, table := range tables {
		run("COPY " + strings.Replace(files[table], "%s", "FROM", 1))
	}
	return time.Since(start)
}
