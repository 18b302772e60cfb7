package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/present"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/practice/servicelevel"
)

func (r *mutationResolver) CreateCalendar(ctx context.Context, input servicelevel.CreateCalendar) (*present.CalendarPayload, error) {
	return present.Record(r.r.read.ShowCalendar)(r.r.ServiceLevel.CreateCalendar(ctx, input))
}

func (r *mutationResolver) UpdateCalendar(ctx context.Context, input servicelevel.UpdateCalendar) (*present.CalendarPayload, error) {
	return present.Record(r.r.read.ShowCalendar)(r.r.ServiceLevel.UpdateCalendar(ctx, input))
}

func (r *mutationResolver) DeleteCalendar(ctx context.Context, input servicelevel.Delete) (*present.DeletedPayload, error) {
	return present.Deleted(r.r.ServiceLevel.DeleteCalendar(ctx, input))
}

func (r *mutationResolver) CreateServiceLevelTarget(ctx context.Context, input servicelevel.CreateTarget) (*present.ServiceLevelTargetPayload, error) {
	return present.Record(r.r.read.ShowServiceLevelTarget)(r.r.ServiceLevel.CreateTarget(ctx, input))
}

func (r *mutationResolver) UpdateServiceLevelTarget(ctx context.Context, input servicelevel.UpdateTarget) (*present.ServiceLevelTargetPayload, error) {
	return present.Record(r.r.read.ShowServiceLevelTarget)(r.r.ServiceLevel.UpdateTarget(ctx, input))
}

func (r *mutationResolver) DeleteServiceLevelTarget(ctx context.Context, input servicelevel.Delete) (*present.DeletedPayload, error) {
	return present.Deleted(r.r.ServiceLevel.DeleteTarget(ctx, input))
}

func (r *queryResolver) Calendars(ctx context.Context, first *int, after *string, last *int, before *string) (*page.Connection[*read.Calendar], error) {
	return r.r.read.Calendars(ctx, page.Args{First: first, After: after, Last: last, Before: before})
}

func (r *queryResolver) ServiceLevelTargets(ctx context.Context, first *int, after *string, last *int, before *string) (*page.Connection[*read.ServiceLevelTarget], error) {
	return r.r.read.ServiceLevelTargets(ctx, page.Args{First: first, After: after, Last: last, Before: before})
}
