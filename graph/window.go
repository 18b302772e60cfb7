package graph

import (
	"context"
	"time"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/present"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/schedule"
)

func (r *mutationResolver) CreateChangeWindow(ctx context.Context, input schedule.CreateWindow) (*present.ChangeWindowPayload, error) {
	return present.Record(r.r.read.ShowWindow)(r.r.Schedule.CreateWindow(ctx, input))
}

func (r *mutationResolver) UpdateChangeWindow(ctx context.Context, input schedule.UpdateWindow) (*present.ChangeWindowPayload, error) {
	return present.Record(r.r.read.ShowWindow)(r.r.Schedule.UpdateWindow(ctx, input))
}

func (r *mutationResolver) DeleteChangeWindow(ctx context.Context, input schedule.DeleteWindow) (*present.DeletedPayload, error) {
	return present.Deleted(r.r.Schedule.DeleteWindow(ctx, input))
}

func (r *queryResolver) ChangeWindow(ctx context.Context, id ident.ID) (*read.ChangeWindow, error) {
	return r.r.read.ChangeWindow(ctx, id)
}

func (r *queryResolver) ChangeWindows(ctx context.Context, filter *read.ChangeWindowFilter, first *int, after *string, last *int, before *string) (*page.Connection[*read.ChangeWindow], error) {
	return r.r.read.ChangeWindows(ctx, filter, page.Args{First: first, After: after, Last: last, Before: before})
}

func (r *queryResolver) ChangeCalendar(ctx context.Context, from time.Time, to time.Time, filter *read.CalendarFilter, first *int, after *string, last *int, before *string) (*page.Connection[*read.CalendarEntry], error) {
	return r.r.read.ChangeCalendar(ctx, from, to, filter, page.Args{First: first, After: after, Last: last, Before: before})
}
