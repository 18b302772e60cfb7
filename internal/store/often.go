package store

import (
	"context"
	"database/sql"
)

// QueryOften reads like Read.QueryContext, by a statement that many requests send: its text is the same each time, and
// each connection keeps it prepared. For PostgreSQL package pgconn does so with all that have parameters; on SQLite
// preparing takes longer than finding a row by its key.
func (s *Store) QueryOften(ctx context.Context, query string, args ...any) (rows *sql.Rows, err error) {
	if s.IsPostgres() {
		return s.Read.QueryContext(ctx, query, args...) //nolint:sqlclosecheck // the caller closes them
	}
	defer s.meter().send(ctx, query, args).done(&err)
	prepared, err := s.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return prepared.QueryContext(ctx, args...) //nolint:sqlclosecheck // the caller closes them
}

// prepared returns a statement that each connection that reads prepares when it needs it for the first time.
func (s *Store) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if made, ok := s.often.Load(query); ok {
		return made.(*sql.Stmt), nil
	}
	made, err := s.reader.PrepareContext(context.WithoutCancel(ctx), query) //nolint:sqlclosecheck // the pool closes it at its end
	if err != nil {
		return nil, err
	}
	if before, ok := s.often.LoadOrStore(query, made); ok {
		return before.(*sql.Stmt), made.Close()
	}
	return made, nil
}
