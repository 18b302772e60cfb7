package domain

// OperationKind is the effect of a change's planned operation on the CI graph.
type OperationKind string

// OperationKind values.
const (
	CreateCI    OperationKind = "CREATE_CI"
	UpdateCI    OperationKind = "UPDATE_CI"
	RetireCI    OperationKind = "RETIRE_CI"
	RelateCIs   OperationKind = "RELATE_CIS"
	UnrelateCIs OperationKind = "UNRELATE_CIS"
	CreateGroup OperationKind = "CREATE_DEPENDENCY_GROUP"
	UpdateGroup OperationKind = "UPDATE_DEPENDENCY_GROUP"
	RemoveGroup OperationKind = "REMOVE_DEPENDENCY_GROUP"
)

// Values lists them.
func (OperationKind) Values() []string {
	return list(CreateCI, UpdateCI, RetireCI, RelateCIs, UnrelateCIs, CreateGroup, UpdateGroup, RemoveGroup)
}
