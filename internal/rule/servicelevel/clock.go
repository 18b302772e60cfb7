package servicelevel

import "github.com/linchpin-cmdb/linchpin/internal/domain"

// Phase is the behaviour of a stopwatch while its record is in a state.
type Phase int

// The phases. A record in a Void state was opened in error: no promise holds for it, and its stopwatches have stopped.
const (
	Runs Phase = iota
	Pauses
	Stops
	Void
)

// row holds, for a state, the phases of the stopwatches for acknowledging and for resolving.
type row struct {
	state                string
	acknowledge, resolve Phase
}

// clocks holds the phases of stopwatches in each state, by type of record.
var clocks = map[domain.RecordType][]row{
	domain.IncidentRecord: {
		{string(domain.IncidentNew), Runs, Runs},
		{string(domain.IncidentInProgress), Stops, Runs},
		{string(domain.IncidentOnHold), Pauses, Pauses},
		{string(domain.IncidentResolved), Stops, Stops},
		{string(domain.IncidentClosed), Stops, Stops},
		{string(domain.IncidentCanceled), Void, Void},
	},
}

// PhaseIn returns the phase of the stopwatch for a metric while a record of a type is in a state. If the tables have no
// such state, the stopwatch stops, and ok is false.
func PhaseIn(of domain.RecordType, metric domain.ServiceLevelMetric, state string) (p Phase, ok bool) {
	for _, r := range clocks[of] {
		if r.state != state {
			continue
		}
		if metric == domain.AcknowledgeMetric {
			return r.acknowledge, true
		}
		return r.resolve, true
	}
	return Stops, false
}

// RunningStates lists the states in which some stopwatch of a record of a type runs.
func RunningStates(of domain.RecordType) (states []string) {
	for _, r := range clocks[of] {
		if r.acknowledge == Runs || r.resolve == Runs {
			states = append(states, r.state)
		}
	}
	return states
}
