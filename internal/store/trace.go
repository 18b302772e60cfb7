package store

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/prometheus/client_golang/prometheus"
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

// traced is a driver that measures statements, and keeps those of contexts that ask for it.
type traced struct {
	*entsql.Driver
	times prometheus.Histogram
}

// note counts a statement, and keeps it where its context asks for that.
func note(ctx context.Context, query string, args any) {
	if w := workOf(ctx); w != nil {
		w.statements.Add(1)
	}
	if s, _ := ctx.Value(statementsKey{}).(*Statements); s != nil {
		s.add(query, args)
	}
}

// clock gives what to call when the database has answered.
func clock(times prometheus.Histogram) func() {
	began := time.Now()
	return func() { times.Observe(time.Since(began).Seconds()) }
}

func (d traced) Query(ctx context.Context, query string, args, v any) error {
	note(ctx, query, args)
	defer clock(d.times)()
	return d.Driver.Query(ctx, query, args, v)
}

func (d traced) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	note(ctx, query, args)
	defer clock(d.times)()
	return d.Driver.QueryContext(ctx, query, args...) //nolint:sqlclosecheck // the caller closes them
}

func (d traced) Exec(ctx context.Context, query string, args, v any) error {
	note(ctx, query, args)
	defer clock(d.times)()
	return d.Driver.Exec(ctx, query, args, v)
}

// ExecContext sends a statement of our own.
func (d traced) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	note(ctx, query, args)
	defer clock(d.times)()
	return d.Driver.ExecContext(ctx, query, args...)
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
	return tracedTx{begun, d.times}, nil
}

// tracedTx is a transaction of a traced driver.
type tracedTx struct {
	*entsql.Tx
	times prometheus.Histogram
}

func (t tracedTx) Query(ctx context.Context, query string, args, v any) error {
	note(ctx, query, args)
	defer clock(t.times)()
	return t.Tx.Query(ctx, query, args, v)
}

func (t tracedTx) Exec(ctx context.Context, query string, args, v any) error {
	note(ctx, query, args)
	defer clock(t.times)()
	return t.Tx.Exec(ctx, query, args, v)
}

func (t tracedTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	note(ctx, query, args)
	defer clock(t.times)()
	return t.Tx.QueryContext(ctx, query, args...) //nolint:sqlclosecheck // the caller closes them
}

func (t tracedTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	note(ctx, query, args)
	defer clock(t.times)()
	return t.Tx.ExecContext(ctx, query, args...)
}

var (
	_ dialect.Driver = traced{}
	_ dialect.Tx     = tracedTx{}
)
