package domain

// RiskLevel is a risk in a word.
type RiskLevel string

// RiskLevel values.
const (
	RiskLow      RiskLevel = "LOW"       // below 25
	RiskModerate RiskLevel = "MODERATE"  // from 25
	RiskHigh     RiskLevel = "HIGH"      // from 50
	RiskVeryHigh RiskLevel = "VERY_HIGH" // from 75
)

// Values lists them.
func (RiskLevel) Values() []string { return list(RiskLow, RiskModerate, RiskHigh, RiskVeryHigh) }

// RiskFactor is a reason why a change is risky.
type RiskFactor string

// RiskFactor values.
const (
	ServicesDown    RiskFactor = "SERVICES_DOWN"     // services that are DOWN while it is carried out
	ServicesAtStake RiskFactor = "SERVICES_AT_STAKE" // further services that suffer if all CIs it touches fail
	RedundancyLost  RiskFactor = "REDUNDANCY_LOST"   // CIs that live on redundancy while it is carried out
	BlastRadius     RiskFactor = "BLAST_RADIUS"      // how many CIs suffer if all CIs it touches fail
	InConflict      RiskFactor = "CONFLICTS"         // conflicts with changes and windows
	FailedBefore    RiskFactor = "FAILED_BEFORE"     // changes of the same CIs that went wrong
	TeamRecord      RiskFactor = "TEAM_RECORD"       // how often changes of the same team go wrong
	ShortLeadTime   RiskFactor = "SHORT_LEAD_TIME"   // little time between drafting and start
	NoBackoutPlan   RiskFactor = "NO_BACKOUT_PLAN"   // nobody knows how to undo it
)

// Values lists them.
func (RiskFactor) Values() []string {
	return list(ServicesDown, ServicesAtStake, RedundancyLost, BlastRadius, InConflict, FailedBefore, TeamRecord, ShortLeadTime, NoBackoutPlan)
}

// SuspectReason is a reason to suspect that a change caused a failure.
type SuspectReason string

// SuspectReason values.
const (
	SuspectTime     SuspectReason = "TIME"     // it started or ended shortly before
	SuspectDistance SuspectReason = "DISTANCE" // it touched something near
	SuspectShared   SuspectReason = "SHARED"   // it touched something that several of the CIs need
	SuspectRisk     SuspectReason = "RISK"     // it was risky
	SuspectOutcome  SuspectReason = "OUTCOME"  // it did not go well
)

// Values lists them.
func (SuspectReason) Values() []string {
	return list(SuspectTime, SuspectDistance, SuspectShared, SuspectRisk, SuspectOutcome)
}
