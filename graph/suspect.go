package graph

import (
	"context"
	"time"

	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

func (r *queryResolver) SuspectChanges(ctx context.Context, cis []ident.ID, at *time.Time, hours int, first int) ([]*read.SuspectChange, error) {
	return r.r.read.SuspectChanges(ctx, cis, at, hours, first)
}
