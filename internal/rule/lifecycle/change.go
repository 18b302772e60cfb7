package lifecycle

import "github.com/linchpin-cmdb/linchpin/internal/domain"

// ChangeTransition is a transition that a change can take next.
type ChangeTransition = Transition[domain.ChangeState]

// Change returns the state table of changes of a type. A table of an unknown type has no transitions.
func Change(of domain.ChangeType) Table[domain.ChangeState] {
	switch of {
	case domain.Standard:
		return standardChange
	case domain.Normal:
		return normalChange
	case domain.Emergency:
		return emergencyChange
	}
	return Table[domain.ChangeState]{noun: "a change of no known type"}
}

// CheckChange returns errs.TransitionRefused if a change of a type may not go from one state to the other.
func CheckChange(of domain.ChangeType, from, to domain.ChangeState) error {
	return Change(of).Check(from, to)
}

var (
	// A STANDARD change is a pre-approved routine: nobody assesses or authorizes it.
	standardChange = Table[domain.ChangeState]{"a STANDARD change", []row[domain.ChangeState]{
		{domain.ChangeNew, domain.ChangeScheduled, "scheduleChange", needs("template", "plannedStart", "plannedEnd", "scope")},
		{domain.ChangeNew, domain.ChangeCanceled, "cancelChange", needs("reason")},

		{domain.ChangeScheduled, domain.ChangeImplement, "startChange", nil},
		{domain.ChangeScheduled, domain.ChangeCanceled, "cancelChange", needs("reason")},

		{domain.ChangeImplement, domain.ChangeReview, "reviewChange", nil},
		{domain.ChangeImplement, domain.ChangeCanceled, "cancelChange", needs("reason")},

		{domain.ChangeReview, domain.ChangeClosed, "closeChange", needs("outcome", "notes")},
	}}

	// A NORMAL change passes all states.
	normalChange = Table[domain.ChangeState]{"a NORMAL change", []row[domain.ChangeState]{
		{domain.ChangeNew, domain.ChangeAssess, "assessChange", nil},
		{domain.ChangeNew, domain.ChangeCanceled, "cancelChange", needs("reason")},

		{domain.ChangeAssess, domain.ChangeAuthorize, "requestChangeApproval", needs("approvers", "plan", "backoutPlan", "justification")},
		{domain.ChangeAssess, domain.ChangeNew, "returnChange", needs("reason")},
		{domain.ChangeAssess, domain.ChangeCanceled, "cancelChange", needs("reason")},

		{domain.ChangeAuthorize, domain.ChangeScheduled, "scheduleChange", needs("approvals", "plannedStart", "plannedEnd", "scope", "plan", "backoutPlan", "justification")},
		{domain.ChangeAuthorize, domain.ChangeNew, "returnChange", needs("reason")},
		{domain.ChangeAuthorize, domain.ChangeCanceled, "cancelChange", needs("reason")},

		{domain.ChangeScheduled, domain.ChangeImplement, "startChange", nil},
		{domain.ChangeScheduled, domain.ChangeNew, "returnChange", needs("reason")},
		{domain.ChangeScheduled, domain.ChangeCanceled, "cancelChange", needs("reason")},

		{domain.ChangeImplement, domain.ChangeReview, "reviewChange", nil},
		{domain.ChangeImplement, domain.ChangeCanceled, "cancelChange", needs("reason")},

		{domain.ChangeReview, domain.ChangeClosed, "closeChange", needs("outcome", "notes")},
	}}

	// An EMERGENCY change goes to authorization at once.
	emergencyChange = Table[domain.ChangeState]{"an EMERGENCY change", []row[domain.ChangeState]{
		{domain.ChangeNew, domain.ChangeAuthorize, "requestChangeApproval", needs("approvers")},
		{domain.ChangeNew, domain.ChangeCanceled, "cancelChange", needs("reason")},

		{domain.ChangeAuthorize, domain.ChangeScheduled, "scheduleChange", needs("approvals", "plannedStart", "plannedEnd", "scope")},
		{domain.ChangeAuthorize, domain.ChangeNew, "returnChange", needs("reason")},
		{domain.ChangeAuthorize, domain.ChangeCanceled, "cancelChange", needs("reason")},

		{domain.ChangeScheduled, domain.ChangeImplement, "startChange", nil},
		{domain.ChangeScheduled, domain.ChangeNew, "returnChange", needs("reason")},
		{domain.ChangeScheduled, domain.ChangeCanceled, "cancelChange", needs("reason")},

		{domain.ChangeImplement, domain.ChangeReview, "reviewChange", nil},
		{domain.ChangeImplement, domain.ChangeCanceled, "cancelChange", needs("reason")},

		{domain.ChangeReview, domain.ChangeClosed, "closeChange", needs("outcome", "notes")},
	}}
)

// setBacks lists the states to which a change goes back when an edit alters what people voted on: their votes were for
// the change as it was. No mutation asks for these moves, so Next does not list them.
var setBacks = []struct {
	of       domain.ChangeType
	from, to domain.ChangeState
}{
	{domain.Normal, domain.ChangeAuthorize, domain.ChangeAssess},
	{domain.Emergency, domain.ChangeAuthorize, domain.ChangeNew},
}

// SetBack returns the state to which an edit of what people vote on sends a change. If the change stays in its state,
// SetBack returns false.
func SetBack(of domain.ChangeType, from domain.ChangeState) (to domain.ChangeState, isSetBack bool) {
	for _, s := range setBacks {
		if s.of == of && s.from == from {
			return s.to, true
		}
	}
	return from, false
}
