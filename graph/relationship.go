package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/present"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
)

func (r *mutationResolver) RelateCIS(ctx context.Context, input cmdb.RelateCIs) (*present.RelationshipPayload, error) {
	return present.Record(r.r.read.ShowRelationship)(r.r.CMDB.RelateCIs(ctx, input))
}

func (r *mutationResolver) UpdateRelationship(ctx context.Context, input cmdb.UpdateRelationship) (*present.RelationshipPayload, error) {
	return present.Record(r.r.read.ShowRelationship)(r.r.CMDB.UpdateRelationship(ctx, input))
}

func (r *mutationResolver) UnrelateCIS(ctx context.Context, input cmdb.UnrelateCIs) (*present.DeletedPayload, error) {
	return present.Deleted(r.r.CMDB.UnrelateCIs(ctx, input))
}

func (r *mutationResolver) CreateDependencyGroup(ctx context.Context, input cmdb.CreateDependencyGroup) (*present.DependencyGroupPayload, error) {
	return present.Record(r.r.read.ShowDependencyGroup)(r.r.CMDB.CreateDependencyGroup(ctx, input))
}

func (r *mutationResolver) UpdateDependencyGroup(ctx context.Context, input cmdb.UpdateDependencyGroup) (*present.DependencyGroupPayload, error) {
	return present.Record(r.r.read.ShowDependencyGroup)(r.r.CMDB.UpdateDependencyGroup(ctx, input))
}

func (r *mutationResolver) DeleteDependencyGroup(ctx context.Context, input cmdb.DeleteDependencyGroup) (*present.DeletedPayload, error) {
	return present.Deleted(r.r.CMDB.DeleteDependencyGroup(ctx, input))
}

func (r *mutationResolver) CreateRelationshipType(ctx context.Context, input cmdb.CreateRelationshipType) (*present.RelationshipTypePayload, error) {
	return present.Record(r.r.read.ShowRelationshipType)(r.r.CMDB.CreateRelationshipType(ctx, input))
}

func (r *mutationResolver) UpdateRelationshipType(ctx context.Context, input cmdb.UpdateRelationshipType) (*present.RelationshipTypePayload, error) {
	return present.Record(r.r.read.ShowRelationshipType)(r.r.CMDB.UpdateRelationshipType(ctx, input))
}

func (r *queryResolver) RelationshipTypes(ctx context.Context, first *int, after *string, last *int, before *string) (*page.Connection[*read.RelationshipType], error) {
	return r.r.read.RelationshipTypes(ctx, page.Args{First: first, After: after, Last: last, Before: before})
}
