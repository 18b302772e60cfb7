package change

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
)

// The inputs of planned operations are the input types of schema/operation.graphql, field by field; their meaning is
// said there.

// PlanOperations is all operations that a change plans.
type PlanOperations struct {
	ID              ident.ID
	ExpectedVersion *int
	Operations      []PlannedOperation
}

// PlannedOperation is one of the operations, exactly one, and the key of what it creates.
type PlannedOperation struct {
	Key                   *string
	CreateCI              *PlannedCI
	UpdateCI              *PlannedCIUpdate
	RetireCI              *ident.ID
	RelateCIs             *PlannedRelationship
	UnrelateCIs           *ident.ID
	CreateDependencyGroup *PlannedGroup
	UpdateDependencyGroup *PlannedGroupUpdate
	DeleteDependencyGroup *ident.ID
	AcceptConsequences    *domain.Consent
}

// PlannedCI is a CI to create.
type PlannedCI struct {
	Class string
	Name  string
	cmdb.Fields
	Attributes map[string]any
	Labels     []domain.LabelInput
}

// PlannedCIUpdate is what to change of a CI.
type PlannedCIUpdate struct {
	ID ident.ID
	cmdb.FieldsInput
	Attributes map[string]any
	Labels     []domain.LabelInput
}

// PlannedRecord is a record that exists, or that an earlier operation creates.
type PlannedRecord struct {
	ID  *ident.ID
	Key *string
}

// PlannedRelationship is a relationship to create.
type PlannedRelationship struct {
	Type       string
	Source     PlannedRecord
	Target     PlannedRecord
	Strength   *domain.Strength
	Attributes map[string]any
}

// PlannedGroup is a dependency group to create.
type PlannedGroup struct {
	Ci        PlannedRecord
	Name      string
	Mode      domain.GroupMode
	Threshold *int
	Members   []PlannedMember
}

// PlannedGroupUpdate is what to change of a dependency group; members are replaced as a whole.
type PlannedGroupUpdate struct {
	ID        ident.ID
	Name      graphql.Omittable[*string]
	Mode      graphql.Omittable[*domain.GroupMode]
	Threshold graphql.Omittable[*int]
	Members   []PlannedMember
}

// PlannedMember is a relationship that is to count in a group.
type PlannedMember struct {
	Relationship PlannedRecord
	Weight       *int
}

// DraftUndo names the change to undo.
type DraftUndo struct {
	ID                 ident.ID
	AcceptConsequences *domain.Consent
}
