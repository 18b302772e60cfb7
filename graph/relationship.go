package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/present"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
)

func (r *mutationResolver) RelateCIS(ctx context.Context, input cmdb.RelateCIsInput) (*present.RelationshipPayload, error) {
	record, err := r.r.CMDB.RelateCIs(ctx, input)
	return present.Relationship(r.r.read, record, err)
}

func (r *mutationResolver) UpdateRelationship(ctx context.Context, input cmdb.UpdateRelationshipInput) (*present.RelationshipPayload, error) {
	record, err := r.r.CMDB.UpdateRelationship(ctx, input)
	return present.Relationship(r.r.read, record, err)
}

func (r *mutationResolver) UnrelateCIS(ctx context.Context, input cmdb.UnrelateCIsInput) (*present.RemovedPayload, error) {
	record, err := r.r.CMDB.UnrelateCIs(ctx, input)
	return present.Removed(r.r.read, record, err)
}

func (r *mutationResolver) CreateDependencyGroup(ctx context.Context, input cmdb.CreateDependencyGroupInput) (*present.DependencyGroupPayload, error) {
	record, err := r.r.CMDB.CreateDependencyGroup(ctx, input)
	return present.DependencyGroup(r.r.read, record, err)
}

func (r *mutationResolver) UpdateDependencyGroup(ctx context.Context, input cmdb.UpdateDependencyGroupInput) (*present.DependencyGroupPayload, error) {
	record, err := r.r.CMDB.UpdateDependencyGroup(ctx, input)
	return present.DependencyGroup(r.r.read, record, err)
}

func (r *mutationResolver) RemoveDependencyGroup(ctx context.Context, input cmdb.RemoveDependencyGroupInput) (*present.RemovedPayload, error) {
	record, err := r.r.CMDB.RemoveDependencyGroup(ctx, input)
	return present.Removed(r.r.read, record, err)
}

func (r *mutationResolver) CreateRelationshipType(ctx context.Context, input cmdb.CreateRelationshipTypeInput) (*present.RelationshipTypePayload, error) {
	record, err := r.r.CMDB.CreateRelationshipType(ctx, input)
	return present.RelationshipType(r.r.read, record, err)
}

func (r *mutationResolver) UpdateRelationshipType(ctx context.Context, input cmdb.UpdateRelationshipTypeInput) (*present.RelationshipTypePayload, error) {
	record, err := r.r.CMDB.UpdateRelationshipType(ctx, input)
	return present.RelationshipType(r.r.read, record, err)
}

func (r *queryResolver) RelationshipTypes(ctx context.Context, first *int, after *string, last *int, before *string) (*read.Connection[*read.RelationshipType], error) {
	return r.r.read.RelationshipTypes(ctx, read.Page{First: first, After: after, Last: last, Before: before})
}
