// Package store owns the database: it opens and migrates it, reads through Read, and writes through Write, the only
// door. It refuses any mutation outside Write, so that the journal tells every write.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/linchpin-cmdb/linchpin/ent"
)

// Store is an open database, SQLite or PostgreSQL.
type Store struct {
	// Read reads committed records. Mutations through it are refused.
	Read *ent.Client
	// Show reads like Read, and over a standby, if there is one that keeps up: what answers show. It sees at least what
	// the graph does.
	Show *ent.Client
	// Follow reads like Show, over connections that only the feed and health use.
	Follow *ent.Client

	dialect string
	file    *file // SQLite only
	writer  *ent.Client
	reader  *sql.DB
	writes  *sql.DB
	follows *sql.DB
	standby *standby // nil: the primary alone is read
	now     func() time.Time
	skew    skew
	times   prometheus.Histogram // of statements

	mu        sync.Mutex
	onCommit  []func(context.Context, int64)
	judge     func(context.Context, *Tx) error
	snapshots chan struct{} // holds one while a Snapshot is open

	// PostgreSQL only: other servers are told of new revisions.
	address string
	hint    chan struct{}
	stop    context.CancelFunc // of notify
	stopped chan struct{}
}

// Open opens the database that address names: "sqlite:PATH", or a postgres:// URL. It creates a missing SQLite file. It
// does not migrate.
func Open(ctx context.Context, address string, options ...Option) (*Store, error) {
	s, err := open(ctx, address, openSQLite)
	for _, change := range options {
		if err == nil {
			err = change(s)
		}
	}
	if err != nil && s != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, err
}

// OpenReading opens a database for reading alone. It creates nothing, and reads a SQLite file in a folder where nothing
// may be written. It returns an error if there is no database, or if it is not at the version of this program.
func OpenReading(ctx context.Context, address string) (*Store, error) {
	s, err := open(ctx, address, func(path string) (*Store, error) { return openSQLiteReading(ctx, path) })
	if err != nil {
		return nil, err
	}
	if err := s.isCurrent(ctx); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("read database %s: %w", Redact(address), err)
	}
	return s, nil
}

func open(ctx context.Context, address string, openFile func(path string) (*Store, error)) (*Store, error) {
	scheme, rest, _ := strings.Cut(address, ":")
	var s *Store
	var err error
	switch scheme {
	case "sqlite":
		s, err = openFile(rest)
	case "postgres", "postgresql":
		s, err = openPostgres(address)
	default:
		return nil, fmt.Errorf("%s: an address is sqlite:PATH or postgres://USER@HOST/NAME", Redact(address))
	}
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", Redact(address), err)
	}
	if err := s.reader.PingContext(ctx); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("open database %s: %w", Redact(address), describe(err))
	}
	return s, nil
}

// pools are the connections of a Store, by what they are for. Some may be the same.
type pools struct{ writes, reads, follows *sql.DB }

// assemble returns a Store over pools.
func assemble(d string, p pools) *Store {
	s := &Store{dialect: d, writes: p.writes, reader: p.reads, follows: p.follows, now: time.Now, skew: skew{clock: time.Now}, times: newTimes(), snapshots: make(chan struct{}, 1)}
	reads := s.traced(p.reads)
	if d == dialect.SQLite {
		reads.often = newOften(p.reads)
	}
	s.writer, s.Read, s.Follow = s.client(s.traced(p.writes)), s.client(reads), s.client(s.traced(p.follows))
	s.Show = s.Read
	return s
}

func (s *Store) traced(pool *sql.DB) traced {
	return traced{entsql.OpenDB(s.dialect, pool), s.meter(), nil}
}

// client returns a client whose mutations are noted, or refused where nothing is written.
func (s *Store) client(over dialect.Driver) *ent.Client {
	c := ent.NewClient(ent.Driver(over))
	c.Use(record)
	return c
}

func (s *Store) meter() meter {
	return meter{s.times, map[string]string{dialect.SQLite: "sqlite", dialect.Postgres: "postgresql"}[s.dialect]}
}

// Close closes all connections. Writes under way may fail; the outcome of each is still known.
func (s *Store) Close() error {
	if s.stop != nil {
		s.stop()
		<-s.stopped
	}
	return errors.Join(s.standby.close(), s.follows.Close(), s.reader.Close(), s.writes.Close())
}

// IsPostgres reports whether the database is PostgreSQL; else it is SQLite.
func (s *Store) IsPostgres() bool { return s.dialect == dialect.Postgres }

// Dialect returns ent's name of the database: "sqlite3" or "postgres".
func (s *Store) Dialect() string { return s.dialect }

// OnCommit registers f to be called with the revision of each commit, before Write returns. f must be quick.
func (s *Store) OnCommit(f func(ctx context.Context, revision int64)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onCommit = append(s.onCommit, f)
}

// judgeOf returns what decides about a write at its end; nil: nobody does.
func (s *Store) judgeOf(by By) func(context.Context, *Tx) error {
	if by.IsFounding {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.judge
}

func (s *Store) committed(ctx context.Context, revision int64) {
	s.mu.Lock()
	listeners := s.onCommit
	s.mu.Unlock()
	for _, f := range listeners {
		f(ctx, revision)
	}
	select {
	case s.hint <- struct{}{}:
	default: // SQLite, or a hint is on its way
	}
}

// Revision returns the number of the last committed write.
func (s *Store) Revision(ctx context.Context) (int64, error) {
	return lastRevision(ctx, s.Read)
}

func lastRevision(ctx context.Context, c *ent.Client) (int64, error) {
	h, err := c.Head.Query().Only(ctx)
	if err != nil {
		return 0, Translate(err)
	}
	return h.Revision, nil
}

// Writer returns the pool that writes. It is for migrations and their tests: writes through it are not journalled.
func (s *Store) Writer() *sql.DB { return s.writes }
