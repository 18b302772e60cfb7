package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/present"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/source"
)

func (r *queryResolver) Source(ctx context.Context, code string) (*read.Source, error) {
	return r.r.read.Source(ctx, code)
}

func (r *queryResolver) Sources(ctx context.Context) ([]*read.Source, error) {
	return r.r.read.Sources(ctx)
}

func (r *queryResolver) ImportRun(ctx context.Context, id ident.ID) (*read.ImportRun, error) {
	return r.r.read.ImportRun(ctx, id)
}

func (r *queryResolver) ImportRuns(ctx context.Context, filter *read.ImportRunFilter, first *int, after *string, last *int, before *string) (*page.Connection[*read.ImportRun], error) {
	return r.r.read.ImportRuns(ctx, filter, page.Args{First: first, After: after, Last: last, Before: before})
}

func (r *queryResolver) Drift(ctx context.Context, kinds []importer.DriftKind, source, class *string, service, ownerTeam *ident.ID, first *int, after *string) (*page.Connection[*read.Drift], error) {
	return r.r.read.Drift(ctx, read.DriftQuery{Kinds: kinds, Source: source, Class: class, Service: service, OwnerTeam: ownerTeam}, first, after)
}

func (r *mutationResolver) SetSource(ctx context.Context, input source.Set) (*present.SourcePayload, error) {
	return present.Record(r.r.read.ShowSource)(r.r.Source.Set(ctx, input))
}

func (r *mutationResolver) LockField(ctx context.Context, input cmdb.LockField) (*present.CIPayload, error) {
	return present.Record(r.r.read.ShowCI)(r.r.CMDB.LockField(ctx, input))
}

func (r *mutationResolver) ReleaseField(ctx context.Context, input importer.ReleaseField) (*present.CIPayload, error) {
	return present.Record(r.r.read.ShowCI)(r.r.Import.ReleaseField(ctx, input))
}

func (r *mutationResolver) ApplyRun(ctx context.Context, input importer.RunNamed) (*present.ImportRunPayload, error) {
	return present.Record(r.r.read.ShowRun)(r.r.Import.ApplyRun(ctx, input))
}

func (r *mutationResolver) ApproveRun(ctx context.Context, input importer.ApproveRunInput) (*present.ImportRunPayload, error) {
	return present.Record(r.r.read.ShowRun)(r.r.Import.ApproveRun(ctx, input))
}

func (r *mutationResolver) DiscardRun(ctx context.Context, input importer.RunNamed) (*present.ImportRunPayload, error) {
	return present.Record(r.r.read.ShowRun)(r.r.Import.DiscardRun(ctx, input))
}
