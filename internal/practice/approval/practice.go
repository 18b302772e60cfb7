// Package approval owns votes and the policies that ask for them, whatever is to be approved. A practice says what its
// record is, who has no vote on it and how risky it is. It refuses to know the states of the record, and a vote of
// anybody who is involved.
package approval

import (
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Practice holds the verbs of policies. The records they return belong to a closed transaction: read their fields only.
type Practice struct{ store *store.Store }

// New makes the practice over a database.
func New(s *store.Store) *Practice { return &Practice{s} }

// Subject is a record that is to be approved, as its practice sees it.
type Subject struct {
	ID   ident.ID
	Type domain.ApprovalSubject
	// ChangeType is that of a change: policies choose by it.
	ChangeType domain.ChangeType
	// Number is what people call the record.
	Number string
	// Involved tells which accounts and people have no vote, and why: "drafted the change".
	Involved map[ident.ID]string
	// Otherwise is how many approvals it needs where no policy applies.
	Otherwise int
}

func idsOf(subjects []Subject) []ident.ID {
	ids := make([]ident.ID, len(subjects))
	for i, s := range subjects {
		ids[i] = s.ID
	}
	return ids
}
