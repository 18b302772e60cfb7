package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

func (r *queryResolver) Impact(ctx context.Context, failed []*read.Failure, excluded []ident.ID, maxDepth *int, maxCIS *int, filter *read.ImpactFilter, facts read.Facts, asOf *read.AsOf) (*read.Impact, error) {
	return r.r.read.Impact(ctx, failed, excluded, maxDepth, maxCIS, filter, facts, asOf)
}

func (r *queryResolver) Path(ctx context.Context, from ident.ID, to ident.ID, asOf *read.AsOf) (*read.ImpactPath, error) {
	return r.r.read.Path(ctx, from, to, asOf)
}
