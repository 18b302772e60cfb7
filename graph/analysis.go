package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

func (r *queryResolver) SinglePointsOfFailure(ctx context.Context, tiers []string, overlay *read.Overlay, facts read.Facts, filter *read.ImpactFilter, first *int, after *string, last *int, before *string) (*page.Connection[*read.SinglePoint], error) {
	return r.r.read.SinglePointsOfFailure(ctx, tiers, overlay, facts, filter, page.Args{First: first, After: after, Last: last, Before: before})
}

func (r *queryResolver) CommonCauses(ctx context.Context, groups []ident.ID, overlay *read.Overlay, facts read.Facts, first *int, after *string, last *int, before *string) (*page.Connection[*read.SharedGroup], error) {
	return r.r.read.CommonCauses(ctx, groups, overlay, facts, page.Args{First: first, After: after, Last: last, Before: before})
}

func (r *queryResolver) Paths(ctx context.Context, from ident.ID, to ident.ID, first int, asOf *read.AsOf) ([]*read.ImpactPath, error) {
	return r.r.read.Paths(ctx, from, to, first, asOf)
}

func (r *queryResolver) RootCauseCandidates(ctx context.Context, seen []*read.Failure, healthy []ident.ID, facts read.Facts, first *int, after *string, last *int, before *string) (*page.Connection[*read.RootCauseCandidate], error) {
	return r.r.read.RootCauseCandidates(ctx, seen, healthy, facts, page.Args{First: first, After: after, Last: last, Before: before})
}

func (r *queryResolver) WhatIf(ctx context.Context, overlay read.Overlay, filter *read.ImpactFilter, facts read.Facts, asOf *read.AsOf) (*read.Impact, error) {
	return r.r.read.WhatIf(ctx, overlay, filter, facts, asOf)
}
