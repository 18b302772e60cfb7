package ident

// Kind is a sort of record. Its number is stored in every id: append, never renumber.
type Kind uint16

// The kinds, in the order they were introduced.
const (
	CI Kind = iota + 1
	CIClass
	RelationshipType
	Relationship
	DependencyGroup
	ExternalIdentity
	DanglingReference
	Team
	Person
	Membership
	Owner
	ServiceTier
	Incident
	IncidentCI
	Change
	ChangeCI
	Approval
	TimelineEntry
	Entry
	Version
	PriorityRule
	// Service is a CI seen from the catalogue: it has no table and no numbers of its own.
	Service
	Calendar
	ServiceLevelTarget
	ServiceLevelMark
	// PlannedOperation is one step of what a change does to the graph.
	PlannedOperation
	ChangeWindow
	RiskWeight
	ApprovalPolicy
	ChangeTemplate
	ConflictFinding
	kindEnd
)

var prefixes = [kindEnd]string{
	CI: "ci", CIClass: "cls", RelationshipType: "rty", Relationship: "rel", DependencyGroup: "grp",
	ExternalIdentity: "xid", DanglingReference: "dng", Team: "team", Person: "per", Membership: "mbr", Owner: "own",
	ServiceTier: "tier", Incident: "inc", IncidentCI: "ici", Change: "chg", ChangeCI: "cci", Approval: "apr",
	TimelineEntry: "tml", Entry: "jrn", Version: "ver", PriorityRule: "prr", Service: "svc",
	Calendar: "cal", ServiceLevelTarget: "slt", ServiceLevelMark: "slm", PlannedOperation: "pop",
	ChangeWindow: "win", RiskWeight: "rwt", ApprovalPolicy: "pol", ChangeTemplate: "tpl", ConflictFinding: "cnf",
}

var nouns = [kindEnd]string{
	CI: "CI", CIClass: "class", RelationshipType: "relationship type", Relationship: "relationship", DependencyGroup: "dependency group",
	ExternalIdentity: "external identity", DanglingReference: "dangling reference", Team: "team", Person: "person", Membership: "membership",
	Owner: "owner", ServiceTier: "service tier", Incident: "incident", IncidentCI: "CI of an incident", Change: "change",
	ChangeCI: "CI of a change", Approval: "approval", TimelineEntry: "timeline entry", Entry: "journal entry", Version: "version",
	PriorityRule: "priority rule", Service: "service", Calendar: "calendar", ServiceLevelTarget: "service level target",
	ServiceLevelMark: "service level mark", PlannedOperation: "planned operation", ChangeWindow: "change window", RiskWeight: "risk weight",
	ApprovalPolicy: "approval policy", ChangeTemplate: "change template", ConflictFinding: "conflict finding",
}

var kindsByPrefix = func() map[string]Kind {
	m := make(map[string]Kind, kindEnd)
	for k := CI; k < kindEnd; k++ {
		m[prefixes[k]] = k
	}
	return m
}()

// Prefix is the short word before the underscore, such as "ci".
func (k Kind) Prefix() string {
	if k == 0 || k >= kindEnd {
		return "unknown"
	}
	return prefixes[k]
}

// Noun is what people call a record of the kind, such as "dependency group".
func (k Kind) Noun() string {
	if k == 0 || k >= kindEnd {
		return "record"
	}
	return nouns[k]
}

// String is the prefix.
func (k Kind) String() string { return k.Prefix() }

// First is the first id of the kind, where its table's numbering starts.
func (k Kind) First() int64 { return int64(New(k, 1)) }
