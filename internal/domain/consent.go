package domain

// Consent is why an actor lets happen what a rule would refuse.
type Consent struct {
	Reason string `json:"reason"`
}
