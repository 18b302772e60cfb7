package cmdb

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// The inputs of the verbs are the input types of schema/*.graphql, field by field; their meaning is said there.

// CreateCIInput is a new CI.
type CreateCIInput struct {
	Class string
	Name  string
	Fields
	Attributes       map[string]any
	Labels           map[string]any
	Owners           []OwnerInput
	ExternalIdentity *domain.ExternalKey
}

// OwnerInput is a team or a person, exactly one of them. The role is "owner" by default.
type OwnerInput struct {
	Team   *ident.ID
	Person *ident.ID
	Role   *string
}

// UpdateCIInput changes a CI: an absent field stays, null clears.
type UpdateCIInput struct {
	ID              ident.ID
	ExpectedVersion *int
	FieldsInput
	Attributes   graphql.Omittable[map[string]any]
	Labels       graphql.Omittable[map[string]any]
	UnlockFields graphql.Omittable[[]string]
}

// RetireCIInput names the CI to retire.
type RetireCIInput struct {
	ID              ident.ID
	ExpectedVersion *int
}

// SetOwnersInput is all owners of a CI, the primary one first.
type SetOwnersInput struct {
	ID              ident.ID
	ExpectedVersion *int
	Owners          []OwnerInput
}

// AddExternalIdentityInput is a key of a CI in another system.
type AddExternalIdentityInput struct {
	ID               ident.ID
	ExternalIdentity domain.ExternalKey
}

// CreateCIClassInput is a new class.
type CreateCIClassInput struct {
	Code            string
	Label           string
	Description     *string
	Parent          string
	IsAbstract      *bool
	Icon            *string
	AttributeSchema map[string]any
	IdentityRules   [][]string
}

// UpdateCIClassInput changes a class.
type UpdateCIClassInput struct {
	Code            string
	ExpectedVersion *int
	Label           graphql.Omittable[*string]
	Description     graphql.Omittable[*string]
	Icon            graphql.Omittable[*string]
	AttributeSchema graphql.Omittable[map[string]any]
	IdentityRules   graphql.Omittable[[][]string]
}

// RelateCIsInput is a new relationship.
type RelateCIsInput struct {
	Type       string
	Source     ident.ID
	Target     ident.ID
	Strength   *domain.Strength
	Attributes map[string]any
}

// UpdateRelationshipInput changes a relationship; a null strength means the type's.
type UpdateRelationshipInput struct {
	ID              ident.ID
	ExpectedVersion *int
	Strength        graphql.Omittable[*domain.Strength]
	Attributes      graphql.Omittable[map[string]any]
}

// UnrelateCIsInput names the relationship to remove.
type UnrelateCIsInput struct {
	ID              ident.ID
	ExpectedVersion *int
}

// GroupMemberInput is a relationship that is to count in a group, with its weight (1 by default).
type GroupMemberInput struct {
	Relationship ident.ID
	Weight       *int
}

// CreateDependencyGroupInput is a new group.
type CreateDependencyGroupInput struct {
	CI        ident.ID
	Name      string
	Mode      domain.GroupMode
	Threshold *int
	Members   []GroupMemberInput
}

// UpdateDependencyGroupInput changes a group; members are replaced as a whole.
type UpdateDependencyGroupInput struct {
	ID              ident.ID
	ExpectedVersion *int
	Name            graphql.Omittable[*string]
	Mode            graphql.Omittable[*domain.GroupMode]
	Threshold       graphql.Omittable[*int]
	Members         graphql.Omittable[[]GroupMemberInput]
}

// RemoveDependencyGroupInput names the group to remove.
type RemoveDependencyGroupInput struct {
	ID              ident.ID
	ExpectedVersion *int
}

// ClassPairInput is a pair of class codes.
type ClassPairInput struct {
	Source string
	Target string
}

// CreateRelationshipTypeInput is a new type.
type CreateRelationshipTypeInput struct {
	Code            string
	ForwardLabel    string
	ReverseLabel    string
	Description     *string
	ImpactDirection domain.ImpactDirection
	Strength        *domain.Strength
	IsContainment   *bool
	Cardinality     *domain.Cardinality
	AllowedPairs    []ClassPairInput
}

// UpdateRelationshipTypeInput changes a type.
type UpdateRelationshipTypeInput struct {
	Code            string
	ExpectedVersion *int
	ForwardLabel    graphql.Omittable[*string]
	ReverseLabel    graphql.Omittable[*string]
	Description     graphql.Omittable[*string]
	ImpactDirection graphql.Omittable[*domain.ImpactDirection]
	Strength        graphql.Omittable[*domain.Strength]
	AllowedPairs    graphql.Omittable[[]ClassPairInput]
}
