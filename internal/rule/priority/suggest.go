package priority

import (
	"fmt"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
)

// Service is a service that the engine found affected.
type Service struct {
	Name  string // empty if it is not to be named
	Rank  int    // of its tier, 1 the most important; 0 for none
	State impact.State
	// IsRestricted says that its tier is not to be told: it counts as one of rank 1, whatever its own.
	IsRestricted bool
	Seen         Seen
}

// Seen says by what a service counts.
type Seen uint8

// The reasons for which services count.
const (
	Found    Seen = iota // the engine found it in its state
	Reported             // it is named as AFFECTED, and counts as DOWN
	Follows              // it would be DOWN if what is named as AFFECTED were
)

func (s Service) rank() int {
	if s.IsRestricted {
		return 1
	}
	return s.Rank
}

// Suggestion is an impact level, 1 to 3, and the sentence that gives the reason.
type Suggestion struct {
	Level  int
	Reason string
}

// threshold is one row of the table that suggests levels: it applies if so many services have such a rank and state.
type threshold struct {
	level int
	least int
	rank  int // of this rank or a more important one; 0 for any, services without a tier included
	state impact.State
	words string
}

// The first case that applies decides.
var cases = []threshold{
	{1, 1, 1, impact.Down, "of tier rank 1"},
	{1, 2, 2, impact.Down, "of tier rank 1 or 2"},
	{2, 1, 1, impact.Degraded, "of tier rank 1"},
	{2, 1, 2, impact.Down, "of tier rank 2"},
	{2, 3, 0, impact.Degraded, ""},
}

// Suggest proposes an impact level for the services found affected. Services that are not DEGRADED or DOWN do not
// count; how many are AT_RISK is said if none is.
func Suggest(services []Service, atRisk int) Suggestion {
	for _, c := range cases {
		if found := c.find(services); len(found) >= c.least {
			return Suggestion{c.level, c.sentence(found)}
		}
	}
	affected := threshold{state: impact.Degraded}
	if found := affected.find(services); len(found) > 0 {
		return Suggestion{LeastLevel, affected.sentence(found)}
	}
	switch atRisk {
	case 0:
		return Suggestion{LeastLevel, "No service is affected."}
	case 1:
		return Suggestion{LeastLevel, "No service is affected; 1 is at risk."}
	}
	return Suggestion{LeastLevel, fmt.Sprintf("No service is affected; %d are at risk.", atRisk)}
}

func (c threshold) find(services []Service) (found []Service) {
	for _, s := range services {
		if s.State >= c.state && (c.rank == 0 || s.rank() > 0 && s.rank() <= c.rank) {
			found = append(found, s)
		}
	}
	return found
}

const named = 3

// sentence returns the reason, such as "2 services of tier rank 1 are DOWN: a and b."
func (c threshold) sentence(found []Service) string {
	var names []string
	restricted := false
	for _, s := range found {
		restricted = restricted || s.IsRestricted
		if s.Name != "" && len(names) < named {
			names = append(names, s.Name)
		}
	}
	noun, verb := "service", "is"
	if len(found) > 1 {
		noun, verb = "services", "are"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s", len(found), noun)
	if c.words != "" {
		fmt.Fprintf(&b, " %s", c.words)
		if restricted {
			b.WriteString(" or restricted")
		}
	}
	fmt.Fprintf(&b, " %s", c.because(found, verb))
	switch rest := len(found) - len(names); {
	case len(names) == 0:
	case rest > 0:
		fmt.Fprintf(&b, ": %s and %d more", strings.Join(names, ", "), rest)
	case len(names) == 1:
		fmt.Fprintf(&b, ": %s", names[0])
	default:
		fmt.Fprintf(&b, ": %s and %s", strings.Join(names[:len(names)-1], ", "), names[len(names)-1])
	}
	b.WriteByte('.')
	return b.String()
}

// because returns what a sentence says of services: the state that they are in, or why they count as DOWN.
func (c threshold) because(found []Service, verb string) string {
	by := map[Seen]int{}
	var real []Service
	for _, s := range found {
		if by[s.Seen]++; s.Seen == Found {
			real = append(real, s)
		}
	}
	state := c.state.String()
	if c.state == impact.Degraded {
		state = worst(real)
	}
	switch {
	case by[Reported]+by[Follows] == 0:
		return verb + " " + state
	case by[Found] > 0:
		return verb + " " + state + ", or would be DOWN if what is named as AFFECTED were"
	case by[Follows] == 0:
		return verb + " named as AFFECTED"
	case by[Reported] == 0:
		return "would be DOWN if what is named as AFFECTED were"
	}
	return verb + " named as AFFECTED, or would be DOWN by that"
}

// worst returns the word for the worst state of services that are DEGRADED at least.
func worst(found []Service) string {
	var down, degraded bool
	for _, s := range found {
		down = down || s.State == impact.Down
		degraded = degraded || s.State == impact.Degraded
	}
	switch {
	case down && degraded:
		return "DEGRADED or DOWN"
	case down:
		return "DOWN"
	}
	return "DEGRADED"
}
