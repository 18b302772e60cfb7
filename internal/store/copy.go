package store

import (
	"context"
	"database/sql"
	"fmt"
	"os"
)

// CopySQLite writes a copy of a SQLite file, as it is in one revision, to a path where no file is, and returns when the
// disk has it. It holds up no server that reads or writes the file meanwhile.
func CopySQLite(ctx context.Context, path, to string) (err error) {
	from, err := sql.Open("sqlite", sqliteAddress(path, "mode=ro")) // not query_only, which refuses to write elsewhere too
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	if _, err := from.ExecContext(ctx, "VACUUM INTO $1", to); err != nil {
		return describe(err)
	}
	return Sync(to)
}

// Sync returns when the disk has a file or folder.
func Sync(path string) error {
	f, err := os.Open(path) //nolint:gosec // the caller's own file
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return f.Sync()
}

// Damage returns what SQLite finds wrong within its file, and references to rows that are missing; PostgreSQL keeps
// both itself. It reads the whole file.
func (s *Store) Damage(ctx context.Context) (all []string, err error) {
	if s.IsPostgres() {
		return nil, nil
	}
	found, err := rowsOf(ctx, s.reader, "PRAGMA integrity_check", func(rows *sql.Rows) (text string, err error) { return text, rows.Scan(&text) })
	if err != nil {
		return nil, Translate(err)
	}
	for _, text := range found {
		if text != "ok" {
			all = append(all, text)
		}
	}
	lost, err := rowsOf(ctx, s.reader, "PRAGMA foreign_key_check", func(rows *sql.Rows) (text string, err error) {
		var table, parent string
		var row sql.NullInt64
		var key int
		err = rows.Scan(&table, &row, &parent, &key)
		return fmt.Sprintf("row %d of %s names a row of %s that is not there", row.Int64, table, parent), err
	})
	return append(all, lost...), Translate(err)
}

func rowsOf[T any](ctx context.Context, db *sql.DB, query string, scan func(*sql.Rows) (T, error)) (all []T, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// IsEmpty reports whether a database holds no tables, whoever made them.
func (s *Store) IsEmpty(ctx context.Context) (is bool, err error) {
	query := "SELECT count(*) = 0 FROM sqlite_master"
	if s.IsPostgres() {
		query = "SELECT count(*) = 0 FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
	}
	return is, Translate(s.reader.QueryRowContext(ctx, query).Scan(&is))
}
