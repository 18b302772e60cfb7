package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/present"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
)

func (r *mutationResolver) CreateChangeTemplate(ctx context.Context, input change.CreateTemplate) (*present.ChangeTemplatePayload, error) {
	return present.Record(r.r.read.ShowChangeTemplate)(r.r.Change.CreateTemplate(ctx, input))
}

func (r *mutationResolver) UpdateChangeTemplate(ctx context.Context, input change.UpdateTemplate) (*present.ChangeTemplatePayload, error) {
	return present.Record(r.r.read.ShowChangeTemplate)(r.r.Change.UpdateTemplate(ctx, input))
}

func (r *mutationResolver) RetireChangeTemplate(ctx context.Context, input change.RetireTemplate) (*present.ChangeTemplatePayload, error) {
	return present.Record(r.r.read.ShowChangeTemplate)(r.r.Change.RetireTemplate(ctx, input))
}

func (r *queryResolver) ChangeTemplates(ctx context.Context, filter *read.ChangeTemplateFilter, first *int, after *string, last *int, before *string) (*page.Connection[*read.ChangeTemplate], error) {
	return r.r.read.ChangeTemplates(ctx, filter, page.Args{First: first, After: after, Last: last, Before: before})
}
