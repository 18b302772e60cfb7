package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/present"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
)

func (r *mutationResolver) DraftChange(ctx context.Context, input change.Draft) (*present.ChangePayload, error) {
	return present.Record(r.r.read.ShowChange)(r.r.Change.Draft(ctx, input))
}

func (r *mutationResolver) UpdateChange(ctx context.Context, input change.Update) (*present.ChangePayload, error) {
	return present.Record(r.r.read.ShowChange)(r.r.Change.Update(ctx, input))
}

func (r *mutationResolver) AssessChange(ctx context.Context, input change.Assess) (*present.ChangePayload, error) {
	return present.Record(r.r.read.ShowChange)(r.r.Change.Assess(ctx, input))
}

func (r *mutationResolver) RequestChangeApproval(ctx context.Context, input change.RequestApproval) (*present.ChangePayload, error) {
	return present.Record(r.r.read.ShowChange)(r.r.Change.RequestApproval(ctx, input))
}

func (r *mutationResolver) ApproveChange(ctx context.Context, input change.Approve) (*present.ChangePayload, error) {
	return present.Record(r.r.read.ShowChange)(r.r.Change.Approve(ctx, input))
}

func (r *mutationResolver) RejectChange(ctx context.Context, input change.Reject) (*present.ChangePayload, error) {
	return present.Record(r.r.read.ShowChange)(r.r.Change.Reject(ctx, input))
}

func (r *mutationResolver) ScheduleChange(ctx context.Context, input change.Schedule) (*present.ChangePayload, error) {
	return present.Record(r.r.read.ShowChange)(r.r.Change.Schedule(ctx, input))
}

func (r *mutationResolver) StartChange(ctx context.Context, input change.Start) (*present.ChangePayload, error) {
	return present.Record(r.r.read.ShowChange)(r.r.Change.Start(ctx, input))
}

func (r *mutationResolver) ReviewChange(ctx context.Context, input change.Review) (*present.ChangePayload, error) {
	return present.Record(r.r.read.ShowChange)(r.r.Change.Review(ctx, input))
}

func (r *mutationResolver) CloseChange(ctx context.Context, input change.Close) (*present.ChangePayload, error) {
	return present.Record(r.r.read.ShowChange)(r.r.Change.Close(ctx, input))
}

func (r *mutationResolver) CancelChange(ctx context.Context, input change.Cancel) (*present.ChangePayload, error) {
	return present.Record(r.r.read.ShowChange)(r.r.Change.Cancel(ctx, input))
}

func (r *mutationResolver) ReturnChange(ctx context.Context, input change.Return) (*present.ChangePayload, error) {
	return present.Record(r.r.read.ShowChange)(r.r.Change.Return(ctx, input))
}

func (r *mutationResolver) CommentOnChange(ctx context.Context, input change.Comment) (*present.TimelineEntryPayload, error) {
	return present.Record(r.r.read.ShowTimelineEntry)(r.r.Change.Comment(ctx, input))
}

func (r *queryResolver) Change(ctx context.Context, id ident.ID) (*read.Change, error) {
	return r.r.read.Change(ctx, id)
}

func (r *queryResolver) ChangeByNumber(ctx context.Context, number string) (*read.Change, error) {
	return r.r.read.ChangeByNumber(ctx, number)
}

func (r *queryResolver) Changes(ctx context.Context, filter *read.ChangeFilter, orderBy []*read.ChangeOrder, first *int, after *string, last *int, before *string) (*page.Connection[*read.Change], error) {
	return r.r.read.Changes(ctx, filter, orderBy, page.Args{First: first, After: after, Last: last, Before: before})
}
