package read

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/ent/version"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// AsOf names a moment of the past: one of the two.
type AsOf struct {
	Revision *int64
	At       *time.Time
}

// String tells moments apart; a nil AsOf is the present.
func (a *AsOf) String() string {
	switch {
	case a == nil:
		return ""
	case a.At != nil:
		return " at " + a.At.UTC().Format(time.RFC3339Nano)
	case a.Revision != nil:
		return fmt.Sprint(" in revision ", *a.Revision)
	}
	return ""
}

// past is the revision that a reader shows instead of the present.
type past struct {
	graph *topology.Snapshot
	today *Reader
}

// asOf returns a reader of the past: its graph is that of then, and CIs, relationships and groups that an answer names
// are as they were. The reader of today reads the records that a record of then refers to.
func (r *Reader) asOf(ctx context.Context, moment *AsOf) (*Reader, error) {
	if moment == nil {
		return r, nil
	}
	if (moment.Revision == nil) == (moment.At == nil) {
		return nil, errs.New(errs.BadUserInput, "asOf names a moment by its revision or by its time: give one of the two")
	}
	revision := moment.Revision
	if revision == nil {
		found, err := r.history.RevisionAt(ctx, *moment.At)
		if err != nil {
			return nil, err
		}
		revision = &found
	}
	graph, err := r.history.At(ctx, *revision)
	if err != nil {
		return nil, err
	}
	then := *r
	then.past = &past{graph, r}
	return &then, nil
}

// present returns the reader of today.
func (r *Reader) present() *Reader {
	if r.past != nil {
		return r.past.today
	}
	return r
}

// then reads CIs, relationships or groups as they were in the reader's revision, without those that the actor may not
// see today: two statements, however many.
func then[R any](ctx context.Context, r *Reader, ids []ident.ID) ([]*R, error) {
	revision := r.past.graph.Revision()
	versions, err := r.versions(ctx).
		Where(having(version.FieldRecordID, ids), version.ValidFromLTE(revision), version.ValidToGT(revision)).
		Select(version.FieldID).All(ctx)
	if err != nil || len(versions) == 0 {
		return nil, store.Translate(err)
	}
	numbers := make([]ident.ID, len(versions))
	for i, v := range versions {
		numbers[i] = v.ID.As(ident.Entry)
	}
	entries, err := r.entries(ctx).Where(having(entry.FieldID, numbers)).Select(entry.FieldAfter).All(ctx)
	if err != nil {
		return nil, store.Translate(err)
	}
	hidden, err := r.hidden(ctx)
	if err != nil {
		return nil, err
	}
	records := make([]*R, 0, len(entries))
	for _, e := range entries {
		if names(hidden, e.After) {
			continue
		}
		text, err := json.Marshal(e.After)
		if err != nil {
			return nil, err
		}
		record := new(R)
		if err := json.Unmarshal(text, record); err != nil {
			return nil, fmt.Errorf("the record of %v: %w", e.ID, err)
		}
		records = append(records, record)
	}
	return records, nil
}
