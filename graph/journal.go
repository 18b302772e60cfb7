package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
)

func (r *queryResolver) Revision(ctx context.Context) (int64, error) {
	return r.r.read.Revision(ctx)
}

func (r *queryResolver) Journal(ctx context.Context, afterRevision *int64, afterToken *domain.RevisionToken, first *int, after *string, last *int, before *string) (*page.Connection[*read.Entry], error) {
	return r.r.read.Journal(ctx, afterRevision, afterToken, page.Args{First: first, After: after, Last: last, Before: before})
}

func (r *queryResolver) JournalCheckpoint(ctx context.Context) (*read.JournalCheckpoint, error) {
	return r.r.read.JournalCheckpoint(ctx)
}
