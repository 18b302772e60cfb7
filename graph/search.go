package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/read"
)

func (r *queryResolver) Search(ctx context.Context, query string, classes []string, first *int, after *string) (*read.SearchConnection, error) {
	return r.r.read.Search(ctx, query, classes, first, after)
}
