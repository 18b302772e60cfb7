package lifecycle

import (
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// CI is the table of a CI's lifecycle. A plan may be left and taken up again; what has been LIVE cannot become a plan.
// A CI is retired by retireCI alone, and comes back as LIVE.
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

// CheckCI returns nil when updateCI may set a CI that is at one stage to the other, or where they are the same; else
// errs.TransitionRefused.
func CheckCI(from, to domain.Lifecycle) error {
	if from == to {
		return nil
	}
	if to == domain.Retired {
		return errs.New(errs.TransitionRefused, "a CI is retired by retireCI, not by setting its lifecycle")
	}
	return CI.Check(from, to)
}
