// Package pgconn connects database/sql to PostgreSQL through lib/pq, and adds to it: parametrised statements stay
// prepared on their connection, so that they take one round trip instead of two; a server that hangs is noticed; a
// statement whose connection broke after it was sent is never repeated behind the caller's back; and COMMIT is never
// cancelled.
//
// It needs PostgreSQL itself at the other end, or a pooler in session mode: prepared statements and session
// parameters do not survive a transaction pooler.
package pgconn

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/lib/pq"
)

// The limits that [Open] sets on the pool. Callers may set others.
const (
	maxOpen     = 20
	maxIdle     = 10
	maxLifetime = 30 * time.Minute
)

// Option changes a connector.
type Option func(*Connector)

// Statements sets how many prepared statements a connection keeps, 128 by default; 0 keeps none.
func Statements(n int) Option { return func(c *Connector) { c.statements = n } }

// ReadTimeout sets how long the server may be silent while an answer is due. By default it is 90 s, or half as long
// again as the statement_timeout if that is more, or without limit if statements have no timeout. A negative value
// means without limit; TCP keepalive still notices a peer that is gone.
func ReadTimeout(d time.Duration) Option { return func(c *Connector) { c.readTimeout = d } }

// CancelGrace sets how long after the end of its context a statement may take to answer the cancel request, 5 s by
// default. Then its connection is given up.
func CancelGrace(d time.Duration) Option { return func(c *Connector) { c.cancelGrace = d } }

// Open returns a pool of at most 20 connections. It does not connect yet; a fault in dsn is an error at once.
func Open(dsn string, options ...Option) (*sql.DB, error) {
	c, err := NewConnector(dsn, options...)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(maxOpen)
	db.SetMaxIdleConns(maxIdle)
	db.SetConnMaxLifetime(maxLifetime)
	return db, nil
}

// Connector makes connections of one configuration. It is safe for concurrent use.
type Connector struct {
	pq          *pq.Connector
	statements  int
	readTimeout time.Duration
	cancelGrace time.Duration
	waits       waits
	silent      *Silence
	isPrompt    bool
}

// NewConnector reads a DSN as lib/pq does (a postgres:// URL or key=value pairs, the PG* environment under it) and
// fills in the rest: see [defaults].
func NewConnector(dsn string, options ...Option) (*Connector, error) {
	cfg, err := pq.NewConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("reading the address of the database: %w", err)
	}
	w, err := takeWaits(&cfg)
	if err != nil {
		return nil, fmt.Errorf("reading the address of the database: %w", err)
	}
	defaults(&cfg)
	c := &Connector{statements: 128, readTimeout: readTimeoutFor(cfg), cancelGrace: 5 * time.Second, waits: w, silent: &Silence{}}
	for _, o := range options {
		o(c)
	}
	if c.pq, err = pq.NewConnectorConfig(cfg); err != nil {
		return nil, err
	}
	c.pq.Dialer(newDialer(c.readTimeout, c.waits, c.silent))
	return c, nil
}

// Connect opens a connection.
func (c *Connector) Connect(ctx context.Context) (driver.Conn, error) {
	var w *wire
	opened, err := c.pq.Connect(withWire(ctx, &w))
	if err != nil {
		return nil, err
	}
	full, ok := opened.(pqConn)
	if !ok || w == nil {
		_ = opened.Close()
		return nil, fmt.Errorf("pgconn: lib/pq gave a %T, which lacks an interface that this package relies on", opened)
	}
	made := &conn{pq: full, wire: w, statements: newStatements(c.statements), grace: c.cancelGrace, waits: c.waits, silent: c.silent, isPrompt: c.isPrompt}
	pq.SetNoticeHandler(opened, made.notice)
	return made, nil
}

// Driver returns lib/pq's driver.
func (c *Connector) Driver() driver.Driver { return c.pq.Driver() }
