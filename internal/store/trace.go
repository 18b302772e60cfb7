package store

import (
	"context"
	"database/sql"
	"strings"
	"sync"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/span"
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

// All returns the statements so far.
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

// CountStatements returns a context whose statements are kept, and the list that keeps them.
func CountStatements(ctx context.Context) (context.Context, *Statements) {
	s := &Statements{}
	return context.WithValue(ctx, statementsKey{}, s), s
}

// meter measures statements, keeps them if their context asks for that, and makes them spans if their context has a
// trace.
type meter struct {
	times  prometheus.Histogram
	system string // as OpenTelemetry calls the database
}

// sent is a statement that has been sent.
type sent struct {
	times prometheus.Histogram
	began time.Time
	span  trace.Span
}

// send notes that a statement is about to be sent.
func (m meter) send(ctx context.Context, query string, args any) sent {
	if w := workOf(ctx); w != nil {
		w.statements.Add(1)
	}
	if s, _ := ctx.Value(statementsKey{}).(*Statements); s != nil {
		s.add(query, args)
	}
	s := sent{times: m.times, began: time.Now()}
	if trace.SpanFromContext(ctx).IsRecording() {
		verb, _, _ := strings.Cut(query, " ")
		_, s.span = span.Child(ctx, verb, trace.SpanKindClient)
		s.span.SetAttributes(attribute.String("db.system.name", m.system), attribute.String("db.operation.name", verb), attribute.String("db.query.text", query))
	}
	return s
}

// done notes that the database has answered.
func (s sent) done(err *error) {
	s.times.Observe(time.Since(s.began).Seconds())
	if s.span != nil {
		span.End(s.span, errs.CodeOf(Translate(*err)))
	}
}

// traced is a driver that measures statements, and keeps those of contexts that ask for it.
type traced struct {
	*entsql.Driver
	meter
	often *often // keeps statements prepared; nil: the connections do, or nobody
}

func (d traced) Query(ctx context.Context, query string, args, v any) (err error) {
	defer d.send(ctx, query, args).done(&err)
	into, isRows := v.(*entsql.Rows)
	list, isList := args.([]any)
	if d.often == nil || !isRows || !isList {
		return d.Driver.Query(ctx, query, args, v)
	}
	rows, err := d.often.query(ctx, query, list) //nolint:rowserrcheck // the caller reads them
	if err == nil {
		*into = entsql.Rows{ColumnScanner: rows}
	}
	return err
}

func (d traced) QueryContext(ctx context.Context, query string, args ...any) (rows *sql.Rows, err error) {
	defer d.send(ctx, query, args).done(&err)
	if d.often != nil {
		return d.often.query(ctx, query, args) //nolint:sqlclosecheck // the caller closes them
	}
	return d.Driver.QueryContext(ctx, query, args...) //nolint:sqlclosecheck // the caller closes them
}

func (d traced) Exec(ctx context.Context, query string, args, v any) (err error) {
	defer d.send(ctx, query, args).done(&err)
	return d.Driver.Exec(ctx, query, args, v)
}

// ExecContext sends a statement of our own.
func (d traced) ExecContext(ctx context.Context, query string, args ...any) (result sql.Result, err error) {
	defer d.send(ctx, query, args).done(&err)
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
		rec.meter = d.meter
		rec.tx = begun.Tx.(*sql.Tx)
	}
	return tracedTx{begun, d.meter}, nil
}

// tracedTx is a transaction of a traced driver.
type tracedTx struct {
	*entsql.Tx
	meter
}

func (t tracedTx) Query(ctx context.Context, query string, args, v any) (err error) {
	defer t.send(ctx, query, args).done(&err)
	return t.Tx.Query(ctx, query, args, v)
}

func (t tracedTx) QueryContext(ctx context.Context, query string, args ...any) (rows *sql.Rows, err error) {
	defer t.send(ctx, query, args).done(&err)
	return t.Tx.QueryContext(ctx, query, args...) //nolint:sqlclosecheck // the caller closes them
}

func (t tracedTx) Exec(ctx context.Context, query string, args, v any) (err error) {
	defer t.send(ctx, query, args).done(&err)
	return t.Tx.Exec(ctx, query, args, v)
}

// ExecContext sends a statement of our own.
func (t tracedTx) ExecContext(ctx context.Context, query string, args ...any) (result sql.Result, err error) {
	defer t.send(ctx, query, args).done(&err)
	return t.Tx.ExecContext(ctx, query, args...)
}

var (
	_ dialect.Driver = traced{}
	_ dialect.Tx     = tracedTx{}
)
