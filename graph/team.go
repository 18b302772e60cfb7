package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/present"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/catalog"
)

func (r *mutationResolver) CreateTeam(ctx context.Context, input catalog.CreateTeam) (*present.TeamPayload, error) {
	return present.Record(r.r.read.ShowTeam)(r.r.Catalog.CreateTeam(ctx, input))
}

func (r *mutationResolver) UpdateTeam(ctx context.Context, input catalog.UpdateTeam) (*present.TeamPayload, error) {
	return present.Record(r.r.read.ShowTeam)(r.r.Catalog.UpdateTeam(ctx, input))
}

func (r *mutationResolver) AddTeamMember(ctx context.Context, input catalog.AddTeamMember) (*present.TeamPayload, error) {
	return present.Record(r.r.read.ShowTeam)(r.r.Catalog.AddTeamMember(ctx, input))
}

func (r *mutationResolver) RemoveTeamMember(ctx context.Context, input catalog.RemoveTeamMember) (*present.TeamPayload, error) {
	return present.Record(r.r.read.ShowTeam)(r.r.Catalog.RemoveTeamMember(ctx, input))
}

func (r *mutationResolver) CreatePerson(ctx context.Context, input catalog.CreatePerson) (*present.PersonPayload, error) {
	return present.Record(r.r.read.ShowPerson)(r.r.Catalog.CreatePerson(ctx, input))
}

func (r *mutationResolver) UpdatePerson(ctx context.Context, input catalog.UpdatePerson) (*present.PersonPayload, error) {
	return present.Record(r.r.read.ShowPerson)(r.r.Catalog.UpdatePerson(ctx, input))
}

func (r *queryResolver) Team(ctx context.Context, id ident.ID) (*read.Team, error) {
	return r.r.read.Team(ctx, id)
}

func (r *queryResolver) Person(ctx context.Context, id ident.ID) (*read.Person, error) {
	return r.r.read.Person(ctx, id)
}

func (r *queryResolver) Teams(ctx context.Context, filter *read.TeamFilter, first *int, after *string, last *int, before *string) (*page.Connection[*read.Team], error) {
	return r.r.read.Teams(ctx, filter, page.Args{First: first, After: after, Last: last, Before: before})
}

func (r *queryResolver) People(ctx context.Context, filter *read.PersonFilter, first *int, after *string, last *int, before *string) (*page.Connection[*read.Person], error) {
	return r.r.read.People(ctx, filter, page.Args{First: first, After: after, Last: last, Before: before})
}
