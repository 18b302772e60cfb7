package change

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/plannedoperation"
	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// PlanOperations says what a change does to the CI graph when it starts. The operations are rehearsed by the verbs' own
// code, so that what they would refuse is refused now. They are edited as Update edits a scope.
func (p *Practice) PlanOperations(ctx context.Context, in PlanOperations) (*ent.Change, error) {
	return p.desk.Edit(ctx, "change.plan_operations", ticket.Seen(in.ID, in.ExpectedVersion), func(ctx context.Context, tx *store.Tx, was *ent.Change, u *ent.ChangeUpdateOne) error {
		if err := mayReplan(was); err != nil {
			return err
		}
		planned, err := readOperations(in.Operations, mostOperations)
		if err != nil {
			return err
		}
		if err := withinTemplate(ctx, tx, was, planned); err != nil {
			return err
		}
		if was.Type != domain.Standard { // else the template says that it may be done
			if err := mayPlan(ctx, planned); err != nil {
				return err
			}
		}
		if err := rehearse(ctx, tx, planned); err != nil {
			return err
		}
		isNew, err := replan(ctx, tx, was.ID, planned)
		if err != nil || !isNew {
			return err
		}
		e := edit{bounds: []string{theOperations}}
		if err := e.refused(was); err != nil {
			return err
		}
		u.SetUpdatedAt(tx.Now)
		if was.State == domain.ChangeScheduled {
			if err := p.keepOutage(ctx, tx, was); err != nil {
				return err
			}
		}
		return e.tell(ctx, tx, was, u)
	}, p.find)
}

// mayReplan refuses a change that has started: what it did to the graph is no plan any more.
func mayReplan(was *ent.Change) error {
	switch was.State { //nolint:exhaustive // the others are before it is carried out
	case domain.ChangeImplement, domain.ChangeReview, domain.ChangeClosed, domain.ChangeCanceled:
		return refused(was, "is in %s: its operations can be planned until it starts; draft another change, or an undo of this one", was.State)
	}
	return nil
}

// rehearse notes how what operations touch is now, and refuses what could not be done now.
func rehearse(ctx context.Context, tx *store.Tx, planned []operation.Operation) error {
	if err := base(ctx, tx, planned); err != nil {
		return err
	}
	return tx.Rehearse(ctx, func(ctx context.Context) error {
		if _, err := run(ctx, tx, planned); err != nil {
			return err
		}
		return foresee(ctx, tx, planned)
	})
}

// foresee warns of what operations, which the transaction has just carried out, take DOWN and nobody accepts.
func foresee(ctx context.Context, tx *store.Tx, planned []operation.Operation) error {
	tx.Consent.Reason = accepted(planned)
	err := tx.Judge(ctx)
	all, ok := errs.All(err)
	for _, e := range all {
		if e.Code != errs.Consequences && e.Code != errs.FallsNow {
			ok = false
		}
	}
	if !ok {
		return err
	}
	for _, e := range all {
		tx.Warn(domain.WouldFall, []string{"operations"}, "if it started now, %s", e.Message)
	}
	return nil
}

// accepted returns why it is accepted if operations take something DOWN, or "" if none of them says so.
func accepted(planned []operation.Operation) string {
	var reasons []string
	for _, o := range planned {
		if o.Consent != "" && !slices.Contains(reasons, o.Consent) {
			reasons = append(reasons, o.Consent)
		}
	}
	return strings.Join(reasons, "; ")
}

// replan puts operations in place of those that a change plans, and reports whether they are others, or on other
// grounds.
func replan(ctx context.Context, tx *store.Tx, id ident.ID, planned []operation.Operation) (isNew bool, err error) {
	rows, err := operationsOf(ctx, tx.Client(), id)
	if err != nil || slices.EqualFunc(Operations(rows), planned, func(a, b operation.Operation) bool { return a.Does(b) && operation.Same(a.Base, b.Base) }) {
		return false, err
	}
	for _, row := range rows {
		if err := tx.PlannedOperation.DeleteOne(row).Exec(ctx); err != nil {
			return false, err
		}
	}
	return true, keep(ctx, tx, id, planned)
}

// operationsOf lists the operations of changes, of each in their order.
func operationsOf(ctx context.Context, c *ent.Client, changes ...ident.ID) ([]*ent.PlannedOperation, error) {
	return c.PlannedOperation.Query().Where(plannedoperation.ChangeIDIn(changes...)).
		Order(ent.Asc(plannedoperation.FieldChangeID, plannedoperation.FieldPlace)).All(ctx)
}

// Operations returns the rows of a change as the rules see them.
func Operations(rows []*ent.PlannedOperation) []operation.Operation {
	all := make([]operation.Operation, len(rows))
	for i, row := range rows {
		all[i] = operation.Operation{Kind: row.Kind, Key: row.Key, Planned: row.Planned, Base: row.Base, BaseRevision: row.BaseRevision, Consent: row.Consent}
		if row.RecordID != nil {
			all[i].Record = *row.RecordID
		}
		if row.UndoesID != nil {
			all[i].Undoes = *row.UndoesID
		}
	}
	return all
}

// keep writes the operations of a change.
func keep(ctx context.Context, tx *store.Tx, id ident.ID, all []operation.Operation) error {
	rows := make([]*ent.PlannedOperationCreate, len(all))
	for i, o := range all {
		rows[i] = tx.PlannedOperation.Create().SetChangeID(id).SetPlace(i).SetKind(o.Kind).SetKey(o.Key).
			SetPlanned(o.Planned).SetBase(o.Base).SetBaseRevision(o.BaseRevision).SetConsent(o.Consent)
		if o.Record != 0 {
			rows[i].SetRecordID(o.Record)
		}
		if o.Undoes != 0 {
			rows[i].SetUndoesID(o.Undoes)
		}
	}
	return tx.PlannedOperation.CreateBulk(rows...).Exec(ctx)
}

// base notes how what the operations touch is now.
func base(ctx context.Context, tx *store.Tx, planned []operation.Operation) error {
	head, err := tx.Head.Query().Only(ctx)
	if err != nil {
		return err
	}
	present, err := Present(ctx, tx.Client(), planned)
	if err != nil {
		return err
	}
	var f form.Form
	for i := range planned {
		o := &planned[i]
		o.BaseRevision = head.Revision
		if o.Record == 0 {
			continue
		}
		now, ok := present.Records[o.Record]
		if !ok {
			f.Fault(form.Missing(o.Record, "operations", strconv.Itoa(i), memberOf(o.Kind).field))
			continue
		}
		if len(o.Planned) == 0 {
			o.Base = now
			continue
		}
		for field := range o.Planned {
			o.Base[field] = now[field]
		}
	}
	return f.Err()
}

// apply does what a change plans, in the transaction in which it starts: all of it, or nothing where somebody changed
// meanwhile what it touches. It gives what to say about it.
func apply(ctx context.Context, tx *store.Tx, was *ent.Change) (said string, err error) {
	rows, err := operationsOf(ctx, tx.Client(), was.ID)
	if err != nil || len(rows) == 0 {
		return "", err
	}
	planned := Operations(rows)
	if err := hold(ctx, tx, planned); err != nil {
		return "", err
	}
	found, err := FindConflicts(ctx, tx.Client(), planned)
	if err != nil {
		return "", err
	}
	hidden, err := sight.Within(ctx, tx.Client())
	if err != nil {
		return "", err
	}
	var f form.Form
	for i, conflicts := range found {
		if len(conflicts) > 0 && !isTold(planned[i], hidden) {
			f.Fault(untold(was, i))
			continue
		}
		for _, c := range conflicts {
			f.Fault(errs.New(errs.Stale, "%s cannot start: %s", Number(was.ID), c.Sentence(planned[i])).At("operations", strconv.Itoa(i), c.Field))
		}
	}
	if err := f.Err(); err != nil {
		return "", err
	}
	tx.Consent.Reason = accepted(planned)
	created, err := run(ctx, tx, planned)
	if err != nil {
		return "", told(err, was, planned, hidden)
	}
	for i, id := range created {
		if id != 0 && planned[i].Record == 0 {
			if err := tx.PlannedOperation.UpdateOne(rows[i]).SetRecordID(id).Exec(ctx); err != nil {
				return "", err
			}
		}
	}
	return "Planned operations applied to the graph: " + strconv.Itoa(len(rows)) + ".", nil
}

// isTold reports whether an actor may be told what stands in the way of an operation, of whom some CIs are hidden. Of
// relationships and groups it is told only if none are, since what they name may be.
func isTold(o operation.Operation, hidden map[ident.ID]bool) bool {
	return len(hidden) == 0 || o.Kind == domain.CreateCI || o.Record.Kind() == ident.CI && !hidden[o.Record]
}

// untold returns the refusal to start a change over an operation of which the actor may not be told more.
func untold(was *ent.Change, i int) error {
	return errs.New(errs.Stale, "%s cannot start: what operation %d is about is not as it was when this was planned; the preview says more to an actor that sees all CIs", Number(was.ID), i).
		At("operations", strconv.Itoa(i))
}

// told returns a refusal without what the actor may not be told.
func told(err error, was *ent.Change, planned []operation.Operation, hidden map[ident.ID]bool) error {
	all, ok := errs.All(err)
	if !ok {
		return err
	}
	var f form.Form
	for _, e := range all {
		if len(e.Field) > 1 && e.Field[0] == "operations" {
			if i, wrong := strconv.Atoi(e.Field[1]); wrong == nil && i < len(planned) && !isTold(planned[i], hidden) {
				f.Fault(untold(was, i))
				continue
			}
		}
		f.Fault(e)
	}
	return f.Err()
}
