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

	"import.apply": Admin, "seed": Admin, "estate.generate": Admin,
}

// fields is the policy for reading: which role a GraphQL type needs, or a single field of it as Type.field.
var fields = map[string]Role{
	"Subscription": Viewer, "JournalEvent": Viewer, "CIEvent": Viewer, "IncidentEvent": Viewer, "ChangeEvent": Viewer,
	"ServiceStateEvent": Viewer, "ServiceStateChange": Viewer,
	"Query": Viewer, "Mutation": Viewer, // each mutation's verb is checked where it acts
	"Node": Viewer, "PageInfo": Viewer, "Viewer": Viewer, "UserError": Viewer,

	"CI": Viewer, "CIConnection": Viewer, "CIEdge": Viewer, "ExternalIdentity": Viewer,
	"DanglingReference": Viewer, "DanglingReferenceConnection": Viewer, "DanglingReferenceEdge": Viewer,
	"CIClass": Viewer, "CIClassConnection": Viewer, "CIClassEdge": Viewer,
	"Service": Viewer, "ServiceConnection": Viewer, "ServiceEdge": Viewer, "ServiceLink": Viewer, "ServiceTier": Viewer,
	"Relationship": Viewer, "RelationshipConnection": Viewer, "RelationshipEdge": Viewer,
	"RelationshipType": Viewer, "RelationshipTypeConnection": Viewer, "RelationshipTypeEdge": Viewer, "ClassPair": Viewer,
	"DependencyGroup": Viewer, "GroupMember": Viewer,
	"Team": Viewer, "TeamConnection": Viewer, "TeamEdge": Viewer,
	"Person": Viewer, "PersonConnection": Viewer, "PersonEdge": Viewer, "Owner": Viewer,

	"Impact": Viewer, "Completeness": Viewer, "AffectedCI": Viewer, "AffectedCIConnection": Viewer, "AffectedCIEdge": Viewer,
	"Proof": Viewer, "ProofCause": Viewer, "ImpactCounts": Viewer, "ClassCount": Viewer, "TierCount": Viewer,
	"EnvironmentCount": Viewer, "Subgraph": Viewer, "ImpactPath": Viewer,
	"Dependencies": Viewer, "NeededCI": Viewer, "NeededCIConnection": Viewer, "NeededCIEdge": Viewer,

	"SinglePoint": Viewer, "SinglePointConnection": Viewer, "SinglePointEdge": Viewer,
	"SharedGroup": Viewer, "SharedGroupConnection": Viewer, "SharedGroupEdge": Viewer, "CommonCause": Viewer,
	"RootCauseCandidate": Viewer, "RootCauseAlternative": Viewer,

	"Incident": Viewer, "IncidentConnection": Viewer, "IncidentEdge": Viewer, "IncidentCI": Viewer, "IncidentTransition": Viewer,
	"ImpactSnapshot": Viewer, "ImpactedRecord": Viewer, "ImpactDifference": Viewer, "ImpactDifferenceService": Viewer, "PriorityRule": Viewer,
	"TimelineEntry": Viewer, "TimelineEntryConnection": Viewer, "TimelineEntryEdge": Viewer,

	"Calendar": Viewer, "CalendarConnection": Viewer, "CalendarEdge": Viewer, "WorkingHours": Viewer, "Holiday": Viewer,
	"ServiceLevelTarget": Viewer, "ServiceLevelTargetConnection": Viewer, "ServiceLevelTargetEdge": Viewer,
	"ServiceLevel": Viewer, "ServiceLevelMark": Viewer,
	"KPI": Viewer, "KPIConnection": Viewer, "KPIEdge": Viewer, "KPIDurations": Viewer,
	"CreateCalendarPayload": Viewer, "UpdateCalendarPayload": Viewer, "DeleteCalendarPayload": Viewer,
	"CreateServiceLevelTargetPayload": Viewer, "UpdateServiceLevelTargetPayload": Viewer, "DeleteServiceLevelTargetPayload": Viewer,

	"Change": Viewer, "ChangeConnection": Viewer, "ChangeEdge": Viewer, "ChangeCI": Viewer, "ChangeTransition": Viewer, "Approval": Viewer,
	"ApprovalPolicy": Viewer, "ApprovalPolicyConnection": Viewer, "ApprovalPolicyEdge": Viewer, "ApprovalRequirement": Viewer,
	"CreateApprovalPolicyPayload": Viewer, "UpdateApprovalPolicyPayload": Viewer, "DeleteApprovalPolicyPayload": Viewer,
	"ChangeTemplate": Viewer, "ChangeTemplateConnection": Viewer, "ChangeTemplateEdge": Viewer,
	"CreateChangeTemplatePayload": Viewer, "UpdateChangeTemplatePayload": Viewer, "RetireChangeTemplatePayload": Viewer,
	"PlannedOperation": Viewer, "PlannedField": Viewer, "ChangePreview": Viewer, "OperationConflict": Viewer,
	"SinglePointShift": Viewer, "RedundancyShift": Viewer, "PlanChangeOperationsPayload": Viewer, "DraftUndoPayload": Viewer,

	"ChangeWindow": Viewer, "ChangeWindowConnection": Viewer, "ChangeWindowEdge": Viewer, "WindowOccurrence": Viewer,
	"CalendarEntry": Viewer, "CalendarEntryConnection": Viewer, "CalendarEntryEdge": Viewer,
	"Conflict": Viewer, "ConflictConnection": Viewer, "ConflictEdge": Viewer,
	"ChangeRisk": Viewer, "RiskFactor": Viewer, "RiskWeight": Viewer, "SetRiskWeightsPayload": Viewer, "SuspectChange": Viewer, "SuspectReason": Viewer,
	"CreateChangeWindowPayload": Viewer, "UpdateChangeWindowPayload": Viewer, "RemoveChangeWindowPayload": Viewer,

	"Entry": Viewer, "EntryConnection": Viewer, "EntryEdge": Viewer,
	"RecordVersion": Viewer, "RecordVersionConnection": Viewer, "RecordVersionEdge": Viewer,
	"SearchConnection": Viewer, "SearchEdge": Viewer,
	"_Service": Viewer,

	"__Schema": Viewer, "__Type": Viewer, "__Field": Viewer, "__InputValue": Viewer, "__EnumValue": Viewer, "__Directive": Viewer,

	"CreateCIPayload": Viewer, "UpdateCIPayload": Viewer, "RetireCIPayload": Viewer, "SetOwnersPayload": Viewer, "AddExternalIdentityPayload": Viewer,
	"CreateCIClassPayload": Viewer, "UpdateCIClassPayload": Viewer,
	"CreateServicePayload": Viewer, "UpdateServicePayload": Viewer, "CreateServiceTierPayload": Viewer, "UpdateServiceTierPayload": Viewer,
	"RelateCIsPayload": Viewer, "UpdateRelationshipPayload": Viewer, "UnrelateCIsPayload": Viewer,
	"CreateRelationshipTypePayload": Viewer, "UpdateRelationshipTypePayload": Viewer,
	"CreateDependencyGroupPayload": Viewer, "UpdateDependencyGroupPayload": Viewer, "RemoveDependencyGroupPayload": Viewer,
	"CreateTeamPayload": Viewer, "UpdateTeamPayload": Viewer, "AddTeamMemberPayload": Viewer, "RemoveTeamMemberPayload": Viewer,
	"CreatePersonPayload": Viewer, "UpdatePersonPayload": Viewer,
	"OpenIncidentPayload": Viewer, "UpdateIncidentPayload": Viewer, "AssignIncidentPayload": Viewer, "SetIncidentCIsPayload": Viewer,
	"StartIncidentPayload": Viewer, "HoldIncidentPayload": Viewer, "ResolveIncidentPayload": Viewer, "ReopenIncidentPayload": Viewer,
	"CloseIncidentPayload": Viewer, "CancelIncidentPayload": Viewer, "CommentOnIncidentPayload": Viewer, "SetPriorityRulePayload": Viewer,
	"DraftChangePayload": Viewer, "UpdateChangePayload": Viewer, "AssessChangePayload": Viewer, "RequestChangeApprovalPayload": Viewer,
	"ApproveChangePayload": Viewer, "RejectChangePayload": Viewer, "ScheduleChangePayload": Viewer, "StartChangePayload": Viewer,
	"ReviewChangePayload": Viewer, "CloseChangePayload": Viewer, "CancelChangePayload": Viewer, "ReturnChangePayload": Viewer, "CommentOnChangePayload": Viewer,
}
