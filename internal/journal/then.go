package journal

import (
	"context"
	"encoding/json"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// then returns the difference of a revision from now: as they were, the facts of all records written since, and as
// removed, the records created since. It reads only rows that never change, so that it needs no transaction: later
// writes may be in the answer too.
func then(ctx context.Context, s *store.Store, revision int64) (topology.Batch, error) {
	b := topology.Batch{Revision: revision}
	for _, read := range []func(context.Context, *store.Store, *topology.Batch) error{versions, types, marked(ident.Incident), marked(ident.Change)} {
		if err := read(ctx, s, &b); err != nil {
			return b, err
		}
	}
	return b, nil
}

// after returns the first entry id of the revisions after that of b.
func after(b *topology.Batch) ident.ID { return store.EntryID(b.Revision+1, 0) }

// versions adds the CIs, relationships and groups.
func versions(ctx context.Context, s *store.Store, b *topology.Batch) error {
	changed := map[ident.ID]bool{}
	// The number of a version is that of its entry.
	const superseded = `SELECT v.record_id, e.after FROM version v JOIN entry e ON e.id = v.id + $1
		WHERE v.valid_to > $2 AND v.valid_to < $3 AND v.valid_from <= $2`
	distance := int64(ident.New(ident.Entry, 0) - ident.New(ident.Version, 0))
	err := each(ctx, s, superseded, []any{distance, b.Revision, int64(store.Forever)}, func(record ident.ID, text []byte) error {
		changed[record] = true
		return fact(b, record, text)
	})
	if err != nil {
		return err
	}
	const written = `SELECT v.record_id, NULL FROM version v WHERE v.id >= $1`
	return each(ctx, s, written, []any{int64(after(b).As(ident.Version))}, func(record ident.ID, _ []byte) error {
		if !changed[record] {
			changed[record] = true
			b.Removed = append(b.Removed, record)
		}
		return nil
	})
}

// each visits rows of a record's id and its text.
func each(ctx context.Context, s *store.Store, query string, args []any, visit func(ident.ID, []byte) error) error {
	rows, err := s.Show.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var record int64
	var text []byte
	for rows.Next() {
		if err := rows.Scan(&record, &text); err != nil {
			return err
		}
		if err := visit(ident.ID(record), text); err != nil {
			return err
		}
	}
	return rows.Err()
}

// fact adds the fact that a record's text tells.
func fact(b *topology.Batch, record ident.ID, text []byte) error {
	switch record.Kind() { //nolint:exhaustive // the other kinds have no versions
	case ident.CI:
		return addText(&b.CIs, text, ciFact)
	case ident.Relationship:
		return addText(&b.Relationships, text, relationshipFact)
	case ident.DependencyGroup:
		return addText(&b.Groups, text, groupFact)
	}
	return nil
}

func addText[R, F any](facts *[]F, text []byte, read func(*R) (F, error)) error {
	record := new(R)
	if err := json.Unmarshal(text, record); err != nil {
		return err
	}
	return add(facts, record, read)
}

// about selects the entries in the history of records of a kind.
func about(k ident.Kind) func(*sql.Selector) {
	return func(s *sql.Selector) {
		s.Where(sql.And(sql.GTE(s.C(entry.FieldSubjectID), k.First()), sql.LT(s.C(entry.FieldSubjectID), (k+1).First())))
	}
}

// types adds the relationship types. They are few and seldom change, so that it reads their whole history.
func types(ctx context.Context, s *store.Store, b *topology.Batch) error {
	entries, err := s.Show.Entry.Query().Where(about(ident.RelationshipType)).Order(entry.ByID(sql.OrderAsc())).All(ctx)
	if err != nil {
		return err
	}
	latest := map[ident.ID]*ent.Entry{} // as of the revision; nil: not there yet
	for _, e := range entries {
		if e.Revision <= b.Revision {
			latest[e.RecordID] = e
		} else if _, ok := latest[e.RecordID]; !ok {
			latest[e.RecordID] = nil
		}
	}
	for id, e := range latest {
		if e == nil || e.Operation == domain.Deleted {
			b.Removed = append(b.Removed, id)
		} else if err := addFrom(&b.Types, e.After, typeFact); err != nil {
			return err
		}
	}
	return nil
}

// historyOf is the number of records whose history is read at once.
const historyOf = 500

// marked returns a function that adds the marks of the records of a kind that were written since, by replaying their
// history until then.
func marked(kind ident.Kind) func(context.Context, *store.Store, *topology.Batch) error {
	return func(ctx context.Context, s *store.Store, b *topology.Batch) error { return replay(ctx, s, b, kind) }
}

func replay(ctx context.Context, s *store.Store, b *topology.Batch, kind ident.Kind) error {
	var written []ident.ID
	err := s.Show.Entry.Query().Where(about(kind), entry.IDGTE(after(b))).Unique(true).
		Select(entry.FieldSubjectID).Scan(ctx, &written)
	if err != nil {
		return err
	}
	return replayed(ctx, s.Show, b, written)
}

// replayed adds the marks of records as of the revision of b.
func replayed(ctx context.Context, c *ent.Client, b *topology.Batch, written []ident.ID) error {
	for some := range slices.Chunk(written, historyOf) {
		history, err := c.Entry.Query().Where(entry.SubjectIDIn(some...), entry.IDLT(after(b))).Order(entry.ByID(sql.OrderAsc())).All(ctx)
		if err != nil {
			return err
		}
		m := newMarks()
		if err := m.read(b, history); err != nil {
			return err
		}
		begun := map[ident.ID]bool{}
		for _, e := range history {
			begun[e.SubjectID] = true
		}
		for _, id := range some {
			if !begun[id] {
				b.Removed = append(b.Removed, id)
			}
		}
	}
	return nil
}
