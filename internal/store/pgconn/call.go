package pgconn

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"github.com/linchpin-cmdb/linchpin/internal/safe"
)

// ErrLost says that the connection broke after a statement was sent and before its answer came. Whether the
// statement took effect is not known; inside a transaction it did not, unless the statement is COMMIT.
var ErrLost = errors.New("pgconn: the connection was lost before the answer came")

// ErrQualified says that the server committed and warned while it did: a wait for a synchronous standby was cut short,
// by pg_cancel_backend for instance. The transaction is visible, and may be gone after a failover.
var ErrQualified = errors.New("pgconn: the server qualified the commit by a warning")

// call is one statement under way, from the first byte sent to the last row read.
type call struct {
	c      *conn
	ctx    context.Context
	mark   int64       // bytes that had been sent before the statement itself
	unhook func() bool // takes the watch off ctx
}

// begin refuses a statement that cannot be sent now. A statement without a context of its own ends with that
// of its transaction.
func (c *conn) begin(ctx context.Context) (*call, error) {
	if c.busy {
		return nil, errBusy
	}
	if ctx.Done() == nil && c.tx != nil {
		ctx = c.tx
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	k := &call{c: c, ctx: ctx, mark: c.wire.sent.Load()}
	c.hurry(ctx)
	turn := c.wire.next()
	if ctx.Done() != nil {
		// lib/pq sends a cancel request, which a backend that hangs does not heed.
		k.unhook = safe.AfterFunc(ctx, nil, "the end of a call", func() { c.wire.expire(turn, time.Now().Add(c.grace)) })
	}
	return k, nil
}

// end closes the call and returns its error with what it means.
func (k *call) end(err error) error {
	if k.unhook != nil {
		k.unhook()
		k.c.wire.next()
	}
	err = k.explain(err)
	if k.ctx.Err() != nil {
		k.c.finished = true
	}
	return err
}

// explain adds the end of the context to the error that it caused, so that both errors.Is for the one and errors.As for
// *pq.Error 57014 hold. Without it a cancelled statement looks like one that met statement_timeout.
func (k *call) explain(err error) error {
	err = k.c.lost(k.mark, err)
	if ended := k.ctx.Err(); err != nil && ended != nil && !errors.Is(err, ended) &&
		(codeOf(err) == pqerror.QueryCanceled || errors.Is(err, ErrLost)) {
		return fmt.Errorf("%w: %w", ended, err)
	}
	return err
}

// rows returns r as the rows of the call, whose Close ends the call. If there are none, it ends the call.
func (k *call) rows(r driver.Rows, err error) (driver.Rows, error) {
	if err != nil {
		return nil, k.end(err)
	}
	full, ok := r.(pqRows)
	if !ok {
		_ = r.Close()
		return nil, k.end(fmt.Errorf("pgconn: lib/pq gave rows of type %T, which lack an interface that this package relies on", r))
	}
	k.c.busy = true
	return &rows{pqRows: full, call: k}, nil
}

// lost turns err into ErrLost if the connection broke after something was sent. lib/pq calls that driver.ErrBadConn,
// which makes database/sql repeat the statement, perhaps for a second effect.
func (c *conn) lost(mark int64, err error) error {
	broken := c.wire.err()
	if err == nil || broken == nil && !errors.Is(err, driver.ErrBadConn) {
		return err
	}
	if c.wire.sent.Load() == mark {
		return driver.ErrBadConn
	}
	if codeOf(err) != "" { // the server's word on this statement had come
		return err
	}
	if broken == nil {
		return ErrLost // the server said why, in a FATAL message that lib/pq keeps to itself
	}
	return fmt.Errorf("%w: %w", ErrLost, broken)
}

func codeOf(err error) pqerror.Code {
	var e *pq.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// pqRows are the methods that rows of lib/pq have.
type pqRows interface {
	driver.RowsNextResultSet
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypePrecisionScale
	driver.RowsColumnTypeScanType
}

type rows struct {
	pqRows
	call   *call
	closed bool
}

func (r *rows) Next(dest []driver.Value) error {
	err := r.pqRows.Next(dest)
	if err == nil || r.call.ctx.Err() == nil && r.call.c.wire.err() == nil && !errors.Is(err, driver.ErrBadConn) {
		return err // io.EOF above all, which callers compare
	}
	return r.call.explain(err)
}

func (r *rows) Close() error {
	if r.closed {
		return nil
	}
	r.closed, r.call.c.busy = true, false
	return r.call.end(r.pqRows.Close())
}
