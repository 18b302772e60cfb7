package lifecycle

import (
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// CI is the table of a CI's lifecycle. A plan may be given up and taken up again; a CI that has been LIVE cannot become
// a plan. Only retireCI retires a CI, and it comes back as LIVE.
var CI = Table[domain.Lifecycle]{"a CI", []row[domain.Lifecycle]{
	// from, to, by
	{domain.Planned, domain.Build, "updateCI", nil},
	{domain.Planned, domain.Live, "updateCI", nil},
	{domain.Planned, domain.Retired, "retireCI", nil},

	{domain.Build, domain.Planned, "updateCI", nil},
	{domain.Build, domain.Live, "updateCI", nil},
	{domain.Build, domain.Retired, "retireCI", nil},

	{domain.Live, domain.Deprecated, "updateCI", nil},
	{domain.Live, domain.Retired, "retireCI", nil},

	{domain.Deprecated, domain.Live, "updateCI", nil},
	{domain.Deprecated, domain.Retired, "retireCI", nil},

	{domain.Retired, domain.Live, "updateCI", nil},
}}

// CheckCI returns errs.TransitionRefused if updateCI may not take a CI from one stage to the other. Staying in a stage
// is allowed.
func CheckCI(from, to domain.Lifecycle) error {
	if from == to {
		return nil
	}
	if to == domain.Retired {
		return errs.New(errs.TransitionRefused, "a CI is retired by retireCI, not by setting its lifecycle")
	}
	return CI.Check(from, to)
}
