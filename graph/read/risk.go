package read

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/schedule"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/rule/risk"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// ChangeRisk is how risky a change is. Its factors add up to the score.
type ChangeRisk struct {
	Score   int
	Level   domain.RiskLevel
	Factors []*RiskFactor
}

// RiskFactor is one reason for the score. Those of a page of changes are one batch.
type RiskFactor struct {
	risk.Factor
	in *batch[*RiskFactor]
}

// Risk returns how risky the change is, by the graph as it is. If the change will not be done, it returns nil.
func (c *Change) Risk(ctx context.Context) (*ChangeRisk, error) {
	found, err := once(c.in, "risks", func() (map[ident.ID]*ChangeRisk, error) {
		var rows []*ent.Change
		for _, row := range c.in.Rows {
			if row.State != domain.ChangeCanceled {
				rows = append(rows, row.Change)
			}
		}
		if len(rows) == 0 {
			return nil, nil
		}
		risks, err := schedule.Risks(ctx, c.in.reader.store.Show, c.in.reader.snapshot(), rows, c.in.reader.store.Now(ctx))
		shown, all := make(map[ident.ID]*ChangeRisk, len(risks)), newBatch[*RiskFactor](c.in.reader, nil)
		for _, row := range rows {
			r := risks[row.ID]
			shown[row.ID] = &ChangeRisk{r.Score, r.Level, []*RiskFactor{}}
			for _, factor := range r.Factors {
				one := &RiskFactor{factor, all}
				all.Rows, shown[row.ID].Factors = append(all.Rows, one), append(shown[row.ID].Factors, one)
			}
		}
		return shown, err
	})
	return found[c.ID], err
}

const factorNames = 10

func (f *RiskFactor) named() []ident.ID { return f.CIs[:min(len(f.CIs), factorNames)] }

// Cis returns the first CIs that the factor is about, without those that the actor may not see.
func (f *RiskFactor) Cis(ctx context.Context) ([]*CI, error) {
	return several(ctx, f.in, f, "cis", (*RiskFactor).named, loadCIs)
}

// CiCount returns how many CIs the factor is about.
func (f *RiskFactor) CiCount() int { return f.CICount }

// Groups returns the first groups that lose redundancy, without those of CIs that the actor may not see.
func (f *RiskFactor) Groups(ctx context.Context) ([]*DependencyGroup, error) {
	return several(ctx, f.in, f, "groups", func(f *RiskFactor) []ident.ID { return f.Factor.Groups[:min(len(f.Factor.Groups), factorNames)] }, loadGroups)
}

// Paths returns the ways on which failure gets to some of the CIs.
func (f *RiskFactor) Paths(ctx context.Context) ([]*ImpactPath, error) {
	found, err := once(f.in, "paths", func() (map[*impact.Step]*ImpactPath, error) {
		var all [][]impact.Step
		for _, row := range f.in.Rows {
			all = append(all, row.Factor.Paths...)
		}
		shown, err := f.in.reader.showPaths(ctx, all)
		paths := make(map[*impact.Step]*ImpactPath, len(shown))
		for i, path := range shown {
			paths[&all[i][0]] = path
		}
		return paths, err
	})
	own := make([]*ImpactPath, 0, len(f.Factor.Paths))
	for _, steps := range f.Factor.Paths {
		if path := found[&steps[0]]; path != nil {
			own = append(own, path)
		}
	}
	return own, err
}

// Changes returns the first changes that the factor is about.
func (f *RiskFactor) Changes(ctx context.Context) ([]*Change, error) {
	return several(ctx, f.in, f, "changes", func(f *RiskFactor) []ident.ID { return f.Factor.Changes[:min(len(f.Factor.Changes), factorNames)] }, loadChanges)
}

// RiskWeight is what a factor counts.
type RiskWeight struct {
	Factor     domain.RiskFactor
	Most, Each int
}

// RiskWeights returns what the factors count.
func (r *Reader) RiskWeights(ctx context.Context) ([]*RiskWeight, error) {
	w, err := schedule.Weights(ctx, r.store.Show)
	return ShowRiskWeights(w), store.Translate(err)
}

// ShowRiskWeights lists weights in the order of the factors.
func ShowRiskWeights(w risk.Weights) []*RiskWeight {
	var all []*RiskWeight
	for _, kind := range domain.RiskFactor("").Values() {
		weight := w[domain.RiskFactor(kind)]
		all = append(all, &RiskWeight{domain.RiskFactor(kind), weight.Most, weight.Each})
	}
	return all
}
