package domain

// WarningCode is a sort of warning.
type WarningCode string

// WarningCode values.
const (
	OtherEnvironment WarningCode = "OTHER_ENVIRONMENT"       // a production CI needs one of another environment
	NamedByTicket    WarningCode = "NAMED_BY_TICKET"         // an open ticket names the CI that was retired
	WindowBegun      WarningCode = "WINDOW_BEGUN"            // the window of a change has begun already
	SimilarIncident  WarningCode = "SIMILAR_INCIDENT"        // an open incident has the same root, or explains the new one
	RuledOut         WarningCode = "RULED_OUT"               // an open incident has ruled out what a new one reaches
	NoLongerRuledOut WarningCode = "NO_LONGER_RULED_OUT"     // what was ruled out falls now
	EarlierGraver    WarningCode = "EARLIER_INCIDENT_GRAVER" // an earlier incident deserves a graver level now
	NeedRemoved      WarningCode = "NEED_REMOVED"            // a CI no longer needs what it needed
	WouldFall        WarningCode = "WOULD_FALL"              // what is planned would take something DOWN now
)

// Values lists them.
func (WarningCode) Values() []string {
	return list(OtherEnvironment, NamedByTicket, WindowBegun, SimilarIncident, RuledOut, NoLongerRuledOut, EarlierGraver, NeedRemoved, WouldFall)
}

// Warning says of something that was written why it is worth a second look. Field is the path of the input that it is
// about, outermost first.
type Warning struct {
	Code    WarningCode `json:"code"`
	Message string      `json:"message"`
	Field   []string    `json:"field"`
}
