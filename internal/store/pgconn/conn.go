package pgconn

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// pqConn is every interface that a connection of lib/pq 1.12 has, except those that database/sql has deprecated.
type pqConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

// conn is one connection. Like every driver.Conn it is used by one goroutine at a time.
type conn struct {
	pq         pqConn
	wire       *wire
	statements *statements
	grace      time.Duration
	waits      waits
	silent     *Silence
	isPrompt   bool

	tx       context.Context // of the open transaction; nil outside one
	busy     bool            // rows are open or a COPY is under way
	warning  error           // of the server, since COMMIT was sent
	finished bool            // not to be used again: a cancel request may still be on its way to it
}

var _ pqConn = (*conn)(nil)

var errBusy = errors.New("pgconn: another query on this connection is not finished: close its rows first")

// notice keeps a warning of the server, which is a notice with a code of its own. Before COMMIT there may be others,
// which Commit forgets.
func (c *conn) notice(n *pq.Error) {
	if n.Code != pqerror.SuccessfulCompletion { // the severity would be in the server's language
		c.warning = n
	}
}

// ResetSession refuses a connection that cannot serve another caller.
func (c *conn) ResetSession(ctx context.Context) error {
	if !c.usable() || c.wire.heard.Load() < c.silent.since.Load() || !c.wire.alive() {
		return driver.ErrBadConn
	}
	return c.pq.ResetSession(ctx)
}

// IsValid reports whether the pool may keep a connection that a caller gives back.
func (c *conn) IsValid() bool { return c.usable() && c.pq.IsValid() }

func (c *conn) usable() bool { return !c.finished && !c.busy && c.wire.err() == nil }

// Close ends the session.
func (c *conn) Close() error { return c.pq.Close() }

// CheckNamedValue turns arguments into values that lib/pq can send, such as slices into arrays.
func (c *conn) CheckNamedValue(v *driver.NamedValue) error { return c.pq.CheckNamedValue(v) }

// Ping asks the server for a sign of life.
func (c *conn) Ping(ctx context.Context) error {
	k, err := c.begin(ctx)
	if err != nil {
		return err
	}
	err = c.pq.Ping(k.ctx)
	_ = k.end(nil)
	return err
}

// ExecContext runs a statement that returns no rows.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	k, err := c.begin(ctx)
	if err != nil {
		return nil, err
	}
	r, err := send(k, query, args, pqStmt.ExecContext, pqConn.ExecContext)
	if err = k.end(err); err != nil {
		return nil, err
	}
	return r, nil
}

// QueryContext runs a statement that returns rows.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	k, err := c.begin(ctx)
	if err != nil {
		return nil, err
	}
	r, err := send(k, query, args, pqStmt.QueryContext, pqConn.QueryContext)
	return k.rows(r, err)
}

// Prepare calls PrepareContext, for callers of [sql.Conn.Raw] that have no context.
func (c *conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// PrepareContext prepares a statement that the caller keeps, or begins the COPY of a pq.CopyIn.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	k, err := c.begin(ctx)
	if err != nil {
		return nil, err
	}
	st, err := c.pq.PrepareContext(k.ctx, query)
	k.mark = c.wire.sent.Load() // a failure here has no effect
	if err = k.end(err); err != nil {
		return nil, err
	}
	switch st := st.(type) {
	case pqStmt:
		return &stmt{pqStmt: st, c: c}, nil
	case pqCopy:
		c.busy = true
		c.wire.tolerate(c.wire.longest) // it ends once all rows are in
		return &copyIn{pqCopy: st, c: c}, nil
	default:
		return st, nil
	}
}

// Begin opens a transaction with the server's defaults.
func (c *conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// BeginTx opens a transaction. The end of ctx never cancels its COMMIT: lib/pq would send the request, and report
// success if a server that waits for a synchronous standby gives up waiting. Until then database/sql rolls back when
// ctx ends.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if c.busy {
		return nil, errBusy
	}
	c.hurry(ctx)
	t, err := c.pq.BeginTx(context.WithoutCancel(ctx), opts)
	if err != nil {
		return nil, err
	}
	c.tx = ctx
	return &tx{c: c, pq: t}, nil
}

type tx struct {
	c  *conn
	pq driver.Tx
}

// Commit commits. It returns ErrLost or ErrQualified if the outcome is not known, and driver.ErrBadConn if nothing was
// sent.
func (t *tx) Commit() error {
	mark := t.c.wire.sent.Load()
	t.c.hurry(context.Background())
	t.c.tx, t.c.warning = nil, nil
	t.c.wire.next()
	if err := t.c.lost(mark, t.pq.Commit()); err != nil {
		return err
	}
	if t.c.warning != nil {
		return fmt.Errorf("%w: %w", ErrQualified, t.c.warning)
	}
	return nil
}

func (t *tx) Rollback() error {
	t.c.hurry(context.Background())
	t.c.tx = nil
	t.c.wire.next()
	return t.pq.Rollback()
}
