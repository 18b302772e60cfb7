// Package domain owns the words of the CMDB: the enumerations that tables, rules and the API share, each value spelt as
// the API shows it. It refuses behaviour, which belongs to the packages under rule.
package domain

// Lifecycle is how far a CI has come from idea to scrap.
type Lifecycle string

// Lifecycle values, in order.
const (
	Planned    Lifecycle = "PLANNED"
	Build      Lifecycle = "BUILD"
	Live       Lifecycle = "LIVE"
	Deprecated Lifecycle = "DEPRECATED"
	Retired    Lifecycle = "RETIRED"
)

// Values lists them in order.
func (Lifecycle) Values() []string { return list(Planned, Build, Live, Deprecated, Retired) }

// Environment is where a CI does its work.
type Environment string

// Environment values.
const (
	Production       Environment = "PRODUCTION"
	Staging          Environment = "STAGING"
	Testing          Environment = "TESTING"
	Development      Environment = "DEVELOPMENT"
	DisasterRecovery Environment = "DISASTER_RECOVERY"
)

// Values lists them.
func (Environment) Values() []string {
	return list(Production, Staging, Testing, Development, DisasterRecovery)
}

// Visibility says who may see a CI.
type Visibility string

// Visibility values.
const (
	Everyone Visibility = "EVERYONE"
	Owners   Visibility = "OWNERS"
)

// Values lists them.
func (Visibility) Values() []string { return list(Everyone, Owners) }

// Criticality is how much the business depends on a CI, on the OpenTelemetry service.criticality scale.
type Criticality string

// Criticality values, highest first.
const (
	CriticalityCritical Criticality = "CRITICAL"
	CriticalityHigh     Criticality = "HIGH"
	CriticalityMedium   Criticality = "MEDIUM"
	CriticalityLow      Criticality = "LOW"
)

// Values lists them, highest first.
func (Criticality) Values() []string {
	return list(CriticalityCritical, CriticalityHigh, CriticalityMedium, CriticalityLow)
}

// ServiceKind is the sort of service, as CSDM divides them. It follows from the CI's class.
type ServiceKind string

// ServiceKind values.
const (
	BusinessService    ServiceKind = "BUSINESS_SERVICE"
	ApplicationService ServiceKind = "APPLICATION_SERVICE"
	TechnicalService   ServiceKind = "TECHNICAL_SERVICE"
	ServiceOffering    ServiceKind = "SERVICE_OFFERING"
)

// Values lists them.
func (ServiceKind) Values() []string {
	return list(BusinessService, ApplicationService, TechnicalService, ServiceOffering)
}

// PortfolioStage is where a service stands in the service portfolio.
type PortfolioStage string

// PortfolioStage values, in order.
const (
	PortfolioPipeline PortfolioStage = "PIPELINE"
	PortfolioCatalog  PortfolioStage = "CATALOG"
	PortfolioRetired  PortfolioStage = "RETIRED"
)

// Values lists them in order.
func (PortfolioStage) Values() []string {
	return list(PortfolioPipeline, PortfolioCatalog, PortfolioRetired)
}

// LinkKind says what a service's link leads to.
type LinkKind string

// LinkKind values.
const (
	Repository LinkKind = "REPOSITORY"
	Dashboard  LinkKind = "DASHBOARD"
	Runbook    LinkKind = "RUNBOOK"
	Document   LinkKind = "DOCUMENT"
	Chat       LinkKind = "CHAT"
	OnCall     LinkKind = "ON_CALL"
	StatusPage LinkKind = "STATUS_PAGE"
	Other      LinkKind = "OTHER"
)

// Values lists them.
func (LinkKind) Values() []string {
	return list(Repository, Dashboard, Runbook, Document, Chat, OnCall, StatusPage, Other)
}

// ImpactDirection is the way that failure travels along a relationship of a type.
type ImpactDirection string

// ImpactDirection values.
const (
	NoImpact       ImpactDirection = "NONE"
	SourceToTarget ImpactDirection = "SOURCE_TO_TARGET"
	TargetToSource ImpactDirection = "TARGET_TO_SOURCE"
	BothDirections ImpactDirection = "BOTH"
)

// Values lists them.
func (ImpactDirection) Values() []string {
	return list(NoImpact, SourceToTarget, TargetToSource, BothDirections)
}

// Strength is the effect of a failed dependency: HARD takes its dependent down, SOFT degrades it.
type Strength string

// Strength values.
const (
	Hard Strength = "HARD"
	Soft Strength = "SOFT"
)

// Values lists them.
func (Strength) Values() []string { return list(Hard, Soft) }

// Cardinality bounds the relationships of a type at each end.
type Cardinality string

// Cardinality values.
const (
	ManyToMany Cardinality = "MANY_TO_MANY"
	ManyToOne  Cardinality = "MANY_TO_ONE" // a source has at most one target
	OneToMany  Cardinality = "ONE_TO_MANY" // a target has at most one source
	OneToOne   Cardinality = "ONE_TO_ONE"
)

// Values lists them.
func (Cardinality) Values() []string { return list(ManyToMany, ManyToOne, OneToMany, OneToOne) }

// GroupMode is how many members of a dependency group its CI needs.
type GroupMode string

// GroupMode values.
const (
	All      GroupMode = "ALL"
	Any      GroupMode = "ANY"
	AtLeast  GroupMode = "AT_LEAST"
	Percent  GroupMode = "PERCENT"
	Weighted GroupMode = "WEIGHTED"
)

// Values lists them.
func (GroupMode) Values() []string { return list(All, Any, AtLeast, Percent, Weighted) }

// DanglingKind is the part that a reference to an unknown record would have played.
type DanglingKind string

// DanglingKind values.
const (
	DanglingRelationship DanglingKind = "RELATIONSHIP"
	DanglingOwner        DanglingKind = "OWNER"
	DanglingParent       DanglingKind = "PARENT"
	DanglingMember       DanglingKind = "MEMBER"
	DanglingSupport      DanglingKind = "SUPPORT_TEAM"
)

// Values lists them.
func (DanglingKind) Values() []string {
	return list(DanglingRelationship, DanglingOwner, DanglingParent, DanglingMember, DanglingSupport)
}

// Operation is the effect of a write on a record.
type Operation string

// Operation values.
const (
	Created Operation = "CREATED"
	Updated Operation = "UPDATED"
	Deleted Operation = "DELETED"
)

// Values lists them.
func (Operation) Values() []string { return list(Created, Updated, Deleted) }

// TimelineKind is the sort of an entry in a record's timeline.
type TimelineKind string

// TimelineKind values.
const (
	Comment      TimelineKind = "COMMENT"       // seen by the caller too
	WorkNote     TimelineKind = "WORK_NOTE"     // for the people who work on it
	StateChange  TimelineKind = "STATE_CHANGE"  // written by the system
	ServiceLevel TimelineKind = "SERVICE_LEVEL" // likewise
	Edit         TimelineKind = "EDIT"          // likewise
)

// Values lists them.
func (TimelineKind) Values() []string {
	return list(Comment, WorkNote, StateChange, ServiceLevel, Edit)
}

func list[T ~string](values ...T) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	return all
}
