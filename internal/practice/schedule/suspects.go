package schedule

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/change"
	"github.com/linchpin-cmdb/linchpin/ent/predicate"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/conflict"
	"github.com/linchpin-cmdb/linchpin/internal/rule/recurrence"
	"github.com/linchpin-cmdb/linchpin/internal/rule/suspect"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Suspects lists for each question the changes that may have caused what is seen, the most suspicious first, at most so
// many. The CIs they touched are judged by the graph of the snapshot. Risk is weighed for those that are listed: it
// orders them, and lets nobody in. The number of statements does not depend on that of the questions.
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
