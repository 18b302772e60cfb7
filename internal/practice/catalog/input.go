package catalog

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
)

// The inputs of the verbs are the input types of schema/*.graphql, field by field; their meaning is said there.

// ServiceLinkInput is a link of a service.
type ServiceLinkInput struct {
	Kind  domain.LinkKind
	Title string
	URL   string
}

// CreateServiceInput is a new service.
type CreateServiceInput struct {
	Kind domain.ServiceKind
	Name string
	cmdb.Fields
	Tier               *string
	PortfolioStage     *domain.PortfolioStage
	Category           *string
	Links              []ServiceLinkInput
	SupportTeam        *ident.ID
	AvailabilityTarget *float64
	Labels             map[string]any
	Owners             []cmdb.OwnerInput
	ExternalIdentity   *domain.ExternalKey
}

// UpdateServiceInput changes a service: an absent field stays, null clears.
type UpdateServiceInput struct {
	ID              ident.ID
	ExpectedVersion *int
	cmdb.FieldsInput
	Tier               graphql.Omittable[*string]
	PortfolioStage     graphql.Omittable[*domain.PortfolioStage]
	Category           graphql.Omittable[*string]
	Links              graphql.Omittable[[]ServiceLinkInput]
	SupportTeam        graphql.Omittable[*ident.ID]
	AvailabilityTarget graphql.Omittable[*float64]
	Labels             graphql.Omittable[map[string]any]
}

// CreateServiceTierInput is a new tier.
type CreateServiceTierInput struct {
	Code        string
	Name        string
	Rank        int
	Description *string
}

// UpdateServiceTierInput renames or moves a tier.
type UpdateServiceTierInput struct {
	Code            string
	ExpectedVersion *int
	Name            graphql.Omittable[*string]
	Rank            graphql.Omittable[*int]
	Description     graphql.Omittable[*string]
}

// CreateTeamInput is a new team.
type CreateTeamInput struct {
	Name        string
	Description *string
	Email       *string
	Parent      *ident.ID
}

// UpdateTeamInput changes a team.
type UpdateTeamInput struct {
	ID              ident.ID
	ExpectedVersion *int
	Name            graphql.Omittable[*string]
	Description     graphql.Omittable[*string]
	Email           graphql.Omittable[*string]
	Parent          graphql.Omittable[*ident.ID]
}

// AddTeamMemberInput says who joins what.
type AddTeamMemberInput struct {
	Team   ident.ID
	Person ident.ID
}

// RemoveTeamMemberInput says who leaves what.
type RemoveTeamMemberInput struct {
	Team   ident.ID
	Person ident.ID
}

// CreatePersonInput is a new person.
type CreatePersonInput struct {
	Name  string
	Email *string
}

// UpdatePersonInput changes a person.
type UpdatePersonInput struct {
	ID              ident.ID
	ExpectedVersion *int
	Name            graphql.Omittable[*string]
	Email           graphql.Omittable[*string]
}
