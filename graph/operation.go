package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/present"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
)

func (r *mutationResolver) PlanChangeOperations(ctx context.Context, input change.PlanOperations) (*present.ChangePayload, error) {
	record, err := r.r.Change.PlanOperations(ctx, input)
	return present.Change(r.r.read, record, err)
}

func (r *mutationResolver) DraftUndo(ctx context.Context, input change.DraftUndo) (*present.ChangePayload, error) {
	record, err := r.r.Change.DraftUndo(ctx, input)
	return present.Change(r.r.read, record, err)
}
