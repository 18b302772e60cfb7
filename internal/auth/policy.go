package auth

// verbs is the policy for actions: which role a verb needs. A verb is the practice and what it does.
var verbs = map[string]Role{
	"ci.create": CatalogEditor, "ci.update": CatalogEditor, "ci.retire": CatalogEditor,
	"ci.set_owners": CatalogEditor, "ci.add_external_identity": CatalogEditor,
	"ci_class.create": Admin, "ci_class.update": Admin,
	"service.create": CatalogEditor, "service.update": CatalogEditor,
	"service_tier.create": Admin, "service_tier.update": Admin,
	"relationship.create": CatalogEditor, "relationship.update": CatalogEditor, "relationship.remove": CatalogEditor,
	"relationship_type.create": Admin, "relationship_type.update": Admin,
	"dependency_group.create": CatalogEditor, "dependency_group.update": CatalogEditor, "dependency_group.remove": CatalogEditor,
	"team.create": CatalogEditor, "team.update": CatalogEditor, "team.add_member": CatalogEditor, "team.remove_member": CatalogEditor,
	"person.create": CatalogEditor, "person.update": CatalogEditor,

	"incident.open": Operator, "incident.update": Operator, "incident.assign": Operator, "incident.set_cis": Operator,
	"incident.start": Operator, "incident.hold": Operator, "incident.resolve": Operator, "incident.reopen": Operator,
	"incident.close": Operator, "incident.cancel": Operator, "incident.comment": Operator,
	"priority_rule.set": Admin,

	"change.draft": ChangeManager, "change.update": ChangeManager, "change.assess": ChangeManager,
	"change.request_approval": ChangeManager, "change.approve": ChangeManager, "change.reject": ChangeManager,
	"change.schedule": ChangeManager, "change.start": ChangeManager, "change.review": ChangeManager,
	"change.close": ChangeManager, "change.cancel": ChangeManager, "change.return": ChangeManager, "change.comment": ChangeManager,
	"change.plan_operations": ChangeManager, "change.draft_undo": ChangeManager,

	"approval_policy.create": Admin, "approval_policy.update": Admin, "approval_policy.delete": Admin,

	"change_template.create": Admin, "change_template.update": Admin, "change_template.retire": Admin,

	"calendar.create": CatalogEditor, "calendar.update": CatalogEditor, "calendar.delete": CatalogEditor,
	"service_level_target.create": CatalogEditor, "service_level_target.update": CatalogEditor, "service_level_target.delete": CatalogEditor,
	"change_window.create": ChangeManager, "change_window.update": ChangeManager, "change_window.remove": ChangeManager,
	"risk_weight.set": ChangeManager,

	"account.create": Admin, "account.invite": Admin, "account.disable": Admin, "account.enable": Admin,
	"account.bind_role": Admin, "account.unbind_role": Admin,
	// Of one's own account, and of others if one is an admin:
	"account.create_token": Viewer, "account.revoke_token": Viewer, "account.end_sessions": Viewer,

	"import.apply": Admin, "seed": Admin, "estate.generate": Admin,
}

// conditions are what verbs ask beside a role.
var conditions = map[string]condition{
	"account.create": {true, true}, "account.invite": {true, true}, "account.disable": {true, true}, "account.enable": {true, true},
	"account.bind_role": {true, true}, "account.unbind_role": {true, true}, "account.create_token": {true, true},
	"account.revoke_token": {true, false}, "account.end_sessions": {true, false}, // to stop somebody is never too late
}

// fields is the policy for reading: which role a GraphQL type needs, or a single field of it as Type.field. The pages
// of a record need what the record needs, and payloads what mutations need, unless they stand here themselves.
var fields = map[string]Role{
	"Subscription": Viewer, "JournalEvent": Viewer, "CIEvent": Viewer, "IncidentEvent": Viewer, "ChangeEvent": Viewer,
	"ServiceStateEvent": Viewer, "ServiceStateChange": Viewer,
	"Query": Viewer, "Mutation": Viewer, // each mutation's verb is checked where it acts
	"Node": Viewer, "PageInfo": Viewer, "Viewer": Viewer, "Account": Viewer, "RoleBinding": Viewer, "ApiToken": Viewer, "EntryAuthor": Viewer, "UserError": Viewer, "Warning": Viewer,

	"CI": Viewer, "ExternalIdentity": Viewer,
	"DanglingReference": Viewer,
	"CIClass":           Viewer,
	"Service":           Viewer, "ServiceLink": Viewer, "ServiceTier": Viewer,
	"Relationship":     Viewer,
	"RelationshipType": Viewer, "ClassPair": Viewer,
	"DependencyGroup": Viewer, "GroupMember": Viewer,
	"Team":   Viewer,
	"Person": Viewer, "Owner": Viewer,

	"Impact": Viewer, "ImpactNote": Viewer, "Completeness": Viewer, "AffectedCI": Viewer, "StateCause": Viewer,
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

	"Change": Viewer, "ChangeCI": Viewer, "ChangeTransition": Viewer, "Approval": Viewer,
	"ApprovalPolicy": Viewer, "ApprovalRequirement": Viewer,
	"ChangeTemplate":   Viewer,
	"PlannedOperation": Viewer, "PlannedField": Viewer, "ChangePreview": Viewer, "OperationConflict": Viewer,
	"SinglePointShift": Viewer, "RedundancyShift": Viewer,

	"ChangeWindow": Viewer, "WindowOccurrence": Viewer,
	"CalendarEntry": Viewer,
	"Conflict":      Viewer,
	"ChangeRisk":    Viewer, "RiskFactor": Viewer, "RiskWeight": Viewer, "SuspectChange": Viewer, "SuspectReason": Viewer,

	"Entry":            Viewer,
	"RecordVersion":    Viewer,
	"SearchConnection": Viewer, "SearchEdge": Viewer, // of records of several kinds
	"_Service": Viewer,

	"__Schema": Viewer, "__Type": Viewer, "__Field": Viewer, "__InputValue": Viewer, "__EnumValue": Viewer, "__Directive": Viewer,
}
