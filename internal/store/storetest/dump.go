package storetest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Dump returns everything that the tables hold, a line for each row with the name of its table. It includes what
// triggers and generated columns keep and the counters of ids, but not the times of migrations, and of salts and what
// hangs on them the length alone.
func Dump(t testing.TB, s *store.Store) []string {
	t.Helper()
	if s.IsPostgres() {
		var all []string
		for _, table := range texts(t, s, `SELECT quote_ident(relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'x_migration' ORDER BY 1`) {
			columns := texts(t, s, `SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`, table)
			for i, c := range columns {
				if isSalted(table, c) {
					columns[i] = "octet_length(" + c + ")"
				}
			}
			all = append(all, texts(t, s, fmt.Sprintf(`SELECT '%[1]s ' || ROW(%[2]s)::text FROM %[1]s t ORDER BY 1`, table, strings.Join(columns, ", ")))...)
		}
		return append(all, texts(t, s, `SELECT sequencename || ' at ' || coalesce(last_value, 0) FROM pg_sequences ORDER BY 1`)...)
	}
	// The words of the full text, without their layout in blocks.
	if _, err := s.Writer().ExecContext(t.Context(), `CREATE VIRTUAL TABLE IF NOT EXISTS temp.words USING fts5vocab('main', 'x_ci_search', 'instance')`); err != nil {
		t.Fatal(err)
	}
	all := texts(t, s, `SELECT 'word ' || term || ' in ' || doc || ' ' || col || ' at ' || "offset" FROM temp.words ORDER BY 1`)
	for _, table := range texts(t, s, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'x_migration' AND name NOT LIKE 'x\_ci\_search%' ESCAPE '\' ORDER BY 1`) {
		var columns []string
		for _, c := range texts(t, s, `SELECT name FROM pragma_table_info(?)`, table) {
			value := strconv.Quote(c)
			if isSalted(table, c) {
				value = "length(" + value + ")"
			}
			columns = append(columns, fmt.Sprintf(`typeof(%[1]s) || ' ' || quote(%[1]s)`, value))
		}
		all = append(all, texts(t, s, fmt.Sprintf(`SELECT '%s: ' || %s FROM "%s" ORDER BY 1`, table, strings.Join(columns, " || ', ' || "), table))...)
	}
	return all
}

// isSalted reports whether a column is never twice the same.
func isSalted(table, column string) bool {
	switch table {
	case "entry", "head", "x_revision":
		return slices.Contains([]string{"salt", "digest", "leaf", "chain"}, column)
	}
	return false
}

func texts(t testing.TB, s *store.Store, query string, args ...any) (all []string) {
	t.Helper()
	rows, err := s.Writer().QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
