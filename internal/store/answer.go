package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Answer is the answer to a request with a key. Revision is the newest that it knew of. Rights is a digest of what its
// sender might do and see: an actor with another digest must not be given it.
type Answer struct {
	Data     []byte
	Revision int64
	Rights   []byte
}

// Answered returns the answer that is kept for a key, or nil if there is none. Failures: errs.KeyReused if the key
// belongs to another request.
func (s *Store) Answered(ctx context.Context, key Key) (*Answer, error) {
	rows, err := s.Read.QueryContext(ctx, "SELECT body, answer, revision, rights FROM x_once WHERE actor = $1 AND key = $2", key.Actor, key.Name)
	if err != nil {
		return nil, Translate(err)
	}
	return scanAnswer(rows, key)
}

// KeepAnswer keeps the first answer to a request with a key. It returns the answer that is kept, its own or an earlier
// one: every sender of the request has to get that one. Failures: errs.KeyReused if the key belongs to another request.
func (s *Store) KeepAnswer(ctx context.Context, key Key, a Answer) (*Answer, error) {
	rows, err := s.writer.QueryContext(ctx, `INSERT INTO x_once (actor, key, body, answer, revision, rights, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (actor, key) DO UPDATE SET answer = coalesce(x_once.answer, excluded.answer),
		revision = CASE WHEN x_once.answer IS NULL THEN excluded.revision ELSE x_once.revision END,
		rights = CASE WHEN x_once.answer IS NULL THEN excluded.rights ELSE x_once.rights END
		WHERE x_once.body = excluded.body
		RETURNING body, answer, revision, rights`, key.Actor, key.Name, key.Body[:], a.Data, a.Revision, a.Rights, s.now().UTC().Truncate(time.Microsecond))
	if err != nil {
		return nil, Translate(err)
	}
	kept, err := scanAnswer(rows, key)
	if err == nil && kept == nil {
		return nil, errKeyReused
	}
	return kept, err
}

func scanAnswer(rows *sql.Rows, key Key) (kept *Answer, err error) {
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var body, data, rights []byte
		var revision int64
		if err := rows.Scan(&body, &data, &revision, &rights); err != nil {
			return nil, Translate(err)
		}
		if string(body) != string(key.Body[:]) {
			return nil, errKeyReused
		}
		if data != nil {
			kept = &Answer{data, revision, rights}
		}
	}
	return kept, Translate(errors.Join(rows.Err(), rows.Close()))
}

const forgetBatch = 500

// ForgetKeys deletes the keys that are older than an age, with their answers, in batches. It returns their number.
func (s *Store) ForgetKeys(ctx context.Context, age time.Duration) (forgotten int64, err error) {
	if err := s.skew.check(); err != nil { // a key that is too young to go would act twice
		return 0, err
	}
	before := s.now().Add(-age).UTC().Truncate(time.Microsecond)
	for {
		done, err := s.writer.ExecContext(ctx, `DELETE FROM x_once WHERE created_at < $1 AND (actor, key) IN
			(SELECT actor, key FROM x_once WHERE created_at < $1 ORDER BY created_at LIMIT $2)`, before, forgetBatch)
		if err != nil {
			return forgotten, Translate(err)
		}
		n, err := done.RowsAffected()
		if err != nil {
			return forgotten, Translate(err)
		}
		if forgotten += n; n < forgetBatch {
			return forgotten, nil
		}
	}
}
