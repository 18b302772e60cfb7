package schedule

import (
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/risk"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Weights returns what the factors of risk count: the stored rows, over the defaults.
func Weights(ctx context.Context, c *ent.Client) (risk.Weights, error) {
	rows, err := c.RiskWeight.Query().All(ctx)
	w := risk.Defaults()
	for _, row := range rows {
		w[row.Factor] = risk.Weight{Most: row.Most, Each: row.Each}
	}
	return w, err
}

// SetWeights changes what some factors count. The others stay.
func (p *Practice) SetWeights(ctx context.Context, in SetWeights) (risk.Weights, error) {
	return auth.Write(ctx, p.store, "risk_weight.set", func(ctx context.Context, tx *store.Tx) (risk.Weights, error) {
		q := tx.RiskWeight.Query()
		if tx.IsPostgres() {
			q = q.ForUpdate()
		}
		rows, err := q.All(ctx)
		if err != nil {
			return nil, err
		}
		w, err := Weights(ctx, tx.Client())
		if err != nil {
			return nil, err
		}
		var f form.Form
		seen := map[domain.RiskFactor]bool{}
		for _, one := range in.Weights {
			factor := form.OneOf(&f, "weights", one.Factor)
			if seen[factor] {
				f.Fault(errs.New(errs.Invalid, "%s is named twice: name it once", factor).At("weights"))
			}
			seen[factor] = true
			w[factor] = risk.Weight{Most: one.Most, Each: one.Each}
		}
		if f.Err() == nil {
			f.Fault(w.Check())
		}
		if err := f.Err(); err != nil {
			return nil, err
		}
		// All rows are written the first time, so that there is something to lock from then on.
		for _, kind := range domain.RiskFactor("").Values() {
			factor := domain.RiskFactor(kind)
			at := slices.IndexFunc(rows, func(row *ent.RiskWeight) bool { return row.Factor == factor })
			weight := w[factor]
			switch {
			case at < 0:
				err = tx.RiskWeight.Create().SetFactor(factor).SetMost(weight.Most).SetEach(weight.Each).Exec(ctx)
			case rows[at].Most != weight.Most || rows[at].Each != weight.Each:
				err = tx.RiskWeight.UpdateOne(rows[at]).SetMost(weight.Most).SetEach(weight.Each).Exec(ctx)
			}
			if err != nil {
				return nil, err
			}
		}
		return w, nil
	})
}
