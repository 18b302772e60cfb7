package read

import "github.com/linchpin-cmdb/linchpin/internal/domain"

// The pages and filters of the contract by name: gqlgen binds to names.
//
//nolint:revive // one comment stands for all of them
type (
	CIConnection                = Connection[CI]
	CIEdge                      = Edge[CI]
	CIClassConnection           = Connection[CIClass]
	CIClassEdge                 = Edge[CIClass]
	ServiceConnection           = Connection[Service]
	ServiceEdge                 = Edge[Service]
	RelationshipConnection      = Connection[Relationship]
	RelationshipEdge            = Edge[Relationship]
	RelationshipTypeConnection  = Connection[RelationshipType]
	RelationshipTypeEdge        = Edge[RelationshipType]
	DanglingReferenceConnection = Connection[DanglingReference]
	DanglingReferenceEdge       = Edge[DanglingReference]
	TeamConnection              = Connection[Team]
	TeamEdge                    = Edge[Team]
	PersonConnection            = Connection[Person]
	PersonEdge                  = Edge[Person]
	AffectedCIConnection        = Connection[AffectedCI]
	AffectedCIEdge              = Edge[AffectedCI]
	NeededCIConnection          = Connection[NeededCI]
	NeededCIEdge                = Edge[NeededCI]
	SinglePointConnection       = Connection[SinglePoint]
	SinglePointEdge             = Edge[SinglePoint]
	SharedGroupConnection       = Connection[SharedGroup]
	SharedGroupEdge             = Edge[SharedGroup]
	IncidentConnection          = Connection[Incident]
	IncidentEdge                = Edge[Incident]
	TimelineEntryConnection     = Connection[TimelineEntry]
	TimelineEntryEdge           = Edge[TimelineEntry]
	ChangeConnection            = Connection[Change]
	ChangeEdge                  = Edge[Change]
	EntryConnection             = Connection[Entry]
	EntryEdge                   = Edge[Entry]
	RecordVersionConnection     = Connection[RecordVersion]
	RecordVersionEdge           = Edge[RecordVersion]

	CalendarConnection           = Connection[Calendar]
	CalendarEdge                 = Edge[Calendar]
	ServiceLevelTargetConnection = Connection[ServiceLevelTarget]
	ServiceLevelTargetEdge       = Edge[ServiceLevelTarget]
	KPIConnection                = Connection[KPI]
	KPIEdge                      = Edge[KPI]

	LifecycleFilter      = EnumFilter[domain.Lifecycle]
	EnvironmentFilter    = EnumFilter[domain.Environment]
	CriticalityFilter    = EnumFilter[domain.Criticality]
	ServiceKindFilter    = EnumFilter[domain.ServiceKind]
	PortfolioStageFilter = EnumFilter[domain.PortfolioStage]
	IncidentStateFilter  = EnumFilter[domain.IncidentState]
	ChangeStateFilter    = EnumFilter[domain.ChangeState]
	ChangeTypeFilter     = EnumFilter[domain.ChangeType]
)
