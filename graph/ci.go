package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/present"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
)

func (r *mutationResolver) CreateCI(ctx context.Context, input cmdb.CreateCI) (*present.CIPayload, error) {
	return present.Record(r.r.read.ShowCI)(r.r.CMDB.CreateCI(ctx, input))
}

func (r *mutationResolver) UpdateCI(ctx context.Context, input cmdb.UpdateCI) (*present.CIPayload, error) {
	return present.Record(r.r.read.ShowCI)(r.r.CMDB.UpdateCI(ctx, input))
}

func (r *mutationResolver) RetireCI(ctx context.Context, input cmdb.RetireCI) (*present.CIPayload, error) {
	return present.Record(r.r.read.ShowCI)(r.r.CMDB.RetireCI(ctx, input))
}

func (r *mutationResolver) SetOwners(ctx context.Context, input cmdb.SetOwners) (*present.CIPayload, error) {
	return present.Record(r.r.read.ShowCI)(r.r.CMDB.SetOwners(ctx, input))
}

func (r *mutationResolver) AddExternalIdentity(ctx context.Context, input cmdb.AddExternalIdentity) (*present.CIPayload, error) {
	return present.Record(r.r.read.ShowCI)(r.r.CMDB.AddExternalIdentity(ctx, input))
}

func (r *queryResolver) CI(ctx context.Context, id ident.ID) (*read.CI, error) {
	return r.r.read.CI(ctx, id)
}

func (r *queryResolver) CIByExternalID(ctx context.Context, source string, externalID string) (*read.CI, error) {
	return r.r.read.CIByExternalID(ctx, source, externalID)
}

func (r *queryResolver) CIS(ctx context.Context, filter *read.CIFilter, orderBy []*read.CIOrder, first *int, after *string, last *int, before *string) (*page.Connection[*read.CI], error) {
	return r.r.read.CIs(ctx, filter, orderBy, page.Args{First: first, After: after, Last: last, Before: before})
}

func (r *queryResolver) DanglingReferences(ctx context.Context, filter *read.DanglingReferenceFilter, first *int, after *string, last *int, before *string) (*page.Connection[*read.DanglingReference], error) {
	return r.r.read.DanglingReferences(ctx, filter, page.Args{First: first, After: after, Last: last, Before: before})
}
