package schedule

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/change"
	"github.com/linchpin-cmdb/linchpin/ent/plannedoperation"
	"github.com/linchpin-cmdb/linchpin/ent/predicate"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/rule/conflict"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/rule/recurrence"
	"github.com/linchpin-cmdb/linchpin/internal/rule/suspect"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Suspects lists for each question the changes that may have caused what is seen, the most suspicious first, at most so
// many. The CIs they touched, by their scope or their operations, are judged by the graph of the snapshot and by that
// without what their operations did. Risk is weighed for those that are listed: it orders them, and lets nobody in. The
// number of statements does not depend on that of the questions.
func Suspects(ctx context.Context, c *ent.Client, s *topology.Snapshot, questions []suspect.Question, most int, now time.Time) ([][]suspect.Suspect, error) {
	found := make([][]suspect.Suspect, len(questions))
	if len(questions) == 0 {
		return found, nil
	}
	then := around(questions)
	rows, err := c.Change.Query().Where(then).
		Select(change.FieldID, change.FieldState, change.FieldActualStart, change.FieldActualEnd, change.FieldOutcome).All(ctx)
	if err != nil || len(rows) == 0 {
		return found, store.Translate(err)
	}
	touched := make([]conflict.Change, len(rows))
	for i, row := range rows {
		touched[i].ID = row.ID
	}
	if err := scope(ctx, c, then, touched, rows); err != nil {
		return nil, store.Translate(err)
	}
	applied, words, err := appliedBy(ctx, c, then)
	if err != nil {
		return nil, store.Translate(err)
	}
	changes := make([]suspect.Change, 0, len(rows))
	for i, row := range rows {
		if row.ActualStart == nil {
			continue
		}
		one := suspect.Change{ID: row.ID, Started: *row.ActualStart, Ended: row.ActualEnd}
		if row.Outcome != nil {
			one.Outcome = *row.Outcome
		}
		for _, ci := range touched[i].Scope {
			one.Touched = append(one.Touched, ci.ID)
		}
		if did := applied[row.ID]; len(did) > 0 {
			one.Touched = append(one.Touched, operation.Wrote(s, did)...)
			if one.Undone, err = without(s, did, words); err != nil {
				return nil, err
			}
		}
		changes = append(changes, one)
	}
	isShown := map[ident.ID]bool{}
	for i, q := range questions {
		if found[i], err = suspect.Find(ctx, s, q, changes); err != nil {
			return nil, err
		}
		found[i] = found[i][:min(len(found[i]), most)]
		for _, one := range found[i] {
			isShown[one.Change] = true
		}
	}
	if len(isShown) == 0 {
		return found, nil
	}
	shown, err := c.Change.Query().Where(change.IDIn(slices.Collect(maps.Keys(isShown))...)).All(ctx)
	if err != nil {
		return nil, store.Translate(err)
	}
	risks, err := Risks(ctx, c, s, shown, now)
	if err != nil {
		return nil, err
	}
	for _, some := range found {
		for i := range some {
			some[i].Weigh(risks[some[i].Change].Score)
		}
		suspect.Sort(some)
	}
	return found, nil
}

// appliedBy returns the operations of changes that have started, and the words that they are written in.
func appliedBy(ctx context.Context, c *ent.Client, of predicate.Change) (map[ident.ID][]operation.Operation, operation.Words, error) {
	rows, err := c.PlannedOperation.Query().Where(chosenBy[predicate.PlannedOperation](plannedoperation.FieldChangeID, change.And(of, change.ActualStartNotNil()))).
		Order(ent.Asc(plannedoperation.FieldChangeID, plannedoperation.FieldPlace)).All(ctx)
	if err != nil || len(rows) == 0 {
		return nil, operation.Words{}, err
	}
	applied := map[ident.ID][]operation.Operation{}
	for _, row := range rows {
		one := operation.Operation{Kind: row.Kind, Key: row.Key, Planned: row.Planned, Base: row.Base}
		if row.RecordID != nil {
			one.Record = *row.RecordID
		}
		applied[row.ChangeID] = append(applied[row.ChangeID], one)
	}
	words, err := cmdb.Words(ctx, c)
	return applied, words, err
}

// without returns the graph as it would be if operations had not been applied; nil if they took nothing away, or if
// what was written since then stands against it.
func without(s *topology.Snapshot, applied []operation.Operation, words operation.Words) (*topology.Snapshot, error) {
	inverse := operation.Undone(applied)
	if len(inverse) == 0 {
		return nil, nil
	}
	view, err := operation.On(s, inverse, words)
	if errs.CodeOf(err) == errs.Invalid {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return view.Snapshot, nil
}

// around chooses all changes that a question is about; for several questions it chooses more, namely those that started
// or ended within the windows, which are merged where they overlap, and those that were being carried out between them.
func around(questions []suspect.Question) predicate.Change {
	spans := make([]recurrence.Span, len(questions))
	for i, q := range questions {
		spans[i] = recurrence.Span{From: q.At.Add(-q.Window), To: q.At}
	}
	slices.SortFunc(spans, func(a, b recurrence.Span) int { return a.From.Compare(b.From) })
	first, last := spans[0].To, spans[len(spans)-1].From
	var merged []recurrence.Span
	for _, span := range spans {
		if span.To.Before(first) {
			first = span.To
		}
		if n := len(merged); n == 0 || span.From.After(merged[n-1].To) {
			merged = append(merged, span)
		} else if span.To.After(merged[n-1].To) {
			merged[n-1].To = span.To
		}
	}
	times := []predicate.Change{
		change.And(change.ActualEndIsNil(), change.ActualStartLT(last)), change.And(change.ActualEndGT(first), change.ActualStartLT(last)),
	}
	for _, span := range merged {
		times = append(times, change.And(change.ActualStartGTE(span.From), change.ActualStartLTE(span.To)), change.And(change.ActualEndGTE(span.From), change.ActualEndLTE(span.To)))
	}
	return change.Or(times...)
}
