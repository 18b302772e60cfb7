package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/exec"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

func (r *queryResolver) Node(ctx context.Context, id ident.ID) (read.Node, error) {
	return r.r.read.Node(ctx, id)
}

func (r *queryResolver) Nodes(ctx context.Context, ids []ident.ID) ([]read.Node, error) {
	return r.r.read.Nodes(ctx, ids)
}

func (r *queryResolver) Viewer(ctx context.Context) (*read.Viewer, error) {
	return r.r.read.Viewer(ctx), nil
}

func (r *Resolver) Mutation() exec.MutationResolver { return &mutationResolver{r} }

func (r *Resolver) Query() exec.QueryResolver { return &queryResolver{r} }

type (
	mutationResolver struct{ r *Resolver }
	queryResolver    struct{ r *Resolver }
)
