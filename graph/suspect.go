package graph

import (
	"context"
	"time"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

func (r *queryResolver) SuspectChanges(ctx context.Context, cis []ident.ID, at *time.Time, within time.Duration, first *int, after *string, last *int, before *string) (*page.Connection[*read.SuspectChange], error) {
	return r.r.read.SuspectChanges(ctx, cis, at, within, page.Args{First: first, After: after, Last: last, Before: before})
}
