package domain

// IncidentState is where an incident stands.
type IncidentState string

// IncidentState values.
const (
	IncidentNew        IncidentState = "NEW"
	IncidentInProgress IncidentState = "IN_PROGRESS"
	IncidentOnHold     IncidentState = "ON_HOLD"
	IncidentResolved   IncidentState = "RESOLVED"
	IncidentClosed     IncidentState = "CLOSED"
	IncidentCanceled   IncidentState = "CANCELED"
)

// Values lists them in order.
func (IncidentState) Values() []string {
	return list(IncidentNew, IncidentInProgress, IncidentOnHold, IncidentResolved, IncidentClosed, IncidentCanceled)
}

// IsOpen reports whether somebody still has to restore service.
func (s IncidentState) IsOpen() bool {
	return s == IncidentNew || s == IncidentInProgress || s == IncidentOnHold
}

// HoldReason says what an incident on hold waits for.
type HoldReason string

// HoldReason values.
const (
	AwaitingCaller  HoldReason = "AWAITING_CALLER"
	AwaitingChange  HoldReason = "AWAITING_CHANGE"
	AwaitingProblem HoldReason = "AWAITING_PROBLEM"
	AwaitingVendor  HoldReason = "AWAITING_VENDOR"
)

// Values lists them.
func (HoldReason) Values() []string {
	return list(AwaitingCaller, AwaitingChange, AwaitingProblem, AwaitingVendor)
}

// ResolutionCode says how an incident was resolved.
type ResolutionCode string

// ResolutionCode values.
const (
	Fixed           ResolutionCode = "FIXED"
	Workaround      ResolutionCode = "WORKAROUND"
	FixedByChange   ResolutionCode = "FIXED_BY_CHANGE"
	NotReproducible ResolutionCode = "NOT_REPRODUCIBLE"
	DuplicateOf     ResolutionCode = "DUPLICATE"
	NoFault         ResolutionCode = "NO_FAULT"
)

// Values lists them.
func (ResolutionCode) Values() []string {
	return list(Fixed, Workaround, FixedByChange, NotReproducible, DuplicateOf, NoFault)
}

// IncidentRole is the part of a CI in an incident.
type IncidentRole string

// IncidentRole values.
const (
	RootRole     IncidentRole = "ROOT"     // it failed
	AffectedRole IncidentRole = "AFFECTED" // it was seen affected
	ExcludedRole IncidentRole = "EXCLUDED" // it was checked and is not affected: propagation stops there
)

// Values lists them.
func (IncidentRole) Values() []string { return list(RootRole, AffectedRole, ExcludedRole) }

// Channel is how an incident was reported.
type Channel string

// Channel values.
const (
	ChannelPortal     Channel = "PORTAL"
	ChannelPhone      Channel = "PHONE"
	ChannelEmail      Channel = "EMAIL"
	ChannelChat       Channel = "CHAT"
	ChannelMonitoring Channel = "MONITORING"
	ChannelAPI        Channel = "API"
)

// Values lists them.
func (Channel) Values() []string {
	return list(ChannelPortal, ChannelPhone, ChannelEmail, ChannelChat, ChannelMonitoring, ChannelAPI)
}
