package schedule

import (
	"context"
	"maps"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/change"
	"github.com/linchpin-cmdb/linchpin/ent/changeci"
	"github.com/linchpin-cmdb/linchpin/ent/plannedoperation"
	"github.com/linchpin-cmdb/linchpin/ent/predicate"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/rule/conflict"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/rule/recurrence"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// contending are the states in which a change claims its window: until what it does is done.
var contending = []domain.ChangeState{
	domain.ChangeNew, domain.ChangeAssess, domain.ChangeAuthorize, domain.ChangeScheduled, domain.ChangeImplement,
}

// contends reports whether a change can be in conflict: it is still to be carried out, and says when.
func contends(c *ent.Change) bool {
	return c.PlannedStart != nil && c.PlannedEnd != nil && slices.Contains(contending, c.State)
}

func spanOf(c *ent.Change) recurrence.Span {
	return recurrence.Span{From: *c.PlannedStart, To: *c.PlannedEnd}
}

// Conflicts finds what is in the way of each of some changes, on one snapshot, in at most ten statements whatever their
// number; of changes that are being carried out or due soon by a time also beside what has failed. Changes that are
// over, or do not say when, have none. Nothing of it is stored: a conflict is true of the graph and the changes as they
// are. It costs a look at each change that overlaps, and the engine for those that meet in the graph.
func Conflicts(ctx context.Context, c *ent.Client, s *topology.Snapshot, changes []*ent.Change, now time.Time) (map[ident.ID][]conflict.Conflict, error) {
	found, _, err := find(ctx, c, s, changes, nil, now)
	return found, err
}

// find gives the finder as well. It can be asked about the changes of own, too.
func find(ctx context.Context, c *ent.Client, s *topology.Snapshot, changes []*ent.Change, own []conflict.Change, now time.Time) (map[ident.ID][]conflict.Conflict, *conflict.Finder, error) {
	found := make(map[ident.ID][]conflict.Conflict, len(changes))
	changes = slices.DeleteFunc(slices.Clone(changes), func(c *ent.Change) bool { return !contends(c) })
	var others []conflict.Change
	var err error
	if len(changes) > 0 {
		if others, err = rivals(ctx, c, changes); err != nil {
			return nil, nil, store.Translate(err)
		}
	}
	finder, err := finderOf(ctx, c, s, own, others)
	if err != nil || len(changes) == 0 {
		return found, finder, err
	}
	plans, err := plansOf(ctx, c, changes)
	if err != nil {
		return nil, nil, store.Translate(err)
	}
	windows, err := c.ChangeWindow.Query().Order(ent.Asc("id")).All(ctx)
	if err != nil {
		return nil, nil, store.Translate(err)
	}
	byID := make(map[ident.ID]*conflict.Change, len(others))
	for i := range others {
		byID[others[i].ID] = &others[i]
	}
	concerned := make(map[ident.ID][]ident.ID, len(changes))
	onFacts, beside := finder.OnFacts(), map[ident.ID]bool{}
	var cis []ident.ID
	for _, row := range changes {
		own := byID[row.ID]
		if own == nil { // somebody has moved it since it was read
			continue
		}
		if found[row.ID], err = finder.WithChanges(ctx, own, others); err != nil {
			return nil, nil, err
		}
		if plan, ok := plans[row.ID]; ok {
			found[row.ID] = append(found[row.ID], finder.WithOperations(plan, slices.Collect(maps.Values(plans)))...)
		}
		if concerned[row.ID], err = finder.Concerned(ctx, own); err != nil {
			return nil, nil, err
		}
		if beside[row.ID] = isSoon(row, now) && len(impact.FactsOf(s).Records) > 0; beside[row.ID] {
			more, err := onFacts.Concerned(ctx, own)
			if err != nil {
				return nil, nil, err
			}
			concerned[row.ID] = append(concerned[row.ID], more...)
		}
		cis = append(cis, concerned[row.ID]...)
	}
	holds, err := Targets(ctx, c, s, windows, cis)
	if err != nil {
		return nil, nil, store.Translate(err)
	}
	for id := range concerned {
		own := byID[id]
		near, err := near(windows, own.Planned, holds)
		if err != nil {
			return nil, nil, err
		}
		more, err := finder.WithWindows(ctx, own, near)
		if err != nil {
			return nil, nil, err
		}
		found[id] = append(found[id], more...)
		if beside[id] {
			more, err := onFacts.Beside(ctx, own, others, near)
			if err != nil {
				return nil, nil, err
			}
			found[id] = conflict.AddBeside(found[id], more)
		}
		found[id] = conflict.Sorted(found[id])
	}
	return found, finder, nil
}

// finderOf makes a finder. It reads the codes that planned operations use, if there are any.
func finderOf(ctx context.Context, c *ent.Client, s *topology.Snapshot, changes ...[]conflict.Change) (*conflict.Finder, error) {
	plans := func(c conflict.Change) bool { return len(c.Operations) > 0 }
	if !slices.ContainsFunc(changes, func(some []conflict.Change) bool { return slices.ContainsFunc(some, plans) }) {
		return conflict.NewFinder(s, operation.Words{}), nil
	}
	words, err := cmdb.Words(ctx, c)
	return conflict.NewFinder(s, words), err
}

// near returns the windows as the rule wants them for the time of a change.
func near(windows []*ent.ChangeWindow, at recurrence.Span, holds func(*ent.ChangeWindow, ident.ID) bool) ([]conflict.Window, error) {
	all := make([]conflict.Window, len(windows))
	for i, w := range windows {
		times, err := Occurrences(w, at)
		if err != nil {
			return nil, err
		}
		all[i] = conflict.Window{ID: w.ID, Kind: w.Kind, Occurrences: times, Holds: func(ci ident.ID) bool { return holds(w, ci) }}
	}
	return all, nil
}

// rivals returns the changes that contend while some changes do, these included, with what they touch.
func rivals(ctx context.Context, c *ent.Client, changes []*ent.Change) ([]conflict.Change, error) {
	first, last := *changes[0].PlannedStart, *changes[0].PlannedEnd
	for _, row := range changes {
		if row.PlannedStart.Before(first) {
			first = *row.PlannedStart
		}
		if row.PlannedEnd.After(last) {
			last = *row.PlannedEnd
		}
	}
	claims := change.And(change.StateIn(contending...), change.PlannedStartLT(last), change.PlannedEndGT(first))
	rows, err := c.Change.Query().Where(claims).
		Select(change.FieldID, change.FieldState, change.FieldPlannedStart, change.FieldPlannedEnd, change.FieldAssigneeID).All(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]conflict.Change, len(rows))
	for i, row := range rows {
		all[i] = conflict.Change{ID: row.ID, Planned: spanOf(row)}
		if row.AssigneeID != nil {
			all[i].Assignee = *row.AssigneeID
		}
	}
	return all, scope(ctx, c, claims, all, rows)
}

// scope puts into changes, which stand for rows, what they touch: what is in their scope, and what their operations
// change or retire. As long as these are a plan, it puts in what they do to relationships and groups, too.
func scope(ctx context.Context, c *ent.Client, of predicate.Change, changes []conflict.Change, rows []*ent.Change) error {
	links, err := c.ChangeCI.Query().Where(chosenBy[predicate.ChangeCI](changeci.FieldChangeID, of)).
		Select(changeci.FieldChangeID, changeci.FieldCiID, changeci.FieldRole).All(ctx)
	if err != nil {
		return err
	}
	operations, err := c.PlannedOperation.Query().Where(chosenBy[predicate.PlannedOperation](plannedoperation.FieldChangeID, of)).
		Order(ent.Asc(plannedoperation.FieldChangeID, plannedoperation.FieldPlace)).
		Select(plannedoperation.FieldChangeID, plannedoperation.FieldRecordID, plannedoperation.FieldKind, plannedoperation.FieldKey, plannedoperation.FieldPlanned).All(ctx)
	if err != nil {
		return err
	}
	places := make(map[ident.ID]int, len(changes))
	for i := range changes {
		places[changes[i].ID] = i
	}
	for _, l := range links {
		if i, ok := places[l.ChangeID]; ok {
			changes[i].Scope = append(changes[i].Scope, conflict.CI{ID: l.CiID, IsTakenDown: l.Role == domain.TakenDownRole})
		}
	}
	for _, o := range operations {
		i, ok := places[o.ChangeID]
		if !ok {
			continue
		}
		one := operation.Operation{Kind: o.Kind, Key: o.Key, Planned: o.Planned}
		if o.RecordID != nil {
			one.Record = *o.RecordID
		}
		if o.Kind == domain.UpdateCI || o.Kind == domain.RetireCI {
			changes[i].Touch(one.Record, o.Kind == domain.RetireCI)
		}
		if slices.Contains(unapplied, rows[i].State) {
			changes[i].Plan(one)
		}
	}
	return nil
}

// chosenBy chooses what hangs on changes. It asks for the changes first: they are few beside all that ever hung on any.
func chosenBy[P ~func(*sql.Selector)](column string, claims predicate.Change) P {
	return func(s *sql.Selector) {
		from := sql.Dialect(s.Dialect()).Table(change.Table)
		chosen := sql.Dialect(s.Dialect()).Select(from.C(change.FieldID)).From(from)
		claims(chosen)
		s.Where(in(s.C(column), chosen))
	}
}
