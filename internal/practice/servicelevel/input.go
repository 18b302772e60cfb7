package servicelevel

import (
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// CreateCalendar is a new calendar.
type CreateCalendar struct {
	Name     string
	TimeZone string
	Hours    []domain.WorkingHours
	Holidays []domain.Holiday
}

// UpdateCalendar is changes to a calendar: what is absent stays.
type UpdateCalendar struct {
	ID              ident.ID
	ExpectedVersion *int
	Name            graphql.Omittable[*string]
	TimeZone        graphql.Omittable[*string]
	Hours           graphql.Omittable[[]domain.WorkingHours]
	Holidays        graphql.Omittable[[]domain.Holiday]
}

// Delete names a calendar or target that is no longer needed.
type Delete struct {
	ID              ident.ID
	ExpectedVersion *int
}

// CreateTarget is a new service level target.
type CreateTarget struct {
	Name       string
	Metric     domain.ServiceLevelMetric
	RecordType *domain.RecordType
	Priority   *int
	Duration   time.Duration
	Calendar   ident.ID
	Services   []ident.ID

	StartsAtDetection *bool
}

// UpdateTarget is changes to a target: what is absent stays, a priority or services of null stand for all.
type UpdateTarget struct {
	ID              ident.ID
	ExpectedVersion *int
	Name            graphql.Omittable[*string]
	Priority        graphql.Omittable[*int]
	Duration        graphql.Omittable[*time.Duration]
	Calendar        graphql.Omittable[*ident.ID]
	Services        graphql.Omittable[[]ident.ID]

	StartsAtDetection graphql.Omittable[*bool]
}
