package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/schema"
)

func (r *queryResolver) Subgraph(context.Context) (schema.Service, error) {
	return schema.Subgraph()
}

func (r *queryResolver) Entities(ctx context.Context, representations []read.Representation) ([]read.Entity, error) {
	return r.r.read.Entities(ctx, representations)
}
