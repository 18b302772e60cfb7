package schedule

import (
	"context"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/change"
	"github.com/linchpin-cmdb/linchpin/ent/predicate"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/conflict"
	"github.com/linchpin-cmdb/linchpin/internal/rule/suspect"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Suspects lists for each question the changes that may have caused what is seen, the most suspicious first, at most so many. What
// they touched is judged by the graph of the snapshot. Risk is weighed for those that are listed: it orders them, and lets nobody
// in. The number of statements does not depend on that of the questions.
func Suspects(ctx context.Context, c *ent.Client, s *topology.Snapshot, questions []suspect.Question, most int, now time.Time) ([][]suspect.Suspect, error) {
	found := make([][]suspect.Suspect, len(questions))
	var times []predicate.Change
	for _, q := range questions {
		from := q.At.Add(-q.Window)
		times = append(times, change.And(change.ActualStartGTE(from), change.ActualStartLTE(q.At)), change.And(change.ActualEndGTE(from), change.ActualEndLTE(q.At)),
			change.And(change.ActualStartLT(from), change.Or(change.ActualEndIsNil(), change.ActualEndGT(q.At)))) // being carried out
	}
	if len(times) == 0 {
		return found, nil
	}
	rows, err := c.Change.Query().Where(change.Or(times...)).All(ctx)
	if err != nil || len(rows) == 0 {
		return found, store.Translate(err)
	}
	byID, touched, ids := make(map[ident.ID]*ent.Change, len(rows)), make([]conflict.Change, len(rows)), make([]ident.ID, len(rows))
	for i, row := range rows {
		byID[row.ID], touched[i].ID, ids[i] = row, row.ID, row.ID
	}
	if err := scope(ctx, c, change.IDIn(ids...), touched, rows); err != nil {
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
	var shown []*ent.Change
	isShown := map[ident.ID]bool{}
	for i, q := range questions {
		if found[i], err = suspect.Find(ctx, s, q, changes); err != nil {
			return nil, err
		}
		found[i] = found[i][:min(len(found[i]), most)]
		for _, one := range found[i] {
			if !isShown[one.Change] {
				isShown[one.Change] = true
				shown = append(shown, byID[one.Change])
			}
		}
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
