package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/lib/pq"

	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// PurgeVerb is the verb of entries that tell that older ones were purged.
const PurgeVerb = "journal.purge"

// sweptAtOnce is the number of rows that one statement of a sweep deletes: others write between two of them.
const sweptAtOnce = 2_000

// Floor is the first revision that the journal has whole. Of the entries of those before it, it keeps those that tell
// how records stood when the floor came, which the note says, as it was signed.
type Floor struct {
	Revision int64
	At       time.Time
	Note     string // "" if nothing was purged
}

const floorRevision = "SELECT coalesce(max(revision), 1) FROM x_floor"

// Floor returns the first revision that the journal has whole, which is 1 if nothing was purged.
func (s *Store) Floor(ctx context.Context) (revision int64, err error) {
	err = s.reader.QueryRowContext(ctx, floorRevision).Scan(&revision)
	return revision, Translate(err)
}

// Floor returns the first revision that the journal has whole, as the transaction sees it.
func (tx *Tx) Floor(ctx context.Context) (revision int64, err error) {
	return number(ctx, tx, floorRevision)
}

// Floor returns the floor of the journal in the snapshot.
func (s *Snapshot) Floor(ctx context.Context) (f Floor, err error) {
	err = s.txs[0].QueryRowContext(ctx, "SELECT revision, at, note FROM x_floor").Scan(&f.Revision, &f.At, &f.Note)
	if errors.Is(err, sql.ErrNoRows) {
		return Floor{Revision: 1}, nil
	}
	return f, Translate(err)
}

// AboveFloor selects the entries of the revisions that the journal has whole.
func AboveFloor(s *entsql.Selector) *entsql.Predicate {
	return entsql.P(func(b *entsql.Builder) {
		b.Ident(s.C(entry.FieldID)).WriteString(" >= ").WriteString(strconv.FormatInt(int64(EntryID(0, 0)), 10))
		b.WriteString(" + " + strconv.Itoa(1<<placeBits) + " * (" + floorRevision + ")")
	})
}

// RaiseFloor makes a later revision the first that the journal has whole, and writes an entry that tells it. From its
// commit on nobody is told of what lies before, and Sweep may delete it. Failures: errs.Invalid if the revision is not
// above the floor, or not written yet.
func (tx *Tx) RaiseFloor(ctx context.Context, to Floor, told map[string]any) error {
	if tx.Verb != PurgeVerb {
		return errors.New("a purge under the verb " + tx.Verb)
	}
	head, err := tx.LockHead(ctx)
	if err != nil {
		return err
	}
	was, err := tx.Floor(ctx)
	if err != nil {
		return err
	}
	if to.Revision <= was || to.Revision > head {
		return errs.New(errs.Invalid, "the journal has revisions %d to %d: one of them after the first can become the first, not %d", was, head, to.Revision)
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM x_floor"); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO x_floor (revision, at, note) VALUES ($1, $2, $3)", to.Revision, tx.Now, to.Note); err != nil {
		return err
	}
	first := EntryID(to.Revision, 0)
	after := map[string]any{"id": first.String(), "floor": to.Revision}
	for name, value := range told {
		after[name] = value
	}
	tx.record.note(&written{id: first, subject: first, operation: domain.Updated, before: map[string]any{"floor": was}, after: after})
	return nil
}

// DropEntries deletes entries that lie before the floor, for good.
func (s *Store) DropEntries(ctx context.Context, ids []int64) error {
	if s.IsPostgres() {
		_, err := s.writes.ExecContext(ctx, "DELETE FROM entry WHERE id = ANY($1) AND revision < ("+floorRevision+")", pq.Int64Array(ids))
		return Translate(err)
	}
	text, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	_, err = s.writes.ExecContext(ctx, "DELETE FROM entry WHERE id IN (SELECT value FROM json_each($1)) AND revision < ("+floorRevision+")", string(text))
	return Translate(err)
}

// Sweep deletes what else no question can reach any more: versions that ended before the floor, the links of revisions
// before it but the last, and checkpoints of those.
func (s *Store) Sweep(ctx context.Context) error {
	for _, statement := range []string{
		"DELETE FROM version WHERE id IN (SELECT id FROM version WHERE valid_to <= (" + floorRevision + ") ORDER BY valid_to LIMIT $1)",
		"DELETE FROM x_revision WHERE revision IN (SELECT revision FROM x_revision WHERE revision < (" + floorRevision + ") - 1 ORDER BY revision LIMIT $1)",
		"DELETE FROM x_checkpoint WHERE revision IN (SELECT revision FROM x_checkpoint WHERE revision < (" + floorRevision + ") - 1 ORDER BY revision LIMIT $1)",
	} {
		for n := int64(sweptAtOnce); n == sweptAtOnce; {
			done, err := s.writes.ExecContext(ctx, statement, sweptAtOnce)
			if err == nil {
				n, err = done.RowsAffected()
			}
			if err != nil {
				return Translate(err)
			}
		}
	}
	return nil
}
