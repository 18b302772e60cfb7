// Package priority decides how pressing an incident is: its priority from impact level and urgency by a table kept as
// data, and an impact level from the services that the engine found affected. It does no I/O.
package priority

// Levels and priorities, with 1 as the gravest.
const (
	Most          = 1
	LeastLevel    = 3 // of impact and urgency
	LeastPriority = 5
)

// Rule is one cell of the table: an impact level and an urgency give a priority.
type Rule struct{ Impact, Urgency, Priority int }

// Of returns the priority by the rules. If they have none, or one outside 1 to 5, it returns impact + urgency − 1.
func Of(rules []Rule, impact, urgency int) int {
	for _, r := range rules {
		if r.Impact == impact && r.Urgency == urgency && r.Priority >= Most && r.Priority <= LeastPriority {
			return r.Priority
		}
	}
	return min(max(impact+urgency-1, Most), LeastPriority)
}
