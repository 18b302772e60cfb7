package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// Lease is the right to do a piece of work that one server at a time does. It lasts until End, or until its time is
// over and another server takes it.
type Lease struct {
	store *Store
	by    By
	name  string
	epoch int64
}

// LeaseState is a piece of work that one server at a time does, and how it went last.
type LeaseState struct {
	Name     string
	Holder   string // who does it; "": nobody, or a holder that may be gone
	Due      time.Time
	Ended    *time.Time // when it ended last
	Failure  string     // why it failed then; "": it did not
	IsPaused bool
}

// TakeLease takes the lease of a piece of work for a time, if the work is due and no other server has it. If not, it
// returns nil.
func (s *Store) TakeLease(ctx context.Context, by By, name, holder string, hold time.Duration) (*Lease, error) {
	isDue, err := s.isDue(ctx, name)
	if err != nil || !isDue {
		return nil, err
	}
	epoch, err := Write(ctx, s, by, func(ctx context.Context, tx *Tx) (epoch int64, err error) {
		if _, err := tx.ExecContext(ctx, "INSERT INTO x_lease (name, until, due) VALUES ($1, $2, $2) ON CONFLICT (name) DO NOTHING", name, tx.Now); err != nil {
			return 0, err
		}
		return numbered(ctx, tx, `UPDATE x_lease SET holder = $1, epoch = epoch + 1, until = $2
			WHERE name = $3 AND due <= $4 AND until <= $4 AND NOT is_paused RETURNING epoch`, holder, tx.Now.Add(hold), name, tx.Now)
	})
	if err != nil || epoch == 0 {
		return nil, err
	}
	return &Lease{s, by, name, epoch}, nil
}

// isDue reports whether a lease may be there to take, by a statement that locks nothing.
func (s *Store) isDue(ctx context.Context, name string) (bool, error) {
	var isPaused bool
	var until, due time.Time
	rows, err := s.Read.QueryContext(ctx, "SELECT until, due, is_paused FROM x_lease WHERE name = $1", name)
	if err != nil {
		return false, Translate(err)
	}
	defer func() { _ = rows.Close() }()
	if !rows.Next() {
		return true, Translate(rows.Err())
	}
	err = rows.Scan(&until, &due, &isPaused)
	now := s.Now(ctx)
	return !isPaused && !until.After(now) && !due.After(now), Translate(err)
}

// numbered runs a statement that returns a number, or none, which is 0.
func numbered(ctx context.Context, tx *Tx, statement string, args ...any) (n int64, err error) {
	rows, err := tx.QueryContext(ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if rows.Next() {
		err = rows.Scan(&n)
	}
	return n, errors.Join(err, rows.Err())
}

// Keep makes the lease last for a time from now. If another server has it, it returns false.
func (l *Lease) Keep(ctx context.Context, hold time.Duration) (bool, error) {
	epoch, err := Write(ctx, l.store, l.by, func(ctx context.Context, tx *Tx) (int64, error) {
		return numbered(ctx, tx, "UPDATE x_lease SET until = $1 WHERE name = $2 AND epoch = $3 RETURNING epoch", tx.Now.Add(hold), l.name, l.epoch)
	})
	return epoch == l.epoch, err
}

// End gives the lease back, says when the work is due again, and how it went.
func (l *Lease) End(ctx context.Context, next time.Duration, failure error) error {
	said := ""
	if failure != nil {
		said = failure.Error()
	}
	_, err := Write(ctx, l.store, l.by, func(ctx context.Context, tx *Tx) (struct{}, error) {
		_, err := tx.ExecContext(ctx, "UPDATE x_lease SET holder = '', until = $1, due = $2, ended = $1, failure = $3 WHERE name = $4 AND epoch = $5",
			tx.Now, tx.Now.Add(next), said, l.name, l.epoch)
		return struct{}{}, err
	})
	return err
}

type fenceKey struct{}

// Fence returns a context whose writes are refused once another server has the lease.
func (l *Lease) Fence(ctx context.Context) context.Context {
	return context.WithValue(ctx, fenceKey{}, l)
}

// fenced checks, before decide, that the lease of the context is still held. On PostgreSQL nobody takes it from then on
// until the transaction ends.
func fenced[T any](decide func(context.Context, *Tx) (T, error)) func(context.Context, *Tx) (T, error) {
	return func(ctx context.Context, tx *Tx) (value T, err error) {
		if l, ok := ctx.Value(fenceKey{}).(*Lease); ok {
			lock := ""
			if tx.IsPostgres() {
				lock = " FOR SHARE"
			}
			epoch, err := numbered(ctx, tx, "SELECT epoch FROM x_lease WHERE name = $1"+lock, l.name)
			if err != nil {
				return value, err
			}
			if epoch != l.epoch {
				return value, errs.New(errs.Stale, "another server does this by now: %s", l.name)
			}
		}
		return decide(ctx, tx)
	}
}

// PauseLease says whether a piece of work is to be left alone from now on. If it is under way, it goes on.
func (s *Store) PauseLease(ctx context.Context, by By, name string, isPaused bool) error {
	_, err := Write(ctx, s, by, func(ctx context.Context, tx *Tx) (struct{}, error) {
		n, err := numbered(ctx, tx, "UPDATE x_lease SET is_paused = $1 WHERE name = $2 RETURNING 1", isPaused, name)
		if err == nil && n == 0 {
			err = errs.New(errs.NotFound, "there is no schedule %q that a server has run", name)
		}
		return struct{}{}, err
	})
	return err
}

// Leases lists the pieces of work that one server at a time does, by name.
func (s *Store) Leases(ctx context.Context) (all []LeaseState, err error) {
	rows, err := s.Read.QueryContext(ctx, "SELECT name, holder, due, ended, failure, is_paused FROM x_lease ORDER BY name")
	if err != nil {
		return nil, Translate(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var l LeaseState
		var ended sql.NullTime
		if err := rows.Scan(&l.Name, &l.Holder, &l.Due, &ended, &l.Failure, &l.IsPaused); err != nil {
			return nil, err
		}
		if ended.Valid {
			l.Ended = &ended.Time
		}
		all = append(all, l)
	}
	return all, Translate(rows.Err())
}
