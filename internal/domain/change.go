package domain

// ChangeType decides the path a change takes through its states.
type ChangeType string

// ChangeType values.
const (
	Standard  ChangeType = "STANDARD"
	Normal    ChangeType = "NORMAL"
	Emergency ChangeType = "EMERGENCY"
)

// Values lists them.
func (ChangeType) Values() []string { return list(Standard, Normal, Emergency) }

// ChangeState is where a change stands.
type ChangeState string

// ChangeState values.
const (
	ChangeNew       ChangeState = "NEW"
	ChangeAssess    ChangeState = "ASSESS"
	ChangeAuthorize ChangeState = "AUTHORIZE"
	ChangeScheduled ChangeState = "SCHEDULED"
	ChangeImplement ChangeState = "IMPLEMENT"
	ChangeReview    ChangeState = "REVIEW"
	ChangeClosed    ChangeState = "CLOSED"
	ChangeCanceled  ChangeState = "CANCELED"
)

// Values lists them in order.
func (ChangeState) Values() []string {
	return list(ChangeNew, ChangeAssess, ChangeAuthorize, ChangeScheduled, ChangeImplement, ChangeReview, ChangeClosed, ChangeCanceled)
}

// IsOpen reports whether the change may still be carried out or reviewed.
func (s ChangeState) IsOpen() bool { return s != ChangeClosed && s != ChangeCanceled }

// ChangeOutcome is how a change ended.
type ChangeOutcome string

// ChangeOutcome values.
const (
	Successful           ChangeOutcome = "SUCCESSFUL"
	SuccessfulWithIssues ChangeOutcome = "SUCCESSFUL_WITH_ISSUES"
	Failed               ChangeOutcome = "FAILED"
	BackedOut            ChangeOutcome = "BACKED_OUT"
)

// Values lists them.
func (ChangeOutcome) Values() []string {
	return list(Successful, SuccessfulWithIssues, Failed, BackedOut)
}

// ChangeRole is the effect of a change on a CI in its scope.
type ChangeRole string

// ChangeRole values.
const (
	ChangedRole   ChangeRole = "CHANGED"    // it is modified and keeps working
	TakenDownRole ChangeRole = "TAKEN_DOWN" // it is not available during the change
)

// Values lists them.
func (ChangeRole) Values() []string { return list(ChangedRole, TakenDownRole) }

// ApprovalSubject is the sort of record that is approved.
type ApprovalSubject string

// ChangeSubject is a change.
const ChangeSubject ApprovalSubject = "CHANGE"

// Values lists them.
func (ApprovalSubject) Values() []string { return list(ChangeSubject) }

// Decision is an approver's answer.
type Decision string

// Decision values.
const (
	Requested Decision = "REQUESTED"
	Approved  Decision = "APPROVED"
	Rejected  Decision = "REJECTED"
	Voided    Decision = "VOIDED" // the record went back or was edited after the vote
)

// Values lists them.
func (Decision) Values() []string { return list(Requested, Approved, Rejected, Voided) }
