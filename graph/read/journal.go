package read

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/ent/timelineentry"
	"github.com/linchpin-cmdb/linchpin/ent/version"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Entry is what one committed write did to one record, as clients see it.
type Entry struct {
	*ent.Entry
	in *batch[*Entry]
}

// IsNode marks records with a global id.
func (*Entry) IsNode() {}

func (r *Reader) wrapEntries(rows []*ent.Entry) []*Entry {
	b := newBatch(r, make([]*Entry, len(rows)))
	for i, row := range rows {
		b.Rows[i] = &Entry{row, b}
	}
	return b.Rows
}

var (
	oldestEntries = []page.Term[*ent.Entry]{page.By(entry.FieldID, func(e *ent.Entry) ident.ID { return e.ID })}
	newestEntries = []page.Term[*ent.Entry]{oldestEntries[0].Descending()}
)

func (r *Reader) entryList(c *where.Conditions, name string, filter any, o []page.Term[*ent.Entry]) page.List[*ent.Entry, *Entry] {
	return page.List[*ent.Entry, *Entry]{
		Name: name, Filter: filter, Order: o, Wrap: r.wrapEntries,
		Query: func(ctx context.Context, modify func(*sql.Selector)) ([]*ent.Entry, error) {
			q := r.entries(ctx)
			q.Modify(c.Apply, modify)
			return translated(q.All(ctx))
		},
	}
}

// Journal lists every committed write after a revision or a token, the oldest first. Its cursors know their entry by
// its digest, too: those of another history are refused.
func (r *Reader) Journal(ctx context.Context, after *int64, token *domain.RevisionToken, p page.Args) (*page.Connection[*Entry], error) {
	c := &where.Conditions{}
	if token != nil {
		if err := r.history.Recognise(ctx, *token); err != nil {
			return nil, err
		}
		if after == nil || token.Revision > *after {
			after = &token.Revision
		}
	}
	if after != nil {
		if err := r.isKept(ctx, fmt.Sprintf("what comes after revision %d, or a part of it,", *after), *after); err != nil {
			return nil, err
		}
		first := store.EntryID(*after+1, 0)
		c.Add(func(s *sql.Selector) *sql.Predicate { return sql.GTE(s.C(entry.FieldID), first) })
	}
	c.AddUsual(store.AboveFloor)
	l := r.entryList(c, "journal", after, oldestEntries)
	l.Mark = func(e *ent.Entry) string { return hex.EncodeToString(e.Digest[:min(len(e.Digest), 8)]) }
	l.Recognise = r.recognise
	l.Most = mostCounted
	l.Estimate = func(ctx context.Context, behind *ent.Entry) (int, error) {
		return r.estimate(ctx, orNone(after), behind.Revision)
	}
	return l.Page(ctx, p)
}

func orNone(revision *int64) int64 {
	if revision == nil {
		return 0
	}
	return *revision
}

// mostCounted is how many entries of the journal are counted one by one.
const mostCounted = 100_000

// estimate returns about how many entries come after a revision, if mostCounted of them lie before another.
func (r *Reader) estimate(ctx context.Context, after, before int64) (int, error) {
	floor, err := r.store.Floor(ctx)
	if err != nil {
		return 0, err
	}
	head, err := r.store.Revision(ctx)
	if err != nil {
		return 0, err
	}
	first := max(floor, after+1)
	all := float64(mostCounted) * float64(head-first+1) / float64(max(1, before-first))
	return int(min(max(all, mostCounted+1), math.MaxInt32)), nil
}

// isKept returns errs.TooOld if the revision after one was purged from the journal.
func (r *Reader) isKept(ctx context.Context, what string, before int64) error {
	floor, err := r.store.Floor(ctx)
	if err == nil && floor > 1 && before < floor-1 {
		err = journal.TooOld(what, floor)
	}
	return err
}

// recognise returns errs.HistoryChanged if the entry of a cursor is another one in this database, or is not there, and
// errs.TooOld if it was purged.
func (r *Reader) recognise(ctx context.Context, key []any, mark string) error {
	id, _ := key[len(key)-1].(ident.ID)
	found, err := translated(r.certain().Where(entry.ID(id)).Select(entry.FieldDigest).All(ctx))
	if err != nil {
		return err
	}
	if err := r.isKept(ctx, "the entry of the cursor", store.RevisionOf(id)-1); err != nil {
		return err
	}
	if len(found) == 0 || len(found[0].Digest) > 0 && !strings.HasPrefix(hex.EncodeToString(found[0].Digest), mark) {
		return journal.AnotherHistory("the cursor")
	}
	return nil
}

// history lists what was written to each record of a batch and to what belongs to it, the newest first.
func history[T any](ctx context.Context, b *batch[T], row T, id func(T) ident.ID, p page.Args) (*page.Connection[*Entry], error) {
	return nestedPage(ctx, b, row, id, p, func() (page.List[*ent.Entry, *Entry], error) {
		l := b.reader.entryList(&where.Conditions{}, "history", nil, newestEntries)
		l.Belongs = []page.Link{{Parent: entry.FieldSubjectID}}
		return l, nil
	})
}

// RecordId returns the id of the record that was written. If the actor may not see that, it returns the id of the
// record that it belongs to; if it belongs to none, that of the entry.
func (e *Entry) RecordId(ctx context.Context) (ident.ID, error) {
	restricted, err := e.IsRestricted(ctx)
	switch {
	case !restricted || err != nil || e.RecordID.Kind() == ident.DependencyGroup: // whose CI may be seen
		return e.RecordID, err
	case e.SubjectID.Kind() == ident.Relationship:
		return e.ID, nil
	}
	return e.SubjectID, nil
}

// Record returns the record as it is now.
func (e *Entry) Record(ctx context.Context) (Node, error) {
	return node(ctx, e.in, "record", e, func(e *Entry) ident.ID { return e.RecordID })
}

// IsRestricted reports whether the entry names a CI that the actor may not see, or a relationship that leads to one.
func (e *Entry) IsRestricted(ctx context.Context) (bool, error) {
	unseen, err := once(e.in, "unseen", func() (map[ident.ID]bool, error) {
		var all []map[string]any
		for _, row := range e.in.Rows {
			all = append(all, row.Entry.Before, row.Entry.After)
		}
		return e.in.reader.unseen(ctx, all...)
	})
	return names(unseen, e.Entry.Before) || names(unseen, e.Entry.After), err
}

// names reports whether a record, or any part of it, holds one of some ids.
func names(ids map[ident.ID]bool, value any) bool {
	if len(ids) == 0 {
		return false
	}
	switch v := value.(type) {
	case string:
		id, err := ident.Parse(v)
		return err == nil && ids[asCI(id)]
	case []any:
		return slices.ContainsFunc(v, func(part any) bool { return names(ids, part) })
	case map[string]any:
		for key, part := range v {
			if names(ids, key) || names(ids, part) {
				return true
			}
		}
	}
	return false
}

// Before returns the fields that changed, as they were.
func (e *Entry) Before(ctx context.Context) (map[string]any, error) {
	if restricted, err := e.IsRestricted(ctx); restricted || err != nil {
		return nil, err
	}
	return e.Entry.Before, nil
}

// After returns the fields that changed, as they are after: the whole record where it is new.
func (e *Entry) After(ctx context.Context) (map[string]any, error) {
	if restricted, err := e.IsRestricted(ctx); restricted || err != nil {
		return nil, err
	}
	return e.changed(), nil
}

func (e *Entry) changed() map[string]any {
	if e.Operation != domain.Updated {
		return e.Entry.After
	}
	changed := make(map[string]any, len(e.Entry.Before))
	for name := range e.Entry.Before {
		changed[name] = e.Entry.After[name]
	}
	return changed
}

// RecordVersion is a record as it was in an interval of revisions.
type RecordVersion struct {
	*ent.Version
	in *batch[*RecordVersion]
}

// IsNode marks records with a global id.
func (*RecordVersion) IsNode() {}

func (r *Reader) wrapVersions(rows []*ent.Version) []*RecordVersion {
	b := newBatch(r, make([]*RecordVersion, len(rows)))
	for i, row := range rows {
		b.Rows[i] = &RecordVersion{row, b}
	}
	return b.Rows
}

// ValidTo returns the first revision in which the version no longer held. While it holds, it returns nil.
func (v *RecordVersion) ValidTo() *int64 {
	if v.Version.ValidTo == store.Forever {
		return nil
	}
	return &v.Version.ValidTo
}

// Record returns the whole record, from the journal entry with the version's number.
func (v *RecordVersion) Record(ctx context.Context) (map[string]any, error) {
	found, err := once(v.in, "records", func() (map[ident.ID]*ent.Entry, error) {
		ids := make([]ident.ID, len(v.in.Rows))
		for i, row := range v.in.Rows {
			ids[i] = row.ID.As(ident.Entry)
		}
		rows, err := v.in.reader.entries(ctx).Where(having(entry.FieldID, ids)).All(ctx)
		return index(rows, func(e *ent.Entry) ident.ID { return e.ID }), store.Translate(err)
	})
	if err != nil || found[v.ID.As(ident.Entry)] == nil {
		return nil, err
	}
	hidden, err := v.in.reader.hidden(ctx)
	if record := found[v.ID.As(ident.Entry)].After; err == nil && !names(hidden, record) {
		return record, nil
	}
	return nil, err
}

// Versions returns what the CI looked like in the past, the newest first.
func (c *CI) Versions(ctx context.Context, first *int, after *string, last *int, before *string) (*page.Connection[*RecordVersion], error) {
	return nestedPage(ctx, c.in, c, (*CI).id, page.Args{First: first, After: after, Last: last, Before: before}, func() (page.List[*ent.Version, *RecordVersion], error) {
		r := c.in.reader
		return page.List[*ent.Version, *RecordVersion]{
			Name: "versions", Wrap: r.wrapVersions,
			Order: []page.Term[*ent.Version]{page.By(version.FieldID, func(e *ent.Version) ident.ID { return e.ID }).Descending()},
			Query: func(ctx context.Context, modify func(*sql.Selector)) ([]*ent.Version, error) {
				q := r.versions(ctx)
				q.Modify(modify)
				return translated(q.All(ctx))
			},
			Belongs: []page.Link{{Parent: version.FieldRecordID}},
		}, nil
	})
}

// TimelineEntry is a comment, a work note or a change of state.
type TimelineEntry struct{ *ent.TimelineEntry }

// IsNode marks records with a global id.
func (*TimelineEntry) IsNode() {}

func asTimeline(rows []*ent.TimelineEntry) []*TimelineEntry {
	all := make([]*TimelineEntry, len(rows))
	for i, row := range rows {
		all[i] = &TimelineEntry{row}
	}
	return all
}

// ShowTimelineEntry shows an entry that a verb returned.
func (r *Reader) ShowTimelineEntry(row *ent.TimelineEntry) *TimelineEntry { return &TimelineEntry{row} }

// FromState returns the state before, for a change of state.
func (t *TimelineEntry) FromState() *string { return absent(t.TimelineEntry.FromState) }

// ToState returns the state after, for a change of state.
func (t *TimelineEntry) ToState() *string { return absent(t.TimelineEntry.ToState) }

// absent returns a text. If it is empty, it returns nil.
func absent(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// timeline lists what was said and done about each record of a batch, the oldest first.
func timeline[T any](ctx context.Context, b *batch[T], row T, id func(T) ident.ID, p page.Args) (*page.Connection[*TimelineEntry], error) {
	return nestedPage(ctx, b, row, id, p, func() (page.List[*ent.TimelineEntry, *TimelineEntry], error) {
		return page.List[*ent.TimelineEntry, *TimelineEntry]{
			Name: "timeline", Wrap: asTimeline,
			Order: []page.Term[*ent.TimelineEntry]{page.By(timelineentry.FieldID, func(e *ent.TimelineEntry) ident.ID { return e.ID })},
			Query: func(ctx context.Context, modify func(*sql.Selector)) ([]*ent.TimelineEntry, error) {
				q := b.reader.store.Show.TimelineEntry.Query()
				q.Modify(modify)
				return translated(q.All(ctx))
			},
			Belongs: []page.Link{{Parent: timelineentry.FieldRecordID}},
		}, nil
	})
}
