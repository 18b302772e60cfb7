package auth

// Proof is what a verb asks of the caller beside a role.
type Proof string

// The proofs, each more than the one before.
const (
	NoProof   Proof = "NONE"
	APerson   Proof = "PERSON"    // no service account: it is a person's to say
	SignedIn  Proof = "SIGNED_IN" // a person's session, and no token
	FreshSign Proof = "FRESH"     // a session that began not long ago
)

// Rule is a line of the policy: who may do what.
type Rule struct {
	Verb     string // the practice and what it does
	Mutation string // of the contract; "" for commands
	Role     Role   // that may, whatever record it is about
	InTeam   bool   // so may an actor that has the role within a team, if the team works on the record or owns a CI of it
	Owners   bool   // so may an owner of the CI
	BySource bool   // so may an INTEGRATOR, of its own sources
	Proof    Proof
}

// rule makes a line of the policy.
func rule(verb, mutation string, role Role, more ...func(*Rule)) Rule {
	r := Rule{Verb: verb, Mutation: mutation, Role: role, Proof: NoProof}
	for _, add := range more {
		add(&r)
	}
	return r
}

func inTeam(r *Rule)   { r.InTeam = true }
func owners(r *Rule)   { r.Owners = true }
func bySource(r *Rule) { r.BySource = true }
func byPerson(r *Rule) { r.Proof = APerson }
func signedIn(r *Rule) { r.Proof = SignedIn }
func fresh(r *Rule)    { r.Proof = FreshSign }

// Rules is the policy for actions. It lets nobody do anything else.
var Rules = []Rule{
	rule("ci.create", "createCI", CatalogEditor),
	rule("ci.update", "updateCI", CatalogEditor, owners), // but for what only ByRole lets
	rule("ci.retire", "retireCI", CatalogEditor),
	rule("ci.set_owners", "setOwners", CatalogEditor),
	rule("ci.add_external_identity", "addExternalIdentity", CatalogEditor),
	rule("ci_class.create", "createCIClass", Admin),
	rule("ci_class.update", "updateCIClass", Admin),
	rule("service.create", "createService", CatalogEditor),
	rule("service.update", "updateService", CatalogEditor, owners),
	rule("service_tier.create", "createServiceTier", Admin),
	rule("service_tier.update", "updateServiceTier", Admin),
	rule("relationship.create", "relateCIs", CatalogEditor, owners),
	rule("relationship.update", "updateRelationship", CatalogEditor, owners),
	rule("relationship.unrelate", "unrelateCIs", CatalogEditor, owners),
	rule("relationship_type.create", "createRelationshipType", Admin),
	rule("relationship_type.update", "updateRelationshipType", Admin),
	rule("dependency_group.create", "createDependencyGroup", CatalogEditor, owners),
	rule("dependency_group.update", "updateDependencyGroup", CatalogEditor, owners),
	rule("dependency_group.delete", "deleteDependencyGroup", CatalogEditor, owners),
	rule("team.create", "createTeam", CatalogEditor),
	rule("team.update", "updateTeam", CatalogEditor),
	rule("team.add_member", "addTeamMember", CatalogEditor), // of teams with power only by ADMIN
	rule("team.remove_member", "removeTeamMember", CatalogEditor),
	rule("person.create", "createPerson", CatalogEditor),
	rule("person.update", "updatePerson", CatalogEditor),

	rule("incident.open", "openIncident", Operator, inTeam, bySource),
	rule("incident.update", "updateIncident", Operator, inTeam),
	rule("incident.assign", "assignIncident", Operator, inTeam),
	rule("incident.set_cis", "setIncidentCIs", Operator, inTeam),
	rule("incident.start", "startIncident", Operator, inTeam),
	rule("incident.hold", "holdIncident", Operator, inTeam),
	rule("incident.resolve", "resolveIncident", Operator, inTeam, bySource),
	rule("incident.reopen", "reopenIncident", Operator, inTeam),
	rule("incident.close", "closeIncident", Operator, inTeam),
	rule("incident.cancel", "cancelIncident", Operator, inTeam),
	rule("incident.comment", "commentOnIncident", Operator, inTeam),
	rule("priority_rule.set", "setPriorityRule", Admin),

	rule("change.draft", "draftChange", ChangeManager, inTeam),
	rule("change.draft_undo", "draftUndo", ChangeManager, inTeam),
	rule("change.update", "updateChange", ChangeManager, inTeam),
	rule("change.plan_operations", "planChangeOperations", ChangeManager, inTeam),
	rule("change.apply_operations", "applyOperations", CatalogEditor, owners), // each operation as its own verb
	rule("change.assess", "assessChange", ChangeManager, inTeam),
	rule("change.request_approval", "requestChangeApproval", ChangeManager, inTeam),
	rule("change.approve", "approveChange", ChangeManager, inTeam, byPerson),
	rule("change.reject", "rejectChange", ChangeManager, inTeam, byPerson),
	rule("change.schedule", "scheduleChange", ChangeManager, inTeam),
	rule("change.start", "startChange", ChangeManager, inTeam),
	rule("change.review", "reviewChange", ChangeManager, inTeam),
	rule("change.close", "closeChange", ChangeManager, inTeam),
	rule("change.cancel", "cancelChange", ChangeManager, inTeam),
	rule("change.return", "returnChange", ChangeManager, inTeam),
	rule("change.comment", "commentOnChange", ChangeManager, inTeam),
	rule("change_template.create", "createChangeTemplate", Admin),
	rule("change_template.update", "updateChangeTemplate", Admin),
	rule("change_template.retire", "retireChangeTemplate", Admin),
	rule("change_window.create", "createChangeWindow", ChangeManager),
	rule("change_window.update", "updateChangeWindow", ChangeManager),
	rule("change_window.delete", "deleteChangeWindow", ChangeManager),
	rule("risk_weight.set", "setRiskWeights", ChangeManager),
	rule("approval_policy.create", "createApprovalPolicy", Admin),
	rule("approval_policy.update", "updateApprovalPolicy", Admin),
	rule("approval_policy.delete", "deleteApprovalPolicy", Admin),

	rule("calendar.create", "createCalendar", CatalogEditor),
	rule("calendar.update", "updateCalendar", CatalogEditor),
	rule("calendar.delete", "deleteCalendar", CatalogEditor),
	rule("service_level_target.create", "createServiceLevelTarget", CatalogEditor),
	rule("service_level_target.update", "updateServiceLevelTarget", CatalogEditor),
	rule("service_level_target.delete", "deleteServiceLevelTarget", CatalogEditor),

	rule("account.create", "createServiceAccount", Admin, fresh),
	rule("account.invite", "inviteAccount", Admin, fresh),
	rule("account.link", "linkAccount", Admin, fresh),
	rule("account.disable", "disableAccount", Admin, fresh),
	rule("account.enable", "enableAccount", Admin, fresh),
	rule("account.erase", "eraseAccount", Admin, fresh),
	rule("account.bind_role", "bindRole", Admin, fresh),
	rule("account.unbind_role", "unbindRole", Admin, fresh),
	// Of one's own account, and of others if one is an admin. To stop somebody is never too late.
	rule("account.create_token", "createApiToken", Viewer, fresh),
	rule("account.revoke_token", "revokeApiToken", Viewer, signedIn),
	rule("account.end_sessions", "endSessions", Viewer, signedIn),

	rule("ci.lock_field", "lockField", CatalogEditor),
	rule("ci.release_field", "releaseField", CatalogEditor),
	rule("import.apply", "applyRun", Admin, bySource),
	rule("import.approve", "approveRun", Admin, byPerson),
	rule("import.discard", "discardRun", Admin, bySource),
	rule("source.set", "setSource", Admin),
	rule("seed", "", Admin),
	rule("estate.generate", "", Admin),
}

// ruleOf returns the line of the policy for a verb, and reports whether there is one.
func ruleOf(verb string) (Rule, bool) {
	r, ok := byVerb[verb]
	return r, ok
}

var byVerb = func() map[string]Rule {
	all := make(map[string]Rule, len(Rules))
	for _, r := range Rules {
		all[r.Verb] = r
	}
	return all
}()

// fields is the policy for reading: which role a GraphQL type needs, or a single field of it as Type.field. The pages
// of a record need what the record needs, and payloads what mutations need, unless they stand here themselves.
var fields = map[string]Role{
	"Subscription": Viewer, "JournalEvent": Viewer, "CIEvent": Viewer, "IncidentEvent": Viewer, "ChangeEvent": Viewer,
	"ServiceStateEvent": Viewer, "ServiceStateChange": Viewer,
	"Query": Viewer, "Mutation": Viewer, // each mutation's verb is checked where it acts
	"Node": Viewer, "PageInfo": Viewer, "Viewer": Viewer, "UserError": Viewer, "Warning": Viewer,

	"Account": Viewer, "RoleBinding": Viewer, "ApiToken": Viewer, "EntryAuthor": Viewer, "Grant": Viewer, "Session": Viewer,
	"PolicyRule": Viewer, "SignIn": Auditor, "Query.signIns": Auditor, "JournalCheckpoint": Auditor, "Query.journalCheckpoint": Auditor,

	"CI": Viewer, "Label": Viewer, "ExternalIdentity": Viewer,
	"CIFacet": Viewer, "ServiceFacet": Viewer, "IncidentFacet": Viewer, "ChangeFacet": Viewer, "FacetValue": Viewer,
	"DanglingReference": Viewer,
	"CIClass":           Viewer,
	"Service":           Viewer, "ServiceLink": Viewer, "ServiceTier": Viewer,
	"Relationship":     Viewer,
	"RelationshipType": Viewer, "ClassPair": Viewer,
	"DependencyGroup": Viewer, "DependencyGroupMember": Viewer,
	"Team":   Viewer,
	"Person": Viewer, "Owner": Viewer,

	"Impact": Viewer, "ImpactNote": Viewer, "Completeness": Viewer, "AffectedCI": Viewer, "StateCause": Viewer, "StructureWrite": Viewer,
	"Proof": Viewer, "ProofCause": Viewer, "ImpactCounts": Viewer, "ClassCount": Viewer, "TierCount": Viewer,
	"EnvironmentCount": Viewer, "Subgraph": Viewer, "ImpactPath": Viewer,
	"Dependencies": Viewer, "NeededCI": Viewer,

	"SinglePoint": Viewer,
	"SharedGroup": Viewer, "CommonCause": Viewer,
	"RootCauseCandidate": Viewer, "RootCauseAlternative": Viewer,

	"Incident": Viewer, "IncidentCI": Viewer, "IncidentTransition": Viewer,
	"ImpactSnapshot": Viewer, "ImpactedRecord": Viewer, "ImpactDifference": Viewer, "ImpactDifferenceService": Viewer, "PriorityRule": Viewer,
	"TimelineEntry": Viewer,

	"Calendar": Viewer, "WorkingHours": Viewer, "Holiday": Viewer,
	"ServiceLevelTarget": Viewer,
	"ServiceLevel":       Viewer, "ServiceLevelMark": Viewer,
	"KPI": Viewer, "KPIDurations": Viewer,

	"Source": Viewer, "SourceScope": Viewer, "FieldPriority": Viewer,
	"ImportRun": Viewer, "ImportRunFigure": Viewer, "ImportRunRow": Viewer, "ImportedField": Viewer,
	"Drift": Viewer, "DriftConnection": Viewer, "DriftEdge": Viewer, "Claim": Viewer, "ClaimedField": Viewer,

	"Change": Viewer, "ChangeCI": Viewer, "ChangeTransition": Viewer, "Approval": Viewer,
	"ApprovalPolicy": Viewer, "ApprovalRequirement": Viewer,
	"ChangeTemplate":   Viewer,
	"PlannedOperation": Viewer, "AppliedOperation": Viewer, "PlannedField": Viewer, "ChangePreview": Viewer, "OperationConflict": Viewer,
	"SinglePointShift": Viewer, "RedundancyShift": Viewer,

	"ChangeWindow": Viewer, "WindowOccurrence": Viewer,
	"CalendarEntry": Viewer,
	"Conflict":      Viewer,
	"ChangeRisk":    Viewer, "RiskFactor": Viewer, "RiskWeight": Viewer, "SuspectChange": Viewer, "SuspectReason": Viewer,

	"Entry":            Viewer,
	"RecordVersion":    Viewer,
	"SearchConnection": Viewer, "SearchEdge": Viewer, "FoundConnection": Viewer, "FoundEdge": Viewer, // of records of several kinds
	"_Service": Viewer,

	"__Schema": Viewer, "__Type": Viewer, "__Field": Viewer, "__InputValue": Viewer, "__EnumValue": Viewer, "__Directive": Viewer,
}
