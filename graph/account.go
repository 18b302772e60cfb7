package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/graph/where"
)

func (r *queryResolver) Accounts(ctx context.Context, name *where.Text, first *int, after *string, last *int, before *string) (*page.Connection[*read.Account], error) {
	return r.r.read.Accounts(ctx, name, page.Args{First: first, After: after, Last: last, Before: before})
}
