package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Link returns the last revision that is linked, and its link.
func (s *Store) Link(ctx context.Context) (revision int64, link []byte, err error) {
	err = s.reader.QueryRowContext(ctx, "SELECT chained, chain FROM head").Scan(&revision, &link)
	return revision, link, Translate(err)
}

// KeepCheckpoint keeps the link of a revision as it was signed. If one is kept already, it returns false.
func (s *Store) KeepCheckpoint(ctx context.Context, revision int64, at time.Time, note string) (isNew bool, err error) {
	done, err := s.writes.ExecContext(ctx, "INSERT INTO x_checkpoint (revision, at, note) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
		revision, at.UTC().Truncate(time.Microsecond), note)
	if err != nil {
		return false, Translate(err)
	}
	n, err := done.RowsAffected()
	return n > 0, Translate(err)
}

// NewestCheckpoint returns the newest checkpoint that is kept. If there is none, its revision is 0.
func (s *Store) NewestCheckpoint(ctx context.Context) (revision int64, at time.Time, note string, err error) {
	err = s.reader.QueryRowContext(ctx, "SELECT revision, at, note FROM x_checkpoint ORDER BY revision DESC LIMIT 1").Scan(&revision, &at, &note)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, at, "", nil
	}
	return revision, at.UTC(), note, Translate(err)
}

// Checkpoints calls visit with the checkpoints that are kept, in order.
func (s *Snapshot) Checkpoints(ctx context.Context, visit func(revision int64, note string) error) (err error) {
	rows, err := s.txs[0].QueryContext(ctx, "SELECT revision, note FROM x_checkpoint ORDER BY revision")
	if err != nil {
		return Translate(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var revision int64
		var note string
		if err := rows.Scan(&revision, &note); err != nil {
			return Translate(err)
		}
		if err := visit(revision, note); err != nil {
			return err
		}
	}
	return Translate(rows.Err())
}

// LinkOf returns the link of a revision. If it has none, it returns nil.
func (s *Snapshot) LinkOf(ctx context.Context, revision int64) (link []byte, err error) {
	err = s.txs[0].QueryRowContext(ctx, "SELECT chain FROM x_revision WHERE revision = $1", revision).Scan(&link)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return link, Translate(err)
}
