package read

import (
	"context"
	"iter"
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/safe"
)

// event is what one write did to the records that somebody follows.
type event struct {
	Revision int64
	Token    domain.RevisionToken
	in       *Reader
	resync   domain.Resync
	rows     []*ent.Entry
}

// Resync returns why events were left out before this one. If none were, it returns nil.
func (e *event) Resync() *domain.Resync { return reason(e.resync) }

func reason(r domain.Resync) *domain.Resync {
	if r == "" {
		return nil
	}
	return &r
}

// Entries returns what the write did to each record.
func (e *event) Entries() []*Entry { return e.in.wrapEntries(e.rows) }

// subjects returns the records that the write belongs to, in the order of their ids.
func subjects[V any](ctx context.Context, e *event, load func(context.Context, *Reader, []ident.ID) (map[ident.ID]V, error)) ([]V, error) {
	found, err := load(ctx, e.in, page.Distinct(e.rows, func(row *ent.Entry) *ident.ID { return &row.SubjectID }))
	shown := make([]V, 0, len(found))
	for _, id := range slices.Sorted(maps.Keys(found)) {
		shown = append(shown, found[id])
	}
	return shown, err
}

// JournalEvent is what one write did.
type JournalEvent struct{ event }

// CIEvent is what one write did to CIs.
type CIEvent struct{ event }

// Cis returns the CIs as they are now.
func (e *CIEvent) Cis(ctx context.Context) ([]*CI, error) { return subjects(ctx, &e.event, loadCIs) }

// IncidentEvent is what one write did to incidents.
type IncidentEvent struct{ event }

// Incidents returns the incidents as they are now.
func (e *IncidentEvent) Incidents(ctx context.Context) ([]*Incident, error) {
	return subjects(ctx, &e.event, loadIncidents)
}

// ChangeEvent is what one write did to changes.
type ChangeEvent struct{ event }

// Changes returns the changes as they are now.
func (e *ChangeEvent) Changes(ctx context.Context) ([]*Change, error) {
	return subjects(ctx, &e.event, loadChanges)
}

// JournalEvents follows every write after a revision, or from now on; only to some records, if any are named.
func (r *Reader) JournalEvents(ctx context.Context, after *int64, token *domain.RevisionToken, ids []ident.ID) (<-chan *JournalEvent, error) {
	return follow(ctx, r, journal.PositionOf(ctx).After(after, token), ids, nil, func(e event) *JournalEvent { return &JournalEvent{e} })
}

// CIEvents follows the writes to CIs.
func (r *Reader) CIEvents(ctx context.Context, after *int64, token *domain.RevisionToken, ids []ident.ID) (<-chan *CIEvent, error) {
	return follow(ctx, r, journal.PositionOf(ctx).After(after, token), ids, []ident.Kind{ident.CI}, func(e event) *CIEvent { return &CIEvent{e} })
}

// IncidentEvents follows the writes to incidents.
func (r *Reader) IncidentEvents(ctx context.Context, after *int64, token *domain.RevisionToken, ids []ident.ID) (<-chan *IncidentEvent, error) {
	return follow(ctx, r, journal.PositionOf(ctx).After(after, token), ids, []ident.Kind{ident.Incident}, func(e event) *IncidentEvent { return &IncidentEvent{e} })
}

// ChangeEvents follows the writes to changes.
func (r *Reader) ChangeEvents(ctx context.Context, after *int64, token *domain.RevisionToken, ids []ident.ID) (<-chan *ChangeEvent, error) {
	return follow(ctx, r, journal.PositionOf(ctx).After(after, token), ids, []ident.Kind{ident.Change}, func(e event) *ChangeEvent { return &ChangeEvent{e} })
}

// follow tells the writes whose subject or record is one of ids, and whose subject is of one of kinds. If ids or kinds
// is nil, it may be any. Of CIs that the actor may not see at that time it tells nothing.
func follow[E any](ctx context.Context, r *Reader, after *domain.RevisionToken, ids []ident.ID, kinds []ident.Kind, show func(event) *E) (<-chan *E, error) {
	wanted, err := followed(ids)
	if err != nil {
		return nil, err
	}
	told, err := r.history.Commits(ctx, after)
	if err != nil {
		return nil, err
	}
	return deliver(ctx, r, told, func(t journal.Told[[]*ent.Entry]) (*E, error) {
		e := event{Revision: t.Revision, Token: t.Token(), in: r, resync: t.Resync}
		for _, row := range t.What {
			isOfKind := kinds == nil || slices.Contains(kinds, row.SubjectID.Kind())
			if isOfKind && (ids == nil || wanted[row.SubjectID] || wanted[row.RecordID]) {
				e.rows = append(e.rows, row)
			}
		}
		if len(e.rows) > 0 {
			hidden, err := r.hidden(ctx)
			if err != nil {
				return nil, err
			}
			e.rows = slices.DeleteFunc(e.rows, func(row *ent.Entry) bool {
				return hidden[asCI(row.RecordID)] || hidden[asCI(row.SubjectID)] ||
					isPrivate(row.RecordID) && !seesAccounts(ctx) && !isOwn(ctx, row.SubjectID)
			})
		}
		if len(e.rows) == 0 && e.resync == "" {
			return nil, nil
		}
		return show(e), nil
	}), nil
}

// followed returns a set of ids, with services as their CIs.
func followed(ids []ident.ID) (map[ident.ID]bool, error) {
	if len(ids) > page.Max {
		return nil, errs.New(errs.BadUserInput, "ids lists %d ids: at most %d", len(ids), page.Max)
	}
	wanted := map[ident.ID]bool{}
	for _, id := range ids {
		wanted[asCI(id)] = true
	}
	return wanted, nil
}

// deliver sends what show makes of each revision, until ctx ends or show fails, which the position of ctx then tells: a
// client that comes back goes on after the last event. If show makes nil, it sends nothing.
func deliver[T, E any](ctx context.Context, r *Reader, told iter.Seq[journal.Told[T]], show func(journal.Told[T]) (*E, error)) <-chan *E {
	events := make(chan *E)
	position := journal.PositionOf(ctx)
	safe.Go(r.history.Log(), "a subscription", func() {
		defer close(events)
		err := safe.Call(func() error {
			for t := range told {
				e, err := show(t)
				if err != nil {
					return err
				}
				if e == nil {
					continue
				}
				position.Tell(t.Token())
				select {
				case events <- e:
				case <-ctx.Done():
					return nil
				}
			}
			return nil
		})
		if ctx.Err() == nil {
			position.Fail(err)
		}
	})
	return events
}
