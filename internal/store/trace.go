package store

import (
	"context"
	"database/sql"
	"sync"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
)

// Statements are the SQL statements that were sent for one context, in order. Tests count and explain them.
type Statements struct {
	mu  sync.Mutex
	all []Statement
}

// Statement is one SQL statement with its arguments.
type Statement struct {
	SQL  string
	Args []any
}

// All lists the statements so far.
func (s *Statements) All() []Statement {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Statement(nil), s.all...)
}

func (s *Statements) add(query string, args any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list, _ := args.([]any)
	s.all = append(s.all, Statement{query, list})
}

type statementsKey struct{}

// CountStatements makes a context whose statements are kept.
func CountStatements(ctx context.Context) (context.Context, *Statements) {
	s := &Statements{}
	return context.WithValue(ctx, statementsKey{}, s), s
}

// traced is a driver that keeps the statements of contexts that ask for it.
type traced struct{ *entsql.Driver }

func note(ctx context.Context, query string, args any) {
	if s, _ := ctx.Value(statementsKey{}).(*Statements); s != nil {
		s.add(query, args)
	}
}

func (d traced) Query(ctx context.Context, query string, args, v any) error {
	note(ctx, query, args)
	return d.Driver.Query(ctx, query, args, v)
}

func (d traced) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	note(ctx, query, args)
	return d.Driver.QueryContext(ctx, query, args...)
}

func (d traced) Exec(ctx context.Context, query string, args, v any) error {
	note(ctx, query, args)
	return d.Driver.Exec(ctx, query, args, v)
}

func (d traced) Tx(ctx context.Context) (dialect.Tx, error) { return d.BeginTx(ctx, nil) }

// BeginTx begins a transaction whose statements are kept like any others.
func (d traced) BeginTx(ctx context.Context, options *sql.TxOptions) (dialect.Tx, error) {
	tx, err := d.Driver.BeginTx(ctx, options)
	if err != nil {
		return nil, err
	}
	begun := tx.(*entsql.Tx)
	if rec, _ := ctx.Value(recorderKey{}).(*recorder); rec != nil {
		rec.tx = begun.Tx.(*sql.Tx)
	}
	return tracedTx{begun}, nil
}

// tracedTx is a transaction of a traced driver.
type tracedTx struct{ *entsql.Tx }

func (t tracedTx) Query(ctx context.Context, query string, args, v any) error {
	note(ctx, query, args)
	return t.Tx.Query(ctx, query, args, v)
}

func (t tracedTx) Exec(ctx context.Context, query string, args, v any) error {
	note(ctx, query, args)
	return t.Tx.Exec(ctx, query, args, v)
}

func (t tracedTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	note(ctx, query, args)
	return t.Tx.QueryContext(ctx, query, args...)
}

var (
	_ dialect.Driver = traced{}
	_ dialect.Tx     = tracedTx{}
)
