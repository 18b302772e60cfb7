package catalog

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
)

// The inputs of the verbs are the input types of schema/*.graphql, field by field; their meaning is said there.

// ServiceLink is a link of a service.
type ServiceLink struct {
	Kind  domain.LinkKind
	Title string
	URL   string
}

// CreateService is a new service.
type CreateService struct {
	Kind domain.ServiceKind
	Name string
	cmdb.Fields
	Tier               *string
	PortfolioStage     *domain.PortfolioStage
	Category           *string
	Links              []ServiceLink
	SupportTeam        *ident.ID
	AvailabilityTarget *float64
	Labels             []domain.LabelInput
	Owners             []cmdb.Owner
	ExternalIdentity   *domain.ExternalKey
	AcceptConsequences *domain.Consent
}

// UpdateService changes a service: an absent field stays, null clears.
type UpdateService struct {
	ID              ident.ID
	ExpectedVersion *int
	cmdb.FieldsInput
	Tier               graphql.Omittable[*string]
	PortfolioStage     graphql.Omittable[*domain.PortfolioStage]
	Category           graphql.Omittable[*string]
	Links              graphql.Omittable[[]ServiceLink]
	SupportTeam        graphql.Omittable[*ident.ID]
	AvailabilityTarget graphql.Omittable[*float64]
	Labels             graphql.Omittable[[]domain.LabelInput]
	AcceptConsequences *domain.Consent
}

// CreateServiceTier is a new tier.
type CreateServiceTier struct {
	Code        string
	Name        string
	Rank        int
	Description *string
}

// UpdateServiceTier renames or moves a tier.
type UpdateServiceTier struct {
	Code            string
	ExpectedVersion *int
	Name            graphql.Omittable[*string]
	Rank            graphql.Omittable[*int]
	Description     graphql.Omittable[*string]
}

// CreateTeam is a new team.
type CreateTeam struct {
	Name        string
	Description *string
	Email       *string
	Parent      *ident.ID
}

// UpdateTeam changes a team.
type UpdateTeam struct {
	ID              ident.ID
	ExpectedVersion *int
	Name            graphql.Omittable[*string]
	Description     graphql.Omittable[*string]
	Email           graphql.Omittable[*string]
	Parent          graphql.Omittable[*ident.ID]
}

// AddTeamMember says who joins what.
type AddTeamMember struct {
	Team   ident.ID
	Person ident.ID
}

// RemoveTeamMember says who leaves what.
type RemoveTeamMember struct {
	Team   ident.ID
	Person ident.ID
}

// CreatePerson is a new person.
type CreatePerson struct {
	Name  string
	Email *string
}

// UpdatePerson changes a person.
type UpdatePerson struct {
	ID              ident.ID
	ExpectedVersion *int
	Name            graphql.Omittable[*string]
	Email           graphql.Omittable[*string]
}
