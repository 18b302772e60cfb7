package schedule

import (
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// CreateWindow is a new change window.
type CreateWindow struct {
	Name            string
	Description     *string
	Kind            domain.WindowKind
	StartsAt        time.Time
	DurationMinutes int
	TimeZone        string
	Recurrence      *string
	IsGlobal        *bool
	Cis             []ident.ID
	Classes         []string
	Labels          map[string]any
}

// UpdateWindow is changes to a change window: an absent field stays, null clears.
type UpdateWindow struct {
	ID              ident.ID
	ExpectedVersion *int
	Name            graphql.Omittable[*string]
	Description     graphql.Omittable[*string]
	StartsAt        graphql.Omittable[*time.Time]
	DurationMinutes graphql.Omittable[*int]
	TimeZone        graphql.Omittable[*string]
	Recurrence      graphql.Omittable[*string]
	IsGlobal        graphql.Omittable[*bool]
	Cis             graphql.Omittable[[]ident.ID]
	Classes         graphql.Omittable[[]string]
	Labels          graphql.Omittable[map[string]any]
}

// RemoveWindow is the change window to remove.
type RemoveWindow struct {
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
