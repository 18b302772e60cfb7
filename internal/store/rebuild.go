package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// applySQLite runs a migration. SQLite changes a table by making it anew, and the old one takes with it its triggers
// and the number that the next record gets. applySQLite puts both back, except for triggers that the migration names:
// it handles those itself.
func applySQLite(ctx context.Context, tx *sql.Tx, m Migration) error {
	const triggersNow = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
	triggers, err := pairs[string](ctx, tx, triggersNow)
	if err != nil {
		return err
	}
	numbers, err := lastNumbers(ctx, tx)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, m.SQL); err != nil {
		return err
	}
	left, err := pairs[string](ctx, tx, triggersNow)
	if err != nil {
		return err
	}
	for name, statement := range triggers {
		if _, ok := left[name]; ok || strings.Contains(m.SQL, name) {
			continue
		}
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("putting back the trigger %s: %w", name, err)
		}
	}
	for table, last := range numbers {
		for _, statement := range []string{
			"INSERT INTO sqlite_sequence (name, seq) SELECT name, 0 FROM sqlite_schema WHERE type = 'table' AND name = $1 AND name NOT IN (SELECT name FROM sqlite_sequence)",
			"UPDATE sqlite_sequence SET seq = max(seq, $2) WHERE name = $1",
		} {
			if _, err := tx.ExecContext(ctx, statement, table, last); err != nil {
				return err
			}
		}
	}
	return checkForeignKeys(ctx, tx)
}

// lastNumbers returns the last number that each table gave out. Without tables that count, a database has no table
// sqlite_sequence.
func lastNumbers(ctx context.Context, tx *sql.Tx) (map[string]int64, error) {
	known, err := pairs[string](ctx, tx, "SELECT name, '' FROM sqlite_schema WHERE name = 'sqlite_sequence'")
	if err != nil || len(known) == 0 {
		return nil, err
	}
	return pairs[int64](ctx, tx, "SELECT name, seq FROM sqlite_sequence")
}

// pairs returns the second of two columns, by the first.
func pairs[V any](ctx context.Context, tx *sql.Tx, query string) (map[string]V, error) {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	all := map[string]V{}
	for rows.Next() {
		var name string
		var v V
		if err := rows.Scan(&name, &v); err != nil {
			return nil, err
		}
		all[name] = v
	}
	return all, rows.Err()
}

func checkForeignKeys(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	if rows.Next() {
		var table, parent string
		var rowid, key any
		if err := rows.Scan(&table, &rowid, &parent, &key); err != nil {
			return err
		}
		return fmt.Errorf("row %v of %s refers to a row of %s that is gone", rowid, table, parent)
	}
	return rows.Err()
}
