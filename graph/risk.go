package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/present"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/practice/schedule"
)

func (r *mutationResolver) SetRiskWeights(ctx context.Context, input schedule.SetWeights) (*present.RiskWeightsPayload, error) {
	return present.RiskWeights(r.r.Schedule.SetWeights(ctx, input))
}

func (r *queryResolver) RiskWeights(ctx context.Context) ([]*read.RiskWeight, error) {
	return r.r.read.RiskWeights(ctx)
}
