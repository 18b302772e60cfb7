package cmdb

import (
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// moves is where a person may take a CI from where it stands. RETIRED is reached by retiring alone.
var moves = map[domain.Lifecycle][]domain.Lifecycle{
	domain.Planned:    {domain.Build, domain.Live},
	domain.Build:      {domain.Planned, domain.Live},
	domain.Live:       {domain.Deprecated},
	domain.Deprecated: {domain.Live},
	domain.Retired:    {domain.Live},
}

// moveLifecycle refuses what the table does not allow, and says what it allows.
func moveLifecycle(from, to domain.Lifecycle) error {
	switch {
	case from == to || slices.Contains(moves[from], to):
		return nil
	case to == domain.Retired:
		return errs.New(errs.TransitionRefused, "a CI becomes RETIRED by retireCI alone").At("lifecycle")
	}
	var allowed []string
	for _, next := range moves[from] {
		allowed = append(allowed, string(next))
	}
	return errs.New(errs.TransitionRefused, "from %s the lifecycle goes to %s, not to %s", from, strings.Join(allowed, " or "), to).At("lifecycle")
}
