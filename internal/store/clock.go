package store

import (
	"context"
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

// Pulse is where the journal begins and ends.
type Pulse struct {
	Revision int64 // the last committed one
	Floor    int64 // the first that the journal has whole

	link []byte // of the last revision; nil: it has none yet
}

// Pulse returns where the journal begins and ends, over the connections of the feed and of health, and takes down how
// far the clocks of this machine and of the database are apart. SQLite goes by this machine's.
func (s *Store) Pulse(ctx context.Context) (p Pulse, err error) {
	const of = "SELECT revision, CASE WHEN chained = revision THEN chain END, (" + floorRevision + ")"
	if !s.IsPostgres() {
		return p, Translate(s.follows.QueryRowContext(ctx, of+" FROM head").Scan(&p.Revision, &p.link, &p.Floor))
	}
	sent := s.skew.clock()
	var said time.Time
	if err := s.follows.QueryRowContext(ctx, of+", clock_timestamp() FROM head").Scan(&p.Revision, &p.link, &p.Floor, &said); err != nil {
		return p, Translate(err)
	}
	s.skew.note(sent, s.skew.clock(), said)
	return p, nil
}

// Skew returns how far the clock of this machine was ahead of the database's when it was last asked.
func (s *Store) Skew() time.Duration { return time.Duration(s.skew.last.Load()) }
