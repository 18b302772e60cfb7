package change

import (
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// CI puts a CI into a change's scope.
type CI struct {
	ID   ident.ID
	Role domain.ChangeRole
}

// Draft is a new change.
type Draft struct {
	Type           domain.ChangeType
	Title          string
	Description    *string
	Scope          []CI
	PlannedStart   *time.Time
	PlannedEnd     *time.Time
	Justification  *string
	Plan           *string
	BackoutPlan    *string
	TestPlan       *string
	Requester      *ident.ID
	Assignee       *ident.ID
	AssignmentTeam *ident.ID
	Template       *ident.ID
}

// Update is changes to a change: an absent field stays, null clears.
type Update struct {
	ID              ident.ID
	ExpectedVersion *int
	Type            graphql.Omittable[*domain.ChangeType]
	Title           graphql.Omittable[*string]
	Description     graphql.Omittable[*string]
	Scope           graphql.Omittable[[]CI]
	PlannedStart    graphql.Omittable[*time.Time]
	PlannedEnd      graphql.Omittable[*time.Time]
	Justification   graphql.Omittable[*string]
	Plan            graphql.Omittable[*string]
	BackoutPlan     graphql.Omittable[*string]
	TestPlan        graphql.Omittable[*string]
	Requester       graphql.Omittable[*ident.ID]
	Assignee        graphql.Omittable[*ident.ID]
	AssignmentTeam  graphql.Omittable[*ident.ID]
	Template        graphql.Omittable[*ident.ID]
}

// Assess is the change to hand in for assessment.
type Assess struct {
	ID              ident.ID
	ExpectedVersion *int
}

// RequestApproval is the change to have approved, and the names of the actors to ask.
type RequestApproval struct {
	ID              ident.ID
	ExpectedVersion *int
	// Approvers are names of accounts.
	Approvers        []string
	ApproverAccounts []ident.ID
}

// Approve is a yes.
type Approve struct {
	ID              ident.ID
	ExpectedVersion *int
	Comment         *string
}

// Reject is a no, and why.
type Reject struct {
	ID              ident.ID
	ExpectedVersion *int
	Comment         string
}

// Schedule is the change to put into its window.
type Schedule struct {
	ID              ident.ID
	ExpectedVersion *int
}

// Start is the change to carry out, and what is accepted for it.
type Start struct {
	ID              ident.ID
	ExpectedVersion *int
	OutsideWindow   *domain.Consent
	AcceptImpact    *domain.Consent
}

// Review is the change that has been carried out.
type Review struct {
	ID              ident.ID
	ExpectedVersion *int
}

// Close is the change to close, and how it ended.
type Close struct {
	ID              ident.ID
	ExpectedVersion *int
	Outcome         domain.ChangeOutcome
	Notes           string
}

// Cancel is the change to cancel, and why.
type Cancel struct {
	ID              ident.ID
	ExpectedVersion *int
	Reason          string
}

// Return is the change to send back, and what has to be mended.
type Return struct {
	ID              ident.ID
	ExpectedVersion *int
	Reason          string
}

// Comment is something to write down about a change.
type Comment struct {
	ID   ident.ID
	Kind domain.TimelineKind
	Body string
}
