package store

import (
	"context"
	"database/sql"
)

// TakeTurns lets one transaction at a time go past a name. SQLite has one writer anyhow.
func (tx *Tx) TakeTurns(ctx context.Context, name string) error {
	if !tx.IsPostgres() {
		return nil
	}
	rows, err := tx.QueryContext(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", name)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := rows.Scan(new(sql.NullString)); err != nil {
			return err
		}
	}
	return rows.Err()
}
