package domain

// WindowKind says what a change window means for changes.
type WindowKind string

// WindowKind values.
const (
	Blackout    WindowKind = "BLACKOUT"    // nothing is changed in it
	Maintenance WindowKind = "MAINTENANCE" // changes are made in it and at no other time
)

// Values lists them.
func (WindowKind) Values() []string { return list(Blackout, Maintenance) }

// ConflictKind is the way in which a change is in conflict.
type ConflictKind string

// ConflictKind values.
const (
	SameCI               ConflictKind = "SAME_CI"
	SameField            ConflictKind = "SAME_FIELD" // planned operations of both changes write it
	Upstream             ConflictKind = "UPSTREAM"   // the other change can harm a CI of this one
	Downstream           ConflictKind = "DOWNSTREAM" // this change can harm a CI of the other
	OutsideMaintenance   ConflictKind = "OUTSIDE_MAINTENANCE_WINDOW"
	InsideBlackout       ConflictKind = "INSIDE_BLACKOUT_WINDOW"
	AssigneeDoubleBooked ConflictKind = "ASSIGNEE_DOUBLE_BOOKED"
	JointFailure         ConflictKind = "JOINT_FAILURE"
)

// Values lists them.
func (ConflictKind) Values() []string {
	return list(SameCI, SameField, Upstream, Downstream, OutsideMaintenance, InsideBlackout, AssigneeDoubleBooked, JointFailure)
}
