package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/present"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
)

func (r *mutationResolver) CreateCIClass(ctx context.Context, input cmdb.CreateCIClass) (*present.CIClassPayload, error) {
	return present.Record(r.r.read.ShowCIClass)(r.r.CMDB.CreateCIClass(ctx, input))
}

func (r *mutationResolver) UpdateCIClass(ctx context.Context, input cmdb.UpdateCIClass) (*present.CIClassPayload, error) {
	return present.Record(r.r.read.ShowCIClass)(r.r.CMDB.UpdateCIClass(ctx, input))
}

func (r *queryResolver) CIClass(ctx context.Context, code string) (*read.CIClass, error) {
	return r.r.read.CIClass(ctx, code)
}

func (r *queryResolver) CIClasses(ctx context.Context, first *int, after *string, last *int, before *string) (*page.Connection[*read.CIClass], error) {
	return r.r.read.CIClasses(ctx, page.Args{First: first, After: after, Last: last, Before: before})
}
