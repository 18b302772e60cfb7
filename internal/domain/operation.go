package domain

import (
	"fmt"
	"io"
	"slices"
	"strconv"
)

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
	// DeleteGroup is kept, and journalled, under the word that clients said first: see MarshalGQL.
	DeleteGroup OperationKind = "REMOVE_DEPENDENCY_GROUP"
)

const deleteGroup = "DELETE_DEPENDENCY_GROUP"

// Values lists them.
func (OperationKind) Values() []string {
	return list(CreateCI, UpdateCI, RetireCI, RelateCIs, UnrelateCIs, CreateGroup, UpdateGroup, DeleteGroup)
}

// MarshalGQL writes k as the contract says it.
func (k OperationKind) MarshalGQL(w io.Writer) {
	if k == DeleteGroup {
		k = deleteGroup
	}
	_, _ = io.WriteString(w, strconv.Quote(string(k)))
}

// UnmarshalGQL reads what MarshalGQL writes.
func (k *OperationKind) UnmarshalGQL(v any) error {
	text, _ := v.(string)
	if *k = OperationKind(text); *k == deleteGroup {
		*k = DeleteGroup
	} else if *k == DeleteGroup || !slices.Contains(k.Values(), text) {
		return fmt.Errorf("%q is no kind of planned operation", text)
	}
	return nil
}
