// Package impact decides who suffers when CIs fail, and why: the least fixed point of the rules of redundancy
// over a topology snapshot, with proofs. docs/impact.md has the rules. It thinks and does no I/O; what a viewer may see
// is not its business.
package impact

// State is how a CI fares: docs/impact.md, "States". They are ordered: a greater state is worse.
type State uint8

// The states.
const (
	Operational State = iota
	AtRisk            // redundancy is lost here, nothing else yet
	Degraded
	Down
)

var states = [...]string{"OPERATIONAL", "AT_RISK", "DEGRADED", "DOWN"}

// String returns the state as the API shows it.
func (s State) String() string {
	if int(s) < len(states) {
		return states[s]
	}
	return "UNKNOWN"
}

// ParseState reads what String wrote.
func ParseState(s string) (State, bool) {
	for i, name := range states {
		if name == s {
			return State(i), true
		}
	}
	return 0, false
}

// IsUp reports whether a CI in this state still works: not DOWN.
func (s State) IsUp() bool { return s < Down }

// IsWell reports whether a CI in this state works as it should: OPERATIONAL or AT_RISK.
func (s State) IsWell() bool { return s < Degraded }
