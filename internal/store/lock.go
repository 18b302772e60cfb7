package store

import (
	"context"

	"entgo.io/ent/dialect/sql"
)

// Lock returns the one record that a query finds, and keeps others from writing it until the transaction ends. On
// SQLite, where one transaction writes at a time, it only reads.
func Lock[Record any, Query interface {
	ForUpdate(...sql.LockOption) Query
	Only(context.Context) (Record, error)
}](ctx context.Context, tx *Tx, q Query) (Record, error) {
	if tx.IsPostgres() {
		q = q.ForUpdate()
	}
	return q.Only(ctx)
}
