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
	var all []string
	const indexes = `SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL TABLE % USING fts5(%'`
	for _, index := range texts(t, s, indexes+" ORDER BY 1") {
		if _, err := s.Writer().ExecContext(t.Context(), fmt.Sprintf(`CREATE VIRTUAL TABLE IF NOT EXISTS temp.words_of_%[1]s USING fts5vocab('main', '%[1]s', 'instance')`, index)); err != nil {
			t.Fatal(err)
		}
		all = append(all, texts(t, s, fmt.Sprintf(`SELECT '%[1]s: ' || term || ' in ' || doc || ' ' || coalesce(col, '') || ' at ' || coalesce("offset", '') FROM temp.words_of_%[1]s ORDER BY 1`, index))...)
	}
	for _, table := range texts(t, s, `SELECT name FROM sqlite_schema t WHERE type = 'table' AND name <> 'x_migration'
		AND NOT EXISTS (SELECT 1 FROM (`+indexes+`) i WHERE t.name = i.name OR substr(t.name, 1, length(i.name) + 1) = i.name || '_') ORDER BY 1`) {
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
