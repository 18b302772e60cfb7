package incident

import (
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// CI is a CI concerned, and what it has to do with the incident.
type CI struct {
	ID   ident.ID
	Role domain.IncidentRole
}

// Open is a new incident.
type Open struct {
	Title            string
	Description      *string
	Urgency          *int
	ImpactLevel      *int
	CIs              []CI
	Category         *string
	Problem          *string
	Channel          *domain.Channel
	IsMajor          *bool
	Caller           *ident.ID
	Assignee         *ident.ID
	AssignmentTeam   *ident.ID
	Parent           *ident.ID
	CausedByChange   *ident.ID
	DetectedAt       *time.Time
	ExternalIdentity *domain.ExternalKey
}

// Update is changes to an incident: an absent field stays, null clears or gives the default.
type Update struct {
	ID              ident.ID
	ExpectedVersion *int
	Title           graphql.Omittable[*string]
	Description     graphql.Omittable[*string]
	Urgency         graphql.Omittable[*int]
	ImpactLevel     graphql.Omittable[*int]
	Category        graphql.Omittable[*string]
	Problem         graphql.Omittable[*string]
	Channel         graphql.Omittable[*domain.Channel]
	IsMajor         graphql.Omittable[*bool]
	Caller          graphql.Omittable[*ident.ID]
	Parent          graphql.Omittable[*ident.ID]
	CausedByChange  graphql.Omittable[*ident.ID]
	FixedByChange   graphql.Omittable[*ident.ID]
}

// Assign is who is to work on an incident.
type Assign struct {
	ID              ident.ID
	ExpectedVersion *int
	AssignmentTeam  graphql.Omittable[*ident.ID]
	Assignee        graphql.Omittable[*ident.ID]
}

// SetCIs is all the CIs concerned, in place of those named before.
type SetCIs struct {
	ID              ident.ID
	ExpectedVersion *int
	CIs             []CI
}

// Start is the incident to work on.
type Start struct {
	ID              ident.ID
	ExpectedVersion *int
}

// Hold is the incident to put on hold, and what it waits for.
type Hold struct {
	ID              ident.ID
	ExpectedVersion *int
	Reason          domain.HoldReason
	Note            *string
}

// Resolve is the incident that is resolved, and how.
type Resolve struct {
	ID              ident.ID
	ExpectedVersion *int
	Code            domain.ResolutionCode
	Notes           string
	FixedByChange   *ident.ID
	WithChildren    *bool
}

// Reopen is the incident to take up again, and why.
type Reopen struct {
	ID              ident.ID
	ExpectedVersion *int
	Reason          string
}

// Close is the resolved incident to close.
type Close struct {
	ID              ident.ID
	ExpectedVersion *int
}

// Cancel is the incident that was opened in error, and why.
type Cancel struct {
	ID              ident.ID
	ExpectedVersion *int
	Reason          string
}

// Comment is something to write down about an incident.
type Comment struct {
	ID   ident.ID
	Kind domain.TimelineKind
	Body string
}

// SetPriority is one cell of the priority table.
type SetPriority struct {
	ImpactLevel int
	Urgency     int
	Priority    int
}
