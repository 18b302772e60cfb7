package store

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// mostSkew is how far the clocks of a server and of its database may be apart for writes: what one server dates,
// another reads, and keys of requests are forgotten by their age.
const mostSkew = 30 * time.Second

// skew is how far the clock of this machine was ahead of the database's when it was last asked.
type skew struct {
	clock func() time.Time
	last  atomic.Int64 // nanoseconds
}

// note takes down what the database's clock said between two moments of this machine's. An answer that took longer than
// the clocks may be apart says nothing.
func (k *skew) note(sent, received, said time.Time) {
	if took := received.Sub(sent); took < mostSkew {
		k.last.Store(int64(sent.Add(took / 2).Sub(said)))
	}
}

// check returns errs.Unavailable if the clocks are too far apart.
func (k *skew) check() error {
	ahead, which := time.Duration(k.last.Load()), "ahead of"
	if ahead < 0 {
		ahead, which = -ahead, "behind"
	}
	if ahead <= mostSkew {
		return nil
	}
	return errs.New(errs.Unavailable, "the clock of this server is %s %s the database's: nothing is written until they are at most %s apart; set the wrong one right",
		ahead.Round(time.Second), which, mostSkew)
}

// Pulse returns what Revision does, over the connections of the feed and of health, and takes down how far the clocks
// of this machine and of the database are apart. SQLite goes by this machine's.
func (s *Store) Pulse(ctx context.Context) (revision int64, err error) {
	if !s.IsPostgres() {
		return lastRevision(ctx, s.Follow)
	}
	sent := s.skew.clock()
	rows, err := s.Follow.QueryContext(ctx, "SELECT revision, clock_timestamp() FROM head")
	if err != nil {
		return 0, Translate(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var said time.Time
		if err := rows.Scan(&revision, &said); err != nil {
			return 0, Translate(err)
		}
		s.skew.note(sent, s.skew.clock(), said)
	}
	return revision, Translate(errors.Join(rows.Err(), rows.Close()))
}

// Skew returns how far the clock of this machine was ahead of the database's when it was last asked.
func (s *Store) Skew() time.Duration { return time.Duration(s.skew.last.Load()) }
