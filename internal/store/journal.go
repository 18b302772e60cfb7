package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/version"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Forever is the valid_to of a version that still holds.
const Forever = math.MaxInt64

const (
	placeBits  = 16 // entries of one revision: at most 65,536
	chunkLines = 500
)

// EntryID is the id of the place-th journal entry of a revision, from 0.
func EntryID(revision int64, place int) ident.ID {
	return ident.New(ident.Entry, revision<<placeBits|int64(place))
}

// journal takes the revision and writes the entries and versions of the transaction. It is the last thing the
// transaction does: the head's row is locked from here to the commit, so that revisions are dense and in commit
// order. It reports 0 where nothing was written.
func journal(ctx context.Context, tx *Tx) (int64, error) {
	entries, err := tx.record.settle()
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	if len(entries) >= 1<<placeBits {
		return 0, fmt.Errorf("%d records in one transaction: at most %d", len(entries), 1<<placeBits-1)
	}
	tx.record.closing = true
	revision, err := nextRevision(ctx, tx)
	if err != nil {
		return 0, err
	}
	lines := make([]*ent.EntryCreate, len(entries))
	var versions []*ent.VersionCreate
	var superseded []ident.ID
	for i, w := range entries {
		id := EntryID(revision, i)
		line := tx.Entry.Create().SetID(id).SetRevision(revision).SetAt(tx.Now).SetActor(tx.Actor).SetVerb(tx.Verb).
			SetOperation(w.operation).SetRecordID(w.id).SetSubjectID(w.subject)
		if w.before != nil {
			line.SetBefore(w.before)
		}
		if w.after != nil {
			line.SetAfter(w.after)
		}
		lines[i] = line
		if !isVersioned(w.id.Kind()) {
			continue
		}
		if w.operation != domain.Created {
			superseded = append(superseded, w.id)
		}
		if w.operation != domain.Deleted {
			versions = append(versions, tx.Version.Create().SetID(id.As(ident.Version)).
				SetRecordID(w.id).SetValidFrom(revision).SetValidTo(Forever))
		}
	}
	for chunk := range slices.Chunk(lines, chunkLines) {
		if err := tx.Entry.CreateBulk(chunk...).Exec(ctx); err != nil {
			return 0, err
		}
	}
	for chunk := range slices.Chunk(superseded, chunkLines) {
		err := tx.Version.Update().Where(version.RecordIDIn(chunk...), version.ValidTo(Forever)).SetValidTo(revision).Exec(ctx)
		if err != nil {
			return 0, err
		}
	}
	for chunk := range slices.Chunk(versions, chunkLines) {
		if err := tx.Version.CreateBulk(chunk...).Exec(ctx); err != nil {
			return 0, err
		}
	}
	return revision, nil
}

// isVersioned reports whether records of the kind keep their past versions.
func isVersioned(k ident.Kind) bool {
	return k == ident.CI || k == ident.Relationship || k == ident.DependencyGroup
}

func nextRevision(ctx context.Context, tx *Tx) (int64, error) {
	rows, err := tx.QueryContext(ctx, "UPDATE head SET revision = revision + 1 RETURNING revision")
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	revision, err := sql.ScanInt64(rows)
	return revision, errors.Join(err, rows.Err())
}
