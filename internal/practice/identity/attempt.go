package identity

import (
	"context"
	"errors"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/session"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// How many attempts to sign in are free: those of one account from one network, so that nobody is locked out by a
// stranger elsewhere, and those of one network whatever the account. From then on each makes the next wait twice as
// long.
const (
	freeOfAccount = 5
	freeOfNetwork = 60
	attemptWindow = 15 * time.Minute
	longestWait   = 15 * time.Minute
)

// bucket is where attempts are counted.
type bucket struct {
	key  string
	free int
}

// buckets returns where an attempt is counted. They tell neither the name, which may be a password typed into the wrong
// field, nor the network.
func (p *Practice) buckets(called, network string) []bucket {
	return []bucket{{p.bucketOf(called + "\n" + network), freeOfAccount}, {p.bucketOf("\n" + network), freeOfNetwork}}
}

// begin counts an attempt before it costs a hash, in place, so that attempts do not fill the disk. Failures:
// TooManyError if it has to wait; then it is not counted.
func (p *Practice) begin(ctx context.Context, in []bucket) error {
	for _, b := range in {
		if err := p.waits(ctx, b); err != nil { // whoever guesses on takes no turn of those who write
			return err
		}
	}
	_, err := store.Write(ctx, p.store, auth.System.By("account.try"), func(ctx context.Context, tx *store.Tx) (int, error) {
		for _, b := range in {
			if err := begin(ctx, tx, b); err != nil {
				return 0, err
			}
		}
		return 0, nil
	})
	return err
}

// waits returns TooManyError if a bucket lets nothing through yet.
func (p *Practice) waits(ctx context.Context, b bucket) error {
	now := p.store.Now(ctx)
	rows, err := p.store.Read.QueryContext(ctx, "SELECT until FROM x_attempt WHERE bucket = $1 AND until > $2", b.key, now)
	if err != nil {
		return store.Translate(err)
	}
	defer func() { _ = rows.Close() }()
	var until time.Time
	for rows.Next() {
		if err := rows.Scan(&until); err != nil {
			return store.Translate(err)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil || until.IsZero() {
		return store.Translate(err)
	}
	return TooManyError{max(until.Sub(now), time.Second)}
}

func begin(ctx context.Context, tx *store.Tx, b bucket) error {
	failures, counted, err := one[int](ctx, tx, `INSERT INTO x_attempt (bucket, failures, since, until) VALUES ($1, 1, $2, $2)
		ON CONFLICT (bucket) DO UPDATE SET failures = CASE WHEN x_attempt.since < $3 THEN 1 ELSE x_attempt.failures + 1 END,
		since = CASE WHEN x_attempt.since < $3 THEN $2 ELSE x_attempt.since END WHERE x_attempt.until <= $2 RETURNING failures`,
		b.key, tx.Now, tx.Now.Add(-attemptWindow))
	if err != nil {
		return err
	}
	if !counted {
		until, _, err := one[time.Time](ctx, tx, "SELECT until FROM x_attempt WHERE bucket = $1", b.key)
		return errors.Join(err, TooManyError{max(until.Sub(tx.Now), time.Second)})
	}
	if failures < b.free {
		return nil
	}
	wait := min(longestWait, time.Second<<min(failures-b.free, 20))
	_, err = tx.ExecContext(ctx, "UPDATE x_attempt SET until = $1, since = $1 WHERE bucket = $2", tx.Now.Add(wait), b.key)
	return err
}

// succeeded takes the attempts of an account back, and that one of its network.
func succeeded(ctx context.Context, tx *store.Tx, in []bucket) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM x_attempt WHERE bucket = $1", in[0].key)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE x_attempt SET failures = failures - 1 WHERE bucket = $1 AND failures > 0", in[1].key)
	return err
}

// one returns the first column of the one row that a statement answers with, and whether there is one.
func one[T any](ctx context.Context, tx *store.Tx, statement string, args ...any) (value T, ok bool, err error) {
	rows, err := tx.QueryContext(ctx, statement, args...)
	if err != nil {
		return value, false, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		ok = true
		if err := rows.Scan(&value); err != nil {
			return value, false, err
		}
	}
	return value, ok, errors.Join(rows.Err(), rows.Close())
}

// refused writes down that somebody did not know the password.
func (p *Practice) refused(ctx context.Context, of ident.ID, network string) error {
	_, err := store.Write(ctx, p.store, auth.System.By("account.refuse"), func(ctx context.Context, tx *store.Tx) (int, error) {
		return 0, noteSignIn(ctx, tx, "REFUSED", of, session.Password, network)
	})
	return err
}

// noteSignIn counts a sign-in or a refusal in the row of its account, network and hour.
func noteSignIn(ctx context.Context, tx *store.Tx, outcome string, of ident.ID, method session.Method, network string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO x_sign_in (hour, outcome, account_id, method, network, count) VALUES ($1, $2, $3, $4, $5, 1)
		ON CONFLICT (hour, outcome, account_id, method, network) DO UPDATE SET count = x_sign_in.count + 1`,
		tx.Now.Truncate(time.Hour), outcome, int64(of), string(method), network)
	return err
}
