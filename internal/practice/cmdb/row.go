package cmdb

import (
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// NewCI is a CI to create.
type NewCI struct {
	Class string
	Fields
	Attributes map[string]any
	Labels     map[string]string
	// Service is what a CI of a service class adds; nil takes the defaults. On any other class it is refused.
	Service *ServiceFacet
}

// ServiceFacet is what a service has beside its CI. Empty fields take their defaults.
type ServiceFacet struct {
	Tier               string // code
	PortfolioStage     domain.PortfolioStage
	Category           string
	Links              []domain.Link
	SupportTeam        ident.ID
	AvailabilityTarget *float64
}

// CIChange is a change to a CI. A nil field stays.
type CIChange struct {
	ID              ident.ID
	ExpectedVersion *int
	Fields
	// Attributes and Labels are merged into what there is; a nil value removes one. ReplaceAttributes and
	// ReplaceLabels drop what was there first.
	Attributes        map[string]any
	Labels            map[string]*string
	ReplaceAttributes bool
	ReplaceLabels     bool
	Service           *ServiceChange
	// Restores brings back what was: any move of the lifecycle goes.
	Restores bool
}

// ServiceChange is a change to what a service has beside its CI. A nil field stays.
type ServiceChange struct {
	Tier               *string // code; empty clears
	PortfolioStage     *domain.PortfolioStage
	Category           *string
	Links              *[]domain.Link
	SupportTeam        *ident.ID // 0 clears
	AvailabilityTarget **float64 // nil clears
}

// OwnerSet is all owners of a CI, the primary one first.
type OwnerSet struct {
	CI     ident.ID
	Owners []NewOwner
}

// NewOwner is an owner: Of is a team's or a person's id. An empty role is "owner".
type NewOwner struct {
	Of   ident.ID
	Role string
}

// NewIdentity is a key of a CI, a team or a person in another system.
type NewIdentity struct {
	Record ident.ID
	Key    domain.ExternalKey
}

// Dangling is a reference of Record to something that nobody has reported yet.
type Dangling struct {
	Record ident.ID
	Key    domain.ExternalKey // of what is missing
	Kind   domain.DanglingKind
	Detail string // the relationship type's code, or the owner's role
	// IsReverse means that the relationship would lead from what is missing to Record.
	IsReverse bool
	Strength  *domain.Strength
	Evidence  string
}

// NewRelationship is a relationship to create.
type NewRelationship struct {
	Type       string // code
	Source     ident.ID
	Target     ident.ID
	Strength   *domain.Strength // nil for the type's
	Attributes map[string]any
	ReportedBy string // "manual" when empty
	Evidence   string
	Restores   ident.ID // the id it had before it was removed; 0 for a new one
}

// RelationshipChange is a change to a relationship. A nil field stays.
type RelationshipChange struct {
	ID                ident.ID
	ExpectedVersion   *int
	Strength          **domain.Strength // a nil strength means the type's
	Attributes        map[string]any    // merged; a nil value removes one
	ReplaceAttributes bool
	Evidence          *string
}

// NewGroup is a dependency group to create.
type NewGroup struct {
	CI        ident.ID
	Name      string
	Mode      domain.GroupMode
	Threshold int
	Members   []domain.GroupMember // a weight of 0 counts as 1
	Restores  ident.ID             // the id it had before it was removed; 0 for a new one
}

// GroupChange is a change to a dependency group. A nil field stays; members are replaced as a whole.
type GroupChange struct {
	ID              ident.ID
	ExpectedVersion *int
	Name            *string
	Mode            *domain.GroupMode
	Threshold       *int
	Members         []domain.GroupMember
	// Restores brings back what was: a threshold may exceed what the members add up to.
	Restores bool
}
