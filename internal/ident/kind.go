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
	PlannedOutage
	Account
	RoleBinding
	APIToken
	// Consequence is a CI of which a write broke what it needs, because that was accepted.
	Consequence
	// Source is a system that CIs are imported from, and how far it is believed.
	Source
	// ImportRun is one reading of a source. It has no journal: its table is x_run.
	ImportRun
	kindEnd
)

// facts are the properties of a kind.
type facts struct {
	prefix      string // before the underscore of an id
	noun        string // what people call a record
	isSubject   bool   // whether a record has a history of its own, which shows what happened to its parts
	isDeletable bool   // whether records may be deleted; others are retired or kept
}

var kinds = [kindEnd]facts{
	CI:                 {prefix: "ci", noun: "CI", isSubject: true},
	CIClass:            {prefix: "cls", noun: "class"},
	RelationshipType:   {prefix: "rty", noun: "relationship type"},
	Relationship:       {prefix: "rel", noun: "relationship", isDeletable: true},
	DependencyGroup:    {prefix: "grp", noun: "dependency group", isDeletable: true},
	ExternalIdentity:   {prefix: "xid", noun: "external identity", isDeletable: true},
	DanglingReference:  {prefix: "dng", noun: "dangling reference", isDeletable: true},
	Team:               {prefix: "team", noun: "team"},
	Person:             {prefix: "per", noun: "person"},
	Membership:         {prefix: "mbr", noun: "membership", isDeletable: true},
	Owner:              {prefix: "own", noun: "owner", isDeletable: true},
	ServiceTier:        {prefix: "tier", noun: "service tier"},
	Incident:           {prefix: "inc", noun: "incident", isSubject: true},
	IncidentCI:         {prefix: "ici", noun: "CI of an incident", isDeletable: true},
	Change:             {prefix: "chg", noun: "change", isSubject: true},
	ChangeCI:           {prefix: "cci", noun: "CI of a change", isDeletable: true},
	Approval:           {prefix: "apr", noun: "approval"},
	TimelineEntry:      {prefix: "tml", noun: "timeline entry"},
	Entry:              {prefix: "jrn", noun: "journal entry"},
	Version:            {prefix: "ver", noun: "version"},
	PriorityRule:       {prefix: "prr", noun: "priority rule"},
	Service:            {prefix: "svc", noun: "service"},
	Calendar:           {prefix: "cal", noun: "calendar", isDeletable: true},
	ServiceLevelTarget: {prefix: "slt", noun: "service level target", isDeletable: true},
	ServiceLevelMark:   {prefix: "slm", noun: "service level mark"},
	PlannedOperation:   {prefix: "pop", noun: "planned operation", isDeletable: true},
	ChangeWindow:       {prefix: "win", noun: "change window", isDeletable: true},
	RiskWeight:         {prefix: "rwt", noun: "risk weight"},
	ApprovalPolicy:     {prefix: "pol", noun: "approval policy", isDeletable: true},
	ChangeTemplate:     {prefix: "tpl", noun: "change template"},
	ConflictFinding:    {prefix: "cnf", noun: "conflict finding"},
	PlannedOutage:      {prefix: "out", noun: "planned outage"},
	Account:            {prefix: "acc", noun: "account"},
	RoleBinding:        {prefix: "rbd", noun: "role binding", isDeletable: true},
	APIToken:           {prefix: "tok", noun: "API token"},
	Consequence:        {prefix: "csq", noun: "consequence"},
	Source:             {prefix: "src", noun: "source"},
	ImportRun:          {prefix: "run", noun: "run of an import"},
}

var kindsByPrefix = func() map[string]Kind {
	m := make(map[string]Kind, kindEnd)
	for k := CI; k < kindEnd; k++ {
		m[kinds[k].prefix] = k
	}
	return m
}()

// facts returns the row of k in the table of kinds. If k is no kind, the prefix is "unknown" and the noun "record".
func (k Kind) facts() facts {
	if k == 0 || k >= kindEnd {
		return facts{prefix: "unknown", noun: "record"}
	}
	return kinds[k]
}

// Kinds returns all kinds.
func Kinds() []Kind {
	all := make([]Kind, 0, kindEnd)
	for k := CI; k < kindEnd; k++ {
		all = append(all, k)
	}
	return all
}

// Prefix returns the short word before the underscore, such as "ci".
func (k Kind) Prefix() string { return k.facts().prefix }

// Noun returns what people call a record of the kind, such as "dependency group".
func (k Kind) Noun() string { return k.facts().noun }

// IsSubject reports whether a record of the kind has a history of its own, which shows what happened to its parts.
func (k Kind) IsSubject() bool { return k.facts().isSubject }

// IsDeletable reports whether records of the kind may be deleted; others are retired or kept.
func (k Kind) IsDeletable() bool { return k.facts().isDeletable }

// String returns the prefix.
func (k Kind) String() string { return k.Prefix() }

// First returns the first id of the kind, where its table's numbering starts.
func (k Kind) First() int64 { return int64(New(k, 1)) }
