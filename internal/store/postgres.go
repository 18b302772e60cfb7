package store

import (
	"context"
	"errors"
	"net/url"
	"time"

	"entgo.io/ent/dialect"
	"github.com/lib/pq"

	"github.com/linchpin-cmdb/linchpin/internal/safe"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgconn"
)

// Of the connections that PostgreSQL takes by default, three servers need less than all: 20 of each read.
const (
	mostWrites  = 10
	mostFollows = 2
)

// openPostgres opens pools over lib/pq with prepared statements and bounded waits. Writes that wait for each other take
// no connection from reads, and neither from what tells whether the server is well.
func openPostgres(address string) (*Store, error) {
	if u, err := url.Parse(address); err != nil || u.Opaque != "" {
		return nil, errors.New("it is not a URL such as postgres://USER:PASSWORD@HOST/NAME, where special characters of the password are written as %XX")
	}
	silence := &pgconn.Silence{}
	writes, err := pgconn.Open(address, pgconn.Prompt(), pgconn.Together(silence))
	if err != nil {
		return nil, err
	}
	reads, err := pgconn.Open(address, pgconn.Prompt(), pgconn.Together(silence))
	if err != nil {
		_ = writes.Close()
		return nil, err
	}
	follows, err := pgconn.Open(address, pgconn.Prompt(), pgconn.Together(silence))
	if err != nil {
		_, _ = writes.Close(), reads.Close()
		return nil, err
	}
	writes.SetMaxOpenConns(mostWrites)
	writes.SetMaxIdleConns(mostWrites / 2)
	follows.SetMaxOpenConns(mostFollows)
	s := assemble(dialect.Postgres, pools{writes, reads, follows})
	s.address = address
	s.hint = make(chan struct{}, 1)
	s.stopped = make(chan struct{})
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	safe.Go(nil, "hints for other servers", func() { s.notify(ctx) })
	return s, nil
}

const (
	channel         = "linchpin_revision"
	listenerMinWait = 100 * time.Millisecond
	listenerMaxWait = 5 * time.Second
)

// notify tells other servers of a new revision, outside the transaction that made it: a NOTIFY inside would make
// commits wait for each other. A lost hint costs one tick and no event.
func (s *Store) notify(ctx context.Context) {
	defer close(s.stopped)
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.hint:
		}
		bounded, cancel := context.WithTimeout(ctx, listenerMaxWait)
		_, _ = s.writes.ExecContext(bounded, "SELECT pg_notify($1, '')", channel) // a hint only
		cancel()
	}
}

// Hints returns a channel that receives when another server has committed. Some hints are lost, and a SQLite file gives
// none. The channel stays open until ctx ends.
func (s *Store) Hints(ctx context.Context) <-chan struct{} {
	hints := make(chan struct{}, 1)
	if !s.IsPostgres() {
		return hints
	}
	l := pq.NewListener(pgconn.Plain(s.address), listenerMinWait, listenerMaxWait, nil)
	safe.AfterFunc(ctx, nil, "the end of the hints", func() { _ = l.Close() })
	safe.Go(nil, "hints of other servers", func() {
		// Listen waits until there is a connection; only Close ends that wait.
		if err := l.Listen(channel); err != nil {
			_ = l.Close() // the tick of the follower is enough
		}
		// Receive until the listener has ended: if nobody received, it would never end.
		for range l.Notify {
			select {
			case hints <- struct{}{}:
			default:
			}
		}
	})
	return hints
}
