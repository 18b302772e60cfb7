package incident

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/priorityrule"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/priority"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// SetPriority fills one cell of the priority table. Incidents keep the priority they have until their impact level or
// urgency is set to another.
func (p *Practice) SetPriority(ctx context.Context, in SetPriority) (*ent.PriorityRule, error) {
	return auth.Write(ctx, p.store, "priority_rule.set", func(ctx context.Context, tx *store.Tx) (*ent.PriorityRule, error) {
		var f form.Form
		f.Number("impactLevel", in.ImpactLevel, priority.Most, priority.LeastLevel)
		f.Number("urgency", in.Urgency, priority.Most, priority.LeastLevel)
		f.Number("priority", in.Priority, priority.Most, priority.LeastPriority)
		if err := f.Err(); err != nil {
			return nil, err
		}
		rule, err := tx.PriorityRule.Query().Where(priorityrule.Impact(in.ImpactLevel), priorityrule.Urgency(in.Urgency)).Only(ctx)
		switch {
		case ent.IsNotFound(err):
			return tx.PriorityRule.Create().SetImpact(in.ImpactLevel).SetUrgency(in.Urgency).SetPriority(in.Priority).Save(ctx)
		case err != nil || rule.Priority == in.Priority:
			return rule, err
		}
		return tx.PriorityRule.UpdateOne(rule).SetPriority(in.Priority).Save(ctx)
	})
}

// priorityOf looks an impact level and an urgency up in the table.
func priorityOf(ctx context.Context, tx *store.Tx, level, urgency int) (int, error) {
	rows, err := tx.PriorityRule.Query().All(ctx)
	if err != nil {
		return 0, err
	}
	rules := make([]priority.Rule, len(rows))
	for i, r := range rows {
		rules[i] = priority.Rule{Impact: r.Impact, Urgency: r.Urgency, Priority: r.Priority}
	}
	return priority.Of(rules, level, urgency), nil
}
