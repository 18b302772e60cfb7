package journal

import (
	"context"
	"maps"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Ahead is the graph around a write that has not committed yet.
type Ahead struct {
	Revision      int64 // that the write will have
	Before, After *topology.Snapshot
	Renewed       []topology.Vertex // the CIs whose needs the write may change: see topology.Snapshot.After
}

// Ahead returns the graph of the last committed revision, and the one that the transaction will leave, exactly: it
// locks the head, so that nobody commits in between, and reads through the transaction what the graph of this process
// has not heard of yet. If the transaction writes nothing that could break a need, it locks nothing and returns false.
// Failures: errs.Unavailable if the graph is too far behind.
func (f *Feed) Ahead(ctx context.Context, tx *store.Tx) (a Ahead, ok bool, err error) {
	written, err := tx.Written()
	if err != nil || !slices.ContainsFunc(written, mayBreak) {
		return a, false, err
	}
	head, err := tx.LockHead(ctx)
	if err != nil {
		return a, false, err
	}
	a.Revision = head + 1
	if a.Before, err = caughtUpTo(ctx, tx, f.graph.Snapshot(), head); err != nil {
		return a, false, err
	}
	var b topology.Batch
	for _, w := range written {
		if err := addWritten(&b, w.ID, w.Operation, w.After); err != nil {
			return a, false, err
		}
	}
	a.After, a.Renewed, err = a.Before.After(b)
	return a, err == nil, err
}

// mayBreak reports whether a write may break what a CI needs: new CIs, which have no relationships yet, cannot, and
// neither can texts or what is taken away.
func mayBreak(w store.Written) bool {
	wrote := func(fields ...string) bool {
		return w.Operation != domain.Updated || slices.ContainsFunc(fields, func(field string) bool {
			_, ok := w.Before[field]
			return ok
		})
	}
	switch w.ID.Kind() { //nolint:exhaustive // the rest is no part of the graph
	case ident.CI:
		return w.Operation == domain.Updated && wrote("lifecycle")
	case ident.Relationship:
		return w.Operation != domain.Deleted && wrote("strength")
	case ident.DependencyGroup:
		return wrote("mode", "threshold", "members")
	case ident.RelationshipType:
		return w.Operation == domain.Updated && wrote("impact_direction", "strength")
	}
	return false
}

// addWritten adds what a write makes of a record. If the graph does not know records of its kind, it adds nothing.
func addWritten(b *topology.Batch, id ident.ID, operation domain.Operation, after map[string]any) error {
	switch {
	case !isFact(id.Kind()):
		return nil
	case operation == domain.Deleted:
		b.Removed = append(b.Removed, id)
		return nil
	}
	return addRecord(b, id, after)
}

// CaughtUp returns the graph of all that is committed, of which s may be some revisions short, as a transaction sees
// it: it waits for no feed. Failures: errs.Unavailable if s is too far behind.
func CaughtUp(ctx context.Context, tx *store.Tx, s *topology.Snapshot) (*topology.Snapshot, error) {
	head, err := tx.Head.Query().Only(ctx)
	if err != nil {
		return nil, err
	}
	return caughtUpTo(ctx, tx, s, head.Revision)
}

// caughtUpTo returns the graph of a revision, of which s may be some revisions short.
func caughtUpTo(ctx context.Context, tx *store.Tx, s *topology.Snapshot, head int64) (*topology.Snapshot, error) {
	if s.Revision() >= head {
		return s, nil
	}
	entries, err := tx.Entry.Query().Where(entry.IDGTE(store.EntryID(s.Revision()+1, 0))).Order(entry.ByID(sql.OrderAsc())).
		Limit(store.MostEntries).All(ctx)
	if err != nil {
		return nil, err
	}
	floor, err := tx.Floor(ctx)
	if err != nil {
		return nil, err
	}
	if len(entries) == store.MostEntries || floor > s.Revision()+1 {
		return nil, errs.New(errs.Unavailable, "this server shows revision %d of %d: try again in a moment, or ask another server", s.Revision(), head)
	}
	latest, marking := map[ident.ID]*ent.Entry{}, map[ident.ID]bool{}
	for _, e := range entries {
		latest[e.RecordID] = e
		if k := e.SubjectID.Kind(); k == ident.Incident || k == ident.Change {
			marking[e.SubjectID] = true
		}
	}
	b := topology.Batch{Revision: head}
	for id, e := range latest {
		if err := addWritten(&b, id, e.Operation, e.After); err != nil {
			return nil, err
		}
	}
	if err := replayed(ctx, tx.Client(), &b, slices.Collect(maps.Keys(marking))); err != nil {
		return nil, err
	}
	s, _, err = s.After(b)
	return s, err
}
