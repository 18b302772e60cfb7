// Package priority decides how pressing an incident is: its priority from impact level and urgency by a table kept as
// data, and an impact level from what the engine found affected. It thinks and reads nothing.
package priority

// Levels and priorities, 1 the gravest.
const (
	Most          = 1
	LeastLevel    = 3 // of impact and urgency
	LeastPriority = 5
)

// Rule is one cell of the table: an impact level and an urgency give a priority.
type Rule struct{ Impact, Urgency, Priority int }

// Of is the priority that the rules give; impact + urgency − 1 where they say nothing, or something beyond 1 to 5.
func Of(rules []Rule, impact, urgency int) int {
	for _, r := range rules {
		if r.Impact == impact && r.Urgency == urgency && r.Priority >= Most && r.Priority <= LeastPriority {
			return r.Priority
		}
	}
	return min(max(impact+urgency-1, Most), LeastPriority)
}
