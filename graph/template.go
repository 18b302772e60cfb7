package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/present"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
)

func (r *mutationResolver) CreateChangeTemplate(ctx context.Context, input change.CreateTemplate) (*present.ChangeTemplatePayload, error) {
	record, err := r.r.Change.CreateTemplate(ctx, input)
	return present.ChangeTemplate(r.r.read, record, err)
}

func (r *mutationResolver) UpdateChangeTemplate(ctx context.Context, input change.UpdateTemplate) (*present.ChangeTemplatePayload, error) {
	record, err := r.r.Change.UpdateTemplate(ctx, input)
	return present.ChangeTemplate(r.r.read, record, err)
}

func (r *mutationResolver) RetireChangeTemplate(ctx context.Context, input change.RetireTemplate) (*present.ChangeTemplatePayload, error) {
	record, err := r.r.Change.RetireTemplate(ctx, input)
	return present.ChangeTemplate(r.r.read, record, err)
}

func (r *queryResolver) ChangeTemplates(ctx context.Context, isRetired *bool, first *int, after *string, last *int, before *string) (*read.Connection[*read.ChangeTemplate], error) {
	return r.r.read.ChangeTemplates(ctx, isRetired, read.Page{First: first, After: after, Last: last, Before: before})
}
