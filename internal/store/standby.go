package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"time"

	"entgo.io/ent/dialect"

	"github.com/linchpin-cmdb/linchpin/internal/store/pgconn"
)

const (
	mostBehind = time.Second            // how long a standby may lack something before the primary is read instead
	lookAgain  = time.Second            // how soon one that is not read is looked at again
	lookFor    = 500 * time.Millisecond // how long one may take to say where it is
)

// standby is a hot standby of PostgreSQL, over which what is shown is read as long as it keeps up with the primary.
type standby struct {
	reads, follows *sql.DB
	isRead         atomic.Bool

	// Of the goroutine that follows:
	looked time.Time // when it was last looked at
	known  time.Time // what the primary had then, it has
	next   Pulse     // what the primary had at nextAt, and the standby may lack
	nextAt time.Time
}

// Option changes how a database is opened.
type Option func(*Store) error

// ReadFrom lets what is shown be read from a hot standby, while that keeps up: it is never more than a second behind,
// and if it is, or does not answer, the primary is read. Writes, and what tells who is calling, go to the primary.
func ReadFrom(address string) Option {
	return func(s *Store) (err error) {
		if !s.IsPostgres() {
			return errors.New("a SQLite file has no standby to read from: leave --read-database out")
		}
		b := &standby{}
		silence := &pgconn.Silence{}
		if b.reads, err = pgconn.Open(address, pgconn.Prompt(), pgconn.Together(silence)); err != nil {
			return err
		}
		if b.follows, err = pgconn.Open(address, pgconn.Prompt(), pgconn.Together(silence)); err != nil {
			return errors.Join(err, b.reads.Close())
		}
		b.follows.SetMaxOpenConns(mostFollows)
		s.standby = b
		s.Show = s.client(either{s.traced(s.reader), s.traced(b.reads), &b.isRead})
		s.Follow = s.client(either{s.traced(s.follows), s.traced(b.follows), &b.isRead})
		return nil
	}
}

// IsOnStandby reports whether what is shown is read from a standby.
func (s *Store) IsOnStandby() bool { return s.standby != nil && s.standby.isRead.Load() }

// Reached returns the last revision that Show and Follow see of those that the primary had at a moment, and a moment at
// which the primary had no more. It is where they are sent to the standby or to the primary; the one goroutine that
// follows calls it.
func (s *Store) Reached(ctx context.Context, had Pulse, at time.Time) (revision int64, since time.Time) {
	b := s.standby
	if b == nil || !b.isRead.Load() && at.Sub(b.looked) < lookAgain {
		return had.Revision, at
	}
	b.looked = at
	revision, err := b.revision(ctx, had)
	if b.isRead.Load() {
		if err == nil && revision >= b.next.Revision {
			b.known, b.next, b.nextAt = b.nextAt, had, at
		}
		if err == nil && revision >= had.Revision {
			b.known = at
		}
		if err != nil || at.Sub(b.known) > mostBehind {
			b.isRead.Store(false)
			return had.Revision, at
		}
		return min(revision, had.Revision), b.known
	}
	if err == nil && revision >= had.Revision {
		b.known, b.next, b.nextAt = at, had, at
		b.isRead.Store(true)
	}
	return had.Revision, at
}

// revision returns the last revision that the standby has. Errors: it does not answer, is no standby any more, or has
// another history than the primary.
func (b *standby) revision(ctx context.Context, had Pulse) (revision int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	var isStandby bool
	var link []byte
	err = b.follows.QueryRowContext(ctx, "SELECT revision, pg_is_in_recovery(), (SELECT chain FROM x_revision WHERE revision = $1) FROM head", had.Revision).Scan(&revision, &isStandby, &link)
	switch {
	case err != nil:
	case !isStandby:
		err = errors.New("it is no standby")
	case revision >= had.Revision && !bytes.Equal(link, had.link):
		err = errors.New("it has another history than the primary")
	}
	return revision, err
}

// either is a driver that reads from a standby while that is read from, and else from the primary, where all the rest
// goes.
type either struct {
	traced
	standby traced
	isRead  *atomic.Bool
}

// Query asks the primary if the standby fails, and from then on.
func (e either) Query(ctx context.Context, query string, args, v any) error {
	if e.isRead.Load() {
		err := e.standby.Query(ctx, query, args, v)
		if err == nil || ctx.Err() != nil {
			return err
		}
		e.isRead.Store(false)
	}
	return e.traced.Query(ctx, query, args, v)
}

// QueryContext does what Query does, for a statement of our own.
func (e either) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if e.isRead.Load() {
		rows, err := e.standby.QueryContext(ctx, query, args...)
		if err == nil || ctx.Err() != nil {
			return rows, err
		}
		e.isRead.Store(false)
	}
	return e.traced.QueryContext(ctx, query, args...)
}

// close closes its connections, if there is one.
func (b *standby) close() error {
	if b == nil {
		return nil
	}
	return errors.Join(b.reads.Close(), b.follows.Close())
}

var _ dialect.Driver = either{}
