package schedule

import (
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// CreateWindow is a new change window.
type CreateWindow struct {
	Name        string
	Description *string
	Kind        domain.WindowKind
	StartsAt    time.Time
	Duration    time.Duration
	TimeZone    string
	Recurrence  *string
	IsGlobal    *bool
	Cis         []ident.ID
	Classes     []string
	Labels      []domain.LabelInput
}

// UpdateWindow is changes to a change window: an absent field stays, null clears.
type UpdateWindow struct {
	ID              ident.ID
	ExpectedVersion *int
	Name            graphql.Omittable[*string]
	Description     graphql.Omittable[*string]
	StartsAt        graphql.Omittable[*time.Time]
	Duration        graphql.Omittable[*time.Duration]
	TimeZone        graphql.Omittable[*string]
	Recurrence      graphql.Omittable[*string]
	IsGlobal        graphql.Omittable[*bool]
	Cis             graphql.Omittable[[]ident.ID]
	Classes         graphql.Omittable[[]string]
	Labels          graphql.Omittable[[]domain.LabelInput]
}

// DeleteWindow is the change window to delete.
type DeleteWindow struct {
	ID              ident.ID
	ExpectedVersion *int
}

// Weight is what a factor of risk is to count.
type Weight struct {
	Factor domain.RiskFactor
	Most   int
	Each   int
}

// SetWeights is what some factors are to count.
type SetWeights struct{ Weights []Weight }
