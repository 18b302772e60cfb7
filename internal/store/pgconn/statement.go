package pgconn

import (
	"container/list"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/lib/pq/pqerror"
)

// Limits of a statement that is kept. One above them is made for one occasion (a batch of rows, a list of ids): kept,
// it would fill the server's memory and push out those that come back.
const (
	maxQueryBytes = 8 << 10
	maxArguments  = 256
)

// pqStmt are the methods that a prepared statement of lib/pq has.
type pqStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// statements are the prepared statements of one connection, the one used longest ago first to go.
type statements struct {
	capacity int
	byQuery  map[string]*list.Element
	byUse    *list.List // of prepared, the latest in front
}

type prepared struct {
	query string
	st    pqStmt
}

func newStatements(capacity int) *statements {
	return &statements{capacity: capacity, byQuery: map[string]*list.Element{}, byUse: list.New()}
}

// admits reports whether a statement is worth keeping. A procedure may commit before it fails, so a CALL must not be
// tried again. Text without arguments may be several statements, which cannot be prepared, unless it is one SELECT.
func (s *statements) admits(query string, args int) bool {
	if s.capacity == 0 || args > maxArguments || len(query) > maxQueryBytes {
		return false
	}
	verb, _, _ := strings.Cut(strings.TrimLeft(query, " \t\n"), " ")
	if args == 0 {
		return strings.EqualFold(verb, "select") && !strings.Contains(query, ";")
	}
	return !strings.EqualFold(verb, "call")
}

func (s *statements) find(query string) (pqStmt, bool) {
	e, ok := s.byQuery[query]
	if !ok {
		return nil, false
	}
	s.byUse.MoveToFront(e)
	return e.Value.(prepared).st, true
}

func (s *statements) add(query string, st pqStmt) {
	s.byQuery[query] = s.byUse.PushFront(prepared{query, st})
}

// remove drops a statement and closes it on the server.
func (s *statements) remove(query string) error {
	e, ok := s.byQuery[query]
	if !ok {
		return nil
	}
	delete(s.byQuery, query)
	return s.byUse.Remove(e).(prepared).st.Close()
}

// makeRoom closes the statement used longest ago if there is no room for another.
func (s *statements) makeRoom() error {
	if s.byUse.Len() < s.capacity {
		return nil
	}
	return s.remove(s.byUse.Back().Value.(prepared).query)
}

// send runs a statement: prepared if it is worth keeping, else directly. If the server no longer accepts a kept
// statement (a table changed under it, or someone said DISCARD ALL), send drops it, and outside a transaction tries it
// once more, since it had no effect. Inside one the transaction is spoilt, and the error is the caller's.
func send[T any](k *call, query string, args []driver.NamedValue,
	kept func(pqStmt, context.Context, []driver.NamedValue) (T, error),
	directly func(pqConn, context.Context, string, []driver.NamedValue) (T, error),
) (v T, err error) {
	c := k.c
	if !c.statements.admits(query, len(args)) {
		return directly(c.pq, k.ctx, query, args)
	}
	var first error // why the statement was tried again
	for {
		st, old := c.statements.find(query)
		if !old {
			if st, err = c.prepare(k, query); err != nil {
				break
			}
		}
		v, err = kept(st, k.ctx, args)
		if err == nil || !stale(err) {
			return v, err
		}
		cerr := c.statements.remove(query)
		if !old || cerr != nil || c.tx != nil || k.ctx.Err() != nil {
			break
		}
		first = err
	}
	if first != nil && codeOf(err) == pqerror.InFailedSQLTransaction {
		err = first // a BEGIN that went past database/sql
	}
	var none T
	return none, err
}

// prepare prepares a new statement and keeps it. If the connection breaks meanwhile, nothing is lost.
func (c *conn) prepare(k *call, query string) (pqStmt, error) {
	defer func() { k.mark = c.wire.sent.Load() }()
	if err := c.statements.makeRoom(); err != nil {
		return nil, err
	}
	st, err := c.pq.PrepareContext(k.ctx, query)
	if err != nil {
		return nil, err
	}
	full, ok := st.(pqStmt)
	if !ok {
		return nil, errors.Join(fmt.Errorf("pgconn: %.40q cannot be prepared with arguments", query), st.Close())
	}
	c.statements.add(query, full)
	return full, nil
}

// stale reports whether err is one that a server gives to a prepared statement that it had accepted before: "cached
// plan must not change result type", no statement of that name, or the errors of analysing it anew after a column or
// its type changed.
func stale(err error) bool {
	switch code := codeOf(err); code {
	case "":
		return false
	case pqerror.FeatureNotSupported, pqerror.InvalidSQLStatementName, pqerror.InternalError:
		return true
	default:
		return code.Class() == pqerror.ClassSyntaxErrorOrAccessRuleViolation
	}
}

// stmt is a prepared statement that the caller keeps.
type stmt struct {
	pqStmt
	c *conn
}

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	k, err := s.c.begin(ctx)
	if err != nil {
		return nil, err
	}
	r, err := s.pqStmt.ExecContext(k.ctx, args)
	if err = k.end(err); err != nil {
		return nil, err
	}
	return r, nil
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	k, err := s.c.begin(ctx)
	if err != nil {
		return nil, err
	}
	r, err := s.pqStmt.QueryContext(k.ctx, args)
	return k.rows(r, err)
}

// pqCopy are the methods that the statement of a pq.CopyIn has.
type pqCopy interface {
	driver.Stmt
	CopyData(ctx context.Context, line string) (driver.Result, error)
}

// copyIn keeps other statements off the connection until the COPY ends.
type copyIn struct {
	pqCopy
	c *conn
}

// Exec sends a row, or ends the COPY if there are no values.
func (s *copyIn) Exec(values []driver.Value) (driver.Result, error) {
	if len(values) == 0 {
		s.c.busy = false
	}
	return s.pqCopy.Exec(values)
}

func (s *copyIn) Close() error {
	s.c.busy = false
	return s.pqCopy.Close()
}
