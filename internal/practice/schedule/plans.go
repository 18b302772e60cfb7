package schedule

import (
	"context"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/change"
	"github.com/linchpin-cmdb/linchpin/ent/plannedoperation"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/conflict"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
)

// unapplied are the states in which the operations of a change are still a plan.
var unapplied = []domain.ChangeState{domain.ChangeNew, domain.ChangeAssess, domain.ChangeAuthorize, domain.ChangeScheduled}

// plansOf returns what changes are going to do to records, and what others are going to do to the same records.
func plansOf(ctx context.Context, c *ent.Client, changes []*ent.Change) (map[ident.ID]conflict.Plan, error) {
	var own []ident.ID
	for _, row := range changes {
		if slices.Contains(unapplied, row.State) {
			own = append(own, row.ID)
		}
	}
	if len(own) == 0 {
		return nil, nil
	}
	records := func(s *sql.Selector) {
		from := sql.Dialect(s.Dialect()).Table(plannedoperation.Table)
		s.Where(in(s.C(plannedoperation.FieldRecordID), sql.Dialect(s.Dialect()).Select(from.C(plannedoperation.FieldRecordID)).From(from).
			Where(sql.In(from.C(plannedoperation.FieldChangeID), anys(own)...))))
	}
	rows, err := c.PlannedOperation.Query().Where(records).WithChange(func(q *ent.ChangeQuery) {
		q.Where(change.StateIn(unapplied...), change.PlannedStartNotNil(), change.PlannedEndNotNil()).
			Select(change.FieldID, change.FieldPlannedStart, change.FieldPlannedEnd)
	}).Order(ent.Asc(plannedoperation.FieldChangeID, plannedoperation.FieldPlace)).All(ctx)
	if err != nil {
		return nil, err
	}
	plans := map[ident.ID]conflict.Plan{}
	for _, row := range rows {
		if of := row.Edges.Change; of != nil {
			p := plans[of.ID]
			p.Change, p.Planned = of.ID, spanOf(of)
			p.Operations = append(p.Operations, operation.Operation{Kind: row.Kind, Record: *row.RecordID, Planned: row.Planned, Base: row.Base})
			plans[of.ID] = p
		}
	}
	return plans, nil
}

func anys(ids []ident.ID) []any {
	all := make([]any, len(ids))
	for i, id := range ids {
		all[i] = id
	}
	return all
}
