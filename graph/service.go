package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/present"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/catalog"
)

func (r *mutationResolver) CreateService(ctx context.Context, input catalog.CreateService) (*present.ServicePayload, error) {
	return present.Record(r.r.read.ShowService)(r.r.Catalog.CreateService(ctx, input))
}

func (r *mutationResolver) UpdateService(ctx context.Context, input catalog.UpdateService) (*present.ServicePayload, error) {
	return present.Record(r.r.read.ShowService)(r.r.Catalog.UpdateService(ctx, input))
}

func (r *mutationResolver) CreateServiceTier(ctx context.Context, input catalog.CreateServiceTier) (*present.ServiceTierPayload, error) {
	return present.Record(r.r.read.ShowServiceTier)(r.r.Catalog.CreateServiceTier(ctx, input))
}

func (r *mutationResolver) UpdateServiceTier(ctx context.Context, input catalog.UpdateServiceTier) (*present.ServiceTierPayload, error) {
	return present.Record(r.r.read.ShowServiceTier)(r.r.Catalog.UpdateServiceTier(ctx, input))
}

func (r *queryResolver) Service(ctx context.Context, id ident.ID) (*read.Service, error) {
	return r.r.read.Service(ctx, id)
}

func (r *queryResolver) ServiceByName(ctx context.Context, name string, environment domain.Environment) (*read.Service, error) {
	return r.r.read.ServiceByName(ctx, name, environment)
}

func (r *queryResolver) Services(ctx context.Context, filter *read.ServiceFilter, orderBy []*read.CIOrder, first *int, after *string, last *int, before *string) (*page.Connection[*read.Service], error) {
	return r.r.read.Services(ctx, filter, orderBy, page.Args{First: first, After: after, Last: last, Before: before})
}

func (r *queryResolver) ServiceTiers(ctx context.Context) ([]*read.ServiceTier, error) {
	return r.r.read.ServiceTiers(ctx)
}
