package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/exec"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

func (r *subscriptionResolver) Journal(ctx context.Context, after *int64, afterToken *domain.RevisionToken, ids []ident.ID) (<-chan *read.JournalEvent, error) {
	return r.r.read.JournalEvents(ctx, after, afterToken, ids)
}

func (r *subscriptionResolver) CIChanged(ctx context.Context, after *int64, afterToken *domain.RevisionToken, ids []ident.ID) (<-chan *read.CIEvent, error) {
	return r.r.read.CIEvents(ctx, after, afterToken, ids)
}

func (r *subscriptionResolver) ServiceStateChanged(ctx context.Context, after *int64, afterToken *domain.RevisionToken, ids []ident.ID) (<-chan *read.ServiceStateEvent, error) {
	return r.r.read.ServiceStateEvents(ctx, after, afterToken, ids)
}

func (r *subscriptionResolver) IncidentChanged(ctx context.Context, after *int64, afterToken *domain.RevisionToken, ids []ident.ID) (<-chan *read.IncidentEvent, error) {
	return r.r.read.IncidentEvents(ctx, after, afterToken, ids)
}

func (r *subscriptionResolver) ChangeChanged(ctx context.Context, after *int64, afterToken *domain.RevisionToken, ids []ident.ID) (<-chan *read.ChangeEvent, error) {
	return r.r.read.ChangeEvents(ctx, after, afterToken, ids)
}

func (r *Resolver) Subscription() exec.SubscriptionResolver { return &subscriptionResolver{r} }

type subscriptionResolver struct{ r *Resolver }
