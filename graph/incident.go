package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/present"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
)

func (r *mutationResolver) OpenIncident(ctx context.Context, input incident.Open) (*present.IncidentPayload, error) {
	return present.Record(r.r.read.ShowIncident)(r.r.Incident.Open(ctx, input))
}

func (r *mutationResolver) UpdateIncident(ctx context.Context, input incident.Update) (*present.IncidentPayload, error) {
	return present.Record(r.r.read.ShowIncident)(r.r.Incident.Update(ctx, input))
}

func (r *mutationResolver) AssignIncident(ctx context.Context, input incident.Assign) (*present.IncidentPayload, error) {
	return present.Record(r.r.read.ShowIncident)(r.r.Incident.Assign(ctx, input))
}

func (r *mutationResolver) SetIncidentCIS(ctx context.Context, input incident.SetCIs) (*present.IncidentPayload, error) {
	return present.Record(r.r.read.ShowIncident)(r.r.Incident.SetCIs(ctx, input))
}

func (r *mutationResolver) StartIncident(ctx context.Context, input incident.Start) (*present.IncidentPayload, error) {
	return present.Record(r.r.read.ShowIncident)(r.r.Incident.Start(ctx, input))
}

func (r *mutationResolver) HoldIncident(ctx context.Context, input incident.Hold) (*present.IncidentPayload, error) {
	return present.Record(r.r.read.ShowIncident)(r.r.Incident.Hold(ctx, input))
}

func (r *mutationResolver) ResolveIncident(ctx context.Context, input incident.Resolve) (*present.ResolvedIncidentPayload, error) {
	return present.ResolvedIncident(r.r.read)(r.r.Incident.Resolve(ctx, input))
}

func (r *mutationResolver) ReopenIncident(ctx context.Context, input incident.Reopen) (*present.IncidentPayload, error) {
	return present.Record(r.r.read.ShowIncident)(r.r.Incident.Reopen(ctx, input))
}

func (r *mutationResolver) CloseIncident(ctx context.Context, input incident.Close) (*present.IncidentPayload, error) {
	return present.Record(r.r.read.ShowIncident)(r.r.Incident.Close(ctx, input))
}

func (r *mutationResolver) CancelIncident(ctx context.Context, input incident.Cancel) (*present.IncidentPayload, error) {
	return present.Record(r.r.read.ShowIncident)(r.r.Incident.Cancel(ctx, input))
}

func (r *mutationResolver) CommentOnIncident(ctx context.Context, input incident.Comment) (*present.TimelineEntryPayload, error) {
	return present.Record(r.r.read.ShowTimelineEntry)(r.r.Incident.Comment(ctx, input))
}

func (r *mutationResolver) SetPriorityRule(ctx context.Context, input incident.SetPriority) (*present.PriorityRulePayload, error) {
	return present.Record(r.r.read.ShowPriorityRule)(r.r.Incident.SetPriority(ctx, input))
}

func (r *queryResolver) Incident(ctx context.Context, id ident.ID) (*read.Incident, error) {
	return r.r.read.Incident(ctx, id)
}

func (r *queryResolver) IncidentByNumber(ctx context.Context, number string) (*read.Incident, error) {
	return r.r.read.IncidentByNumber(ctx, number)
}

func (r *queryResolver) Incidents(ctx context.Context, filter *read.IncidentFilter, orderBy []*read.IncidentOrder, first *int, after *string, last *int, before *string) (*page.Connection[*read.Incident], error) {
	return r.r.read.Incidents(ctx, filter, orderBy, page.Args{First: first, After: after, Last: last, Before: before})
}

func (r *queryResolver) PriorityRules(ctx context.Context) ([]*read.PriorityRule, error) {
	return r.r.read.PriorityRules(ctx)
}
