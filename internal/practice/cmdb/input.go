package cmdb

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// The inputs of the verbs are the input types of schema/*.graphql, field by field; their meaning is said there.

// CreateCI is a new CI.
type CreateCI struct {
	Class string
	Name  string
	Fields
	Attributes         map[string]any
	Labels             []domain.LabelInput
	Owners             []Owner
	ExternalIdentity   *domain.ExternalKey
	AcceptConsequences *domain.Consent
}

// Owner is a team or a person, exactly one of them. The role is "owner" by default.
type Owner struct {
	Team   *ident.ID
	Person *ident.ID
	Role   *string
}

// UpdateCI changes a CI: an absent field stays, null clears.
type UpdateCI struct {
	ID              ident.ID
	ExpectedVersion *int
	FieldsInput
	Attributes         graphql.Omittable[map[string]any]
	Labels             graphql.Omittable[[]domain.LabelInput]
	UnlockFields       graphql.Omittable[[]string]
	AcceptConsequences *domain.Consent
}

// RetireCI names the CI to retire.
type RetireCI struct {
	ID                 ident.ID
	ExpectedVersion    *int
	AcceptConsequences *domain.Consent
}

// SetOwners is all owners of a CI, the primary one first.
type SetOwners struct {
	ID              ident.ID
	ExpectedVersion *int
	Owners          []Owner
}

// AddExternalIdentity is a key of a CI in another system.
type AddExternalIdentity struct {
	ID                 ident.ID
	ExternalIdentity   domain.ExternalKey
	AcceptConsequences *domain.Consent
}

// CreateCIClass is a new class.
type CreateCIClass struct {
	Code            string
	Label           string
	Description     *string
	Parent          string
	IsAbstract      *bool
	Icon            *string
	AttributeSchema map[string]any
	IdentityRules   [][]string
}

// UpdateCIClass changes a class.
type UpdateCIClass struct {
	Code            string
	ExpectedVersion *int
	Label           graphql.Omittable[*string]
	Description     graphql.Omittable[*string]
	Icon            graphql.Omittable[*string]
	AttributeSchema graphql.Omittable[map[string]any]
	IdentityRules   graphql.Omittable[[][]string]
}

// RelateCIs is a new relationship.
type RelateCIs struct {
	Type               string
	Source             ident.ID
	Target             ident.ID
	Strength           *domain.Strength
	Attributes         map[string]any
	AcceptConsequences *domain.Consent
}

// UpdateRelationship changes a relationship; a null strength means the type's.
type UpdateRelationship struct {
	ID                 ident.ID
	ExpectedVersion    *int
	Strength           graphql.Omittable[*domain.Strength]
	Attributes         graphql.Omittable[map[string]any]
	AcceptConsequences *domain.Consent
}

// UnrelateCIs names the relationship to take away.
type UnrelateCIs struct {
	ID                 ident.ID
	ExpectedVersion    *int
	AcceptConsequences *domain.Consent
}

// GroupMember is a relationship that is to count in a group, with its weight (1 by default).
type GroupMember struct {
	Relationship ident.ID
	Weight       *int
}

// CreateDependencyGroup is a new group.
type CreateDependencyGroup struct {
	CI                 ident.ID
	Name               string
	Mode               domain.GroupMode
	Threshold          *int
	Members            []GroupMember
	AcceptConsequences *domain.Consent
}

// UpdateDependencyGroup changes a group; members are replaced as a whole.
type UpdateDependencyGroup struct {
	ID                 ident.ID
	ExpectedVersion    *int
	Name               graphql.Omittable[*string]
	Mode               graphql.Omittable[*domain.GroupMode]
	Threshold          graphql.Omittable[*int]
	Members            graphql.Omittable[[]GroupMember]
	AcceptConsequences *domain.Consent
}

// DeleteDependencyGroup names the group to delete.
type DeleteDependencyGroup struct {
	ID                 ident.ID
	ExpectedVersion    *int
	AcceptConsequences *domain.Consent
}

// ClassPair is a pair of class codes.
type ClassPair struct {
	Source string
	Target string
}

// CreateRelationshipType is a new type.
type CreateRelationshipType struct {
	Code            string
	ForwardLabel    string
	ReverseLabel    string
	Description     *string
	ImpactDirection domain.ImpactDirection
	Strength        *domain.Strength
	IsContainment   *bool
	Cardinality     *domain.Cardinality
	AllowedPairs    []ClassPair
}

// UpdateRelationshipType changes a type.
type UpdateRelationshipType struct {
	Code               string
	ExpectedVersion    *int
	ForwardLabel       graphql.Omittable[*string]
	ReverseLabel       graphql.Omittable[*string]
	Description        graphql.Omittable[*string]
	ImpactDirection    graphql.Omittable[*domain.ImpactDirection]
	Strength           graphql.Omittable[*domain.Strength]
	AllowedPairs       graphql.Omittable[[]ClassPair]
	AcceptConsequences *domain.Consent
}
