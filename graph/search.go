package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/read"
)

func (r *queryResolver) Search(ctx context.Context, query string, classes []string, first *int, after *string) (*read.SearchConnection, error) {
	return r.r.read.Search(ctx, query, classes, first, after)
}

func (r *queryResolver) SearchRecords(ctx context.Context, query string, types []read.SearchType, classes []string, first *int, after *string) (*read.FoundConnection, error) {
	return r.r.read.SearchRecords(ctx, query, types, classes, first, after)
}
