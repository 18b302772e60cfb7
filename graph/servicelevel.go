package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/present"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/practice/servicelevel"
)

func (r *mutationResolver) CreateCalendar(ctx context.Context, input servicelevel.CreateCalendar) (*present.CalendarPayload, error) {
	record, err := r.r.ServiceLevel.CreateCalendar(ctx, input)
	return present.Calendar(r.r.read, record, err)
}

func (r *mutationResolver) UpdateCalendar(ctx context.Context, input servicelevel.UpdateCalendar) (*present.CalendarPayload, error) {
	record, err := r.r.ServiceLevel.UpdateCalendar(ctx, input)
	return present.Calendar(r.r.read, record, err)
}

func (r *mutationResolver) DeleteCalendar(ctx context.Context, input servicelevel.Delete) (*present.RemovedPayload, error) {
	id, err := r.r.ServiceLevel.DeleteCalendar(ctx, input)
	return present.Removed(r.r.read, id, err)
}

func (r *mutationResolver) CreateServiceLevelTarget(ctx context.Context, input servicelevel.CreateTarget) (*present.ServiceLevelTargetPayload, error) {
	record, err := r.r.ServiceLevel.CreateTarget(ctx, input)
	return present.ServiceLevelTarget(r.r.read, record, err)
}

func (r *mutationResolver) UpdateServiceLevelTarget(ctx context.Context, input servicelevel.UpdateTarget) (*present.ServiceLevelTargetPayload, error) {
	record, err := r.r.ServiceLevel.UpdateTarget(ctx, input)
	return present.ServiceLevelTarget(r.r.read, record, err)
}

func (r *mutationResolver) DeleteServiceLevelTarget(ctx context.Context, input servicelevel.Delete) (*present.RemovedPayload, error) {
	id, err := r.r.ServiceLevel.DeleteTarget(ctx, input)
	return present.Removed(r.r.read, id, err)
}

func (r *queryResolver) Calendars(ctx context.Context, first *int, after *string, last *int, before *string) (*read.Connection[*read.Calendar], error) {
	return r.r.read.Calendars(ctx, read.Page{First: first, After: after, Last: last, Before: before})
}

func (r *queryResolver) ServiceLevelTargets(ctx context.Context, first *int, after *string, last *int, before *string) (*read.Connection[*read.ServiceLevelTarget], error) {
	return r.r.read.ServiceLevelTargets(ctx, read.Page{First: first, After: after, Last: last, Before: before})
}
