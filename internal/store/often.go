package store

import (
	"context"
	"database/sql"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Bounds of what stays prepared, as in package pgconn: texts, each on every connection that has needed it, and the
// length and the arguments of one; what has more is made for one occasion.
const (
	mostPrepared    = 200
	longestPrepared = 8 << 10
	mostArguments   = 256
)

// often keeps the statements prepared that requests send over and over: on SQLite preparing one takes longer than
// finding a row by its key. For PostgreSQL package pgconn does so.
type often struct {
	pool *sql.DB
	made *lru.Cache[string, *sql.Stmt]
}

func newOften(pool *sql.DB) *often {
	made, err := lru.NewWithEvict(mostPrepared, func(_ string, st *sql.Stmt) { _ = st.Close() }) // whoever reads by it goes on
	if err != nil {
		panic(err) // the number is not positive
	}
	return &often{pool, made}
}

// query sends a statement. Each connection prepares it when it needs it for the first time.
func (o *often) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	if len(query) > longestPrepared || len(args) > mostArguments {
		return o.pool.QueryContext(ctx, query, args...)
	}
	st, ok := o.made.Get(query)
	if !ok {
		var err error
		if st, err = o.pool.PrepareContext(ctx, query); err != nil {
			return nil, err
		}
		if before, isThere, _ := o.made.PeekOrAdd(query, st); isThere {
			_ = st.Close() //nolint:sqlclosecheck // the other one is used
			st = before
		}
	}
	rows, err := st.QueryContext(ctx, args...)
	if err != nil && err.Error() == "sql: statement is closed" { // evicted in between; database/sql has no value for this
		return o.pool.QueryContext(ctx, query, args...)
	}
	return rows, err
}
