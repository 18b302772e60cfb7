package domain

// RetirePolicy is what becomes of a record that its source has lost.
type RetirePolicy string

// RetirePolicy values.
const (
	Keep         RetirePolicy = "KEEP"   // it is missing, and stays as it is
	RetireByRule RetirePolicy = "RETIRE" // it is retired once it has been missing for long enough
)

// Values lists them.
func (RetirePolicy) Values() []string { return list(Keep, RetireByRule) }

// RunKind is how much of a source's scope a run reads.
type RunKind string

// RunKind values.
const (
	FullRun    RunKind = "FULL"    // all of it: what it lacks is missing
	PartialRun RunKind = "PARTIAL" // some of it: what it lacks is not spoken of
	EventRun   RunKind = "EVENT"   // what has just changed or been deleted
)

// Values lists them.
func (RunKind) Values() []string { return list(FullRun, PartialRun, EventRun) }

// RunState is how far a run has come.
type RunState string

// RunState values.
const (
	RunPlanned   RunState = "PLANNED"  // what it would do is known, and waits to be applied
	RunApplying  RunState = "APPLYING" // it is being written
	RunApplied   RunState = "APPLIED"
	RunFailed    RunState = "FAILED"    // it ended halfway: the next run of the scope does the rest
	RunRefused   RunState = "REFUSED"   // too much is gone: a person has to approve it
	RunDiscarded RunState = "DISCARDED" // it was planned or refused, and will not be applied
)

// Values lists them.
func (RunState) Values() []string {
	return list(RunPlanned, RunApplying, RunApplied, RunFailed, RunRefused, RunDiscarded)
}

// FieldPriority is what a source is worth for one field, such as "attributes.os", of CIs of a class and those below it.
type FieldPriority struct {
	Class    string `json:"class,omitempty"` // code; empty: of any class
	Field    string `json:"field"`
	Priority int    `json:"priority"`
}

// The defaults of a source that nobody has described.
const (
	SourcePriority = 100
	GraceRuns      = 2
	GraceMinutes   = 24 * 60
	GuardPercent   = 5
	// GuardLeast is how many records may go missing in any case.
	GuardLeast = 10
)
