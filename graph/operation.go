package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/present"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
)

func (r *mutationResolver) PlanChangeOperations(ctx context.Context, input change.PlanOperations) (*present.ChangePayload, error) {
	return present.Record(r.r.read.ShowChange)(r.r.Change.PlanOperations(ctx, input))
}

func (r *mutationResolver) DraftUndo(ctx context.Context, input change.DraftUndo) (*present.ChangePayload, error) {
	return present.Record(r.r.read.ShowChange)(r.r.Change.DraftUndo(ctx, input))
}

func (r *mutationResolver) ApplyOperations(ctx context.Context, input change.ApplyOperations) (*present.ApplyOperationsPayload, error) {
	return present.Applied(r.r.read)(r.r.Change.ApplyOperations(ctx, input))
}
