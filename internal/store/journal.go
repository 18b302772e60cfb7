package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/ent/version"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Forever is the valid_to of a version that still holds.
const Forever = math.MaxInt64

const (
	placeBits  = 16
	chunkLines = 500
)

// MostEntries is a number of entries that no revision reaches.
const MostEntries = 1 << placeBits

// MostRevision is the largest number of a revision: the ids of entries hold no more.
const MostRevision = 1<<(48-placeBits) - 1

// errNoRevision refuses a write whose entries would take the ids of other records.
var errNoRevision = errs.New(errs.Unavailable, "the journal has %d revisions, and no number is left for another: go on in a new database, by linchpin export and linchpin import", int64(MostRevision))

// EntryID returns the id of the place-th journal entry of a revision, from 0.
func EntryID(revision int64, place int) ident.ID {
	return ident.New(ident.Entry, revision<<placeBits|int64(place))
}

// RevisionOf returns the revision of a journal entry.
func RevisionOf(entry ident.ID) int64 { return entry.Number() >> placeBits }

// journal takes the revision and writes the entries and versions of the transaction. It comes last in the transaction:
// the head's row is locked from here to the commit, so that revisions are dense and in commit order. If nothing was
// written, it returns 0.
func journal(ctx context.Context, tx *Tx) (int64, error) {
	entries, err := tx.record.settle()
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	if entries, err = tx.signed(ctx, entries); err != nil {
		return 0, err
	}
	if len(entries) >= MostEntries {
		return 0, tooMany(len(entries))
	}
	for _, w := range entries {
		if tx.record.forgets[w.id] {
			for name := range w.before {
				w.before[name] = nil
			}
		}
	}
	tx.record.closing = true
	leaf, err := tx.seal(ctx, entries)
	if err != nil {
		return 0, err
	}
	revision, err := nextRevision(ctx, tx, leaf)
	if err != nil {
		return 0, err
	}
	var superseded []ident.ID
	var versions []int // places of entries
	for i, w := range entries {
		if !IsVersioned(w.id.Kind()) {
			continue
		}
		if w.operation != domain.Created {
			superseded = append(superseded, w.id)
		}
		if w.operation != domain.Deleted {
			versions = append(versions, i)
		}
	}
	if err := tx.insertEntries(ctx, revision, entries); err != nil {
		return 0, err
	}
	for chunk := range slices.Chunk(superseded, chunkLines) {
		err := tx.Version.Update().Where(version.RecordIDIn(chunk...), version.ValidTo(Forever)).SetValidTo(revision).Exec(ctx)
		if err != nil {
			return 0, err
		}
	}
	columns := []string{version.FieldID, version.FieldRecordID, version.FieldValidFrom, version.FieldValidTo}
	err = tx.insertRows(ctx, version.Table, columns, len(versions), func(i int, row []any) error {
		at := versions[i]
		row[0], row[1] = int64(EntryID(revision, at).As(ident.Version)), int64(entries[at].id)
		row[2], row[3] = revision, int64(Forever)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return revision, nil
}

func tooMany(n int) error {
	return fmt.Errorf("the transaction writes %d records: at most %d can share a revision, so write them in several transactions", n, MostEntries-1)
}

// insertEntries writes the lines of the journal.
func (tx *Tx) insertEntries(ctx context.Context, revision int64, entries []*written) error {
	columns := []string{
		entry.FieldID, entry.FieldRevision, entry.FieldAt, entry.FieldActor, entry.FieldVerb, entry.FieldOperation,
		entry.FieldRecordID, entry.FieldSubjectID, entry.FieldBefore, entry.FieldAfter, entry.FieldActorID, entry.FieldVia, entry.FieldViaID,
		entry.FieldSalt, entry.FieldDigest,
	}
	account, err := tx.Author(ctx)
	if err != nil {
		return err
	}
	return tx.insertRows(ctx, entry.Table, columns, len(entries), func(i int, row []any) error {
		w := entries[i]
		row[0], row[1], row[2], row[3], row[4] = int64(EntryID(revision, i)), revision, tx.Now, tx.Actor, tx.Verb
		row[5], row[6], row[7] = string(w.operation), int64(w.id), int64(w.subject)
		row[8], row[9] = document(w.prior, tx.IsPostgres()), document(w.text, tx.IsPostgres())
		row[10], row[11], row[12] = optional(account), string(tx.Via()), optional(tx.by.ViaID)
		row[13], row[14] = w.salt, w.digest
		return nil
	})
}

// optional returns an id as a value of a row, or nil.
func optional(id *ident.ID) any {
	if id == nil {
		return nil
	}
	return int64(*id)
}

// textOf returns a record as JSON, or nil if there is none.
func textOf(record map[string]any) ([]byte, error) {
	if record == nil {
		return nil, nil
	}
	return json.Marshal(record)
}

// IsVersioned reports whether records of the kind keep their past versions.
func IsVersioned(k ident.Kind) bool {
	return k == ident.CI || k == ident.Relationship || k == ident.DependencyGroup
}

// headRevision returns the last committed revision that the transaction sees.
func headRevision(ctx context.Context, tx *Tx) (int64, error) {
	return number(ctx, tx, "SELECT revision FROM head")
}

func number(ctx context.Context, tx *Tx, query string) (int64, error) {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	n, err := sql.ScanInt64(rows)
	return n, cmp.Or(rows.Err(), err) // one that was cut short has no rows either
}
