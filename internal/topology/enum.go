package topology

// Environment is where a CI runs. The zero value stands for an unknown one.
type Environment uint8

// The environments, spelled as the API spells them.
const (
	NoEnvironment Environment = iota
	Production
	Staging
	Testing
	Development
	DisasterRecovery
)

var environments = [...]string{"", "PRODUCTION", "STAGING", "TESTING", "DEVELOPMENT", "DISASTER_RECOVERY"}

// String returns the environment as the API shows it, or "" for the zero value.
func (e Environment) String() string { return nameIn(environments[:], e) }

// ParseEnvironment reads what String wrote.
func ParseEnvironment(s string) (Environment, bool) { return parseIn[Environment](environments[:], s) }

// Flow is the way impact travels along a relationship of a type.
type Flow uint8

// The flows. SourceToTarget means that a failing source harms the target.
const (
	NoFlow Flow = iota
	SourceToTarget
	TargetToSource
	Both
)

var flows = [...]string{"NONE", "SOURCE_TO_TARGET", "TARGET_TO_SOURCE", "BOTH"}

// String returns the flow as the API shows it.
func (f Flow) String() string { return nameIn(flows[:], f) }

// ParseFlow reads what String wrote.
func ParseFlow(s string) (Flow, bool) { return parseIn[Flow](flows[:], s) }

// Strength is the effect of the failure of one end on the other.
type Strength uint8

// The strengths. Default stands for the type's own on a relationship, and for Hard on a type.
const (
	Default Strength = iota
	Hard
	Soft
)

var strengths = [...]string{"DEFAULT", "HARD", "SOFT"}

// String returns the strength as the API shows it.
func (s Strength) String() string { return nameIn(strengths[:], s) }

// ParseStrength reads what String wrote.
func ParseStrength(s string) (Strength, bool) { return parseIn[Strength](strengths[:], s) }

// Mode says how many members of a dependency group must hold.
type Mode uint8

// The modes. A group's threshold is the k of AtLeast, the p of Percent, the weight of Weighted.
const (
	All Mode = iota
	Any
	AtLeast
	Percent
	Weighted
)

var modes = [...]string{"ALL", "ANY", "AT_LEAST", "PERCENT", "WEIGHTED"}

// String returns the mode as the API shows it.
func (m Mode) String() string { return nameIn(modes[:], m) }

// ParseMode reads what String wrote.
func ParseMode(s string) (Mode, bool) { return parseIn[Mode](modes[:], s) }

func nameIn[E ~uint8](names []string, e E) string {
	if int(e) < len(names) {
		return names[e]
	}
	return "UNKNOWN"
}

func parseIn[E ~uint8](names []string, s string) (E, bool) {
	for i, name := range names {
		if name == s {
			return E(i), true
		}
	}
	return 0, false
}
