package store

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"time"

	"entgo.io/ent/dialect"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/span"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgconn"
)

// Tx is a write transaction. Now is its clock: UTC, whole microseconds, the same for everything it writes.
type Tx struct {
	*ent.Tx
	Now   time.Time
	Actor string // the name of who writes; Author says which account that is
	Verb  string // what is done, such as "incident.resolve"
	// Consent is what the actor accepts of what the write brings about.
	Consent Consent

	by       By
	judge    func(context.Context, *Tx) error
	dialect  string
	record   *recorder
	warnings []domain.Warning
}

// IsPostgres reports which dialect raw statements have to speak.
func (tx *Tx) IsPostgres() bool { return tx.dialect == dialect.Postgres }

// Reading returns a transaction that was begun to read, in the form of those that write. It refuses mutations, since
// nothing would write the journal.
func (s *Store) Reading(ctx context.Context, inner *ent.Tx) *Tx {
	return &Tx{Tx: inner, Now: s.Now(ctx), dialect: s.dialect}
}

type momentKey struct{}

// At returns a context whose writes happen at t: for records that bring a past with them.
func At(ctx context.Context, t time.Time) context.Context {
	return context.WithValue(ctx, momentKey{}, t)
}

func (s *Store) clock(ctx context.Context) time.Time {
	if t, ok := ctx.Value(momentKey{}).(time.Time); ok {
		return t
	}
	return s.now()
}

// Now returns the time of a write in ctx, by the clock of ctx.
func (s *Store) Now(ctx context.Context) time.Time {
	return s.clock(ctx).UTC().Truncate(time.Microsecond)
}

type limitKey struct{}

// WriteUntil returns a context whose writes are refused with errs.Timeout unless their COMMIT is sent by t. Reads go
// on.
func WriteUntil(ctx context.Context, t time.Time) context.Context {
	return context.WithValue(ctx, limitKey{}, t)
}

// bound returns the context of a write, which outlives ctx and ends after writeTimeout, or at the time of WriteUntil.
func bound(ctx context.Context) (context.Context, context.CancelFunc) {
	end := time.Now().Add(writeTimeout)
	if limit, ok := ctx.Value(limitKey{}).(time.Time); ok && limit.Before(end) {
		end = limit
	}
	return context.WithDeadline(context.WithoutCancel(ctx), end)
}

const (
	writeAttempts = 8
	writeTimeout  = 60 * time.Second
)

// Write runs decide in a transaction, journals every record it wrote as one revision, and commits. decide may run
// several times: serialization failures, deadlocks and busy databases are retried. Store.Judge has the last word. The
// result belongs to the closed transaction: read its fields, do not query its edges.
//
// The transaction outlives the caller's ctx once begun, so that a hang-up never leaves the outcome in doubt; WriteUntil
// bounds it. errs.Timeout says that COMMIT was not sent; a commit whose answer is lost is errs.OutcomeUnknown. If
// decide wrote nothing, no revision is taken. In a context of Once decide has its effect at most once for the key's
// step, and Write returns the same outcome each time.
func Write[T any](ctx context.Context, s *Store, by By, decide func(context.Context, *Tx) (T, error)) (result T, err error) {
	if err := ctx.Err(); err != nil {
		return result, Translate(err)
	}
	bounded, cancel := bound(ctx)
	defer cancel()
	bounded, traced := span.Child(bounded, "store.Write", trace.SpanKindInternal)
	traced.SetAttributes(attribute.String("linchpin.verb", by.Verb))
	defer func() { span.End(traced, errs.CodeOf(err)) }()
	keyed, _ := ctx.Value(onceKey{}).(*once)
	step := keyed.next()
	for attempt := 1; ; attempt++ {
		value, revision, err := attemptWrite(bounded, s, by, keyed, step, judging(fenced(decide)))
		if revision > 0 {
			workOf(ctx).wrote(revision)
			s.committed(bounded, revision)
		}
		if err == nil {
			return value, nil
		}
		if _, decided := errs.All(err); !decided && bounded.Err() != nil { // its connection was given up, perhaps
			return result, Translate(errors.Join(bounded.Err(), err))
		}
		if attempt == writeAttempts || !isTransient(err) {
			return result, Translate(err)
		}
		pause := time.Duration(rand.Int64N(int64(time.Millisecond) << min(attempt, 7)))
		select {
		case <-time.After(pause):
		case <-bounded.Done():
			return result, Translate(bounded.Err())
		}
	}
}

func attemptWrite[T any](ctx context.Context, s *Store, by By, keyed *once, step string, decide func(context.Context, *Tx) (T, error)) (value T, revision int64, err error) {
	if err := s.admit(); err != nil {
		return value, 0, err
	}
	rec := newRecorder()
	ctx = withRecorder(ctx, rec)
	inner, err := s.writer.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelDefault})
	if err != nil {
		return value, 0, err
	}
	finished := false
	defer func() {
		if !finished { // decide failed or panicked
			_ = inner.Rollback()
		}
	}()
	tx := &Tx{
		Tx: inner, Now: s.Now(ctx), Actor: by.Actor, Verb: by.Verb, by: by,
		judge: s.judgeOf(by), dialect: s.dialect, record: rec,
	}
	var refused error
	if keyed == nil {
		if value, err = decide(ctx, tx); err == nil {
			revision, err = journal(ctx, tx)
		}
	} else {
		var replayed bool
		value, replayed, refused, err = decideOnce(ctx, tx, keyed.key, step, s.now().UTC(), decide)
		if replayed && err == nil {
			// The commit below confirms the first one: it is not told before the same standbys have both.
			revision, err = headRevision(ctx, tx) // at least the one that was written
		} else if err == nil {
			revision, err = journal(ctx, tx)
		}
	}
	if err != nil {
		return value, 0, err
	}
	if err := s.file.check(); err != nil {
		return value, 0, err
	}
	finished = true
	_, traced := span.Child(ctx, "COMMIT", trace.SpanKindClient)
	err = inner.Commit()
	span.End(traced, errs.CodeOf(Translate(err)))
	if err == nil {
		err = s.file.check()
	}
	if err != nil {
		return value, 0, commitFailed(err)
	}
	tellWarnings(ctx, tx.warnings)
	return value, revision, refused
}

// commitFailed returns err if the commit was refused, and errs.OutcomeUnknown if nobody knows its outcome.
func commitFailed(err error) error {
	// database/sql looks at the context before it sends COMMIT. After that, whatever ended the wait, nobody knows.
	wasNotSent := errors.Is(err, sql.ErrTxDone) || errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, pgconn.ErrLost)
	if wasNotSent || serverSaidNo(err) {
		return err
	}
	return errs.New(errs.OutcomeUnknown, "the database did not confirm the commit: the write may or may not have happened").Because(err)
}
