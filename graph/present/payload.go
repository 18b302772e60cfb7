// Package present turns what verbs answer into payloads: records for what worked, userErrors for what a person can
// mend. What nobody at the keyboard can mend stays an error.
package present

import (
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// The payloads of mutations: the record, or what has to be mended.
type (
	// CIPayload answers mutations of a CI.
	CIPayload struct {
		Ci         *read.CI
		UserErrors []*UserError
	}
	// CIClassPayload answers mutations of a class.
	CIClassPayload struct {
		CiClass    *read.CIClass
		UserErrors []*UserError
	}
	// ServicePayload answers mutations of a service.
	ServicePayload struct {
		Service    *read.Service
		UserErrors []*UserError
	}
	// ServiceTierPayload answers mutations of a tier.
	ServiceTierPayload struct {
		ServiceTier *read.ServiceTier
		UserErrors  []*UserError
	}
	// RelationshipPayload answers mutations of a relationship.
	RelationshipPayload struct {
		Relationship *read.Relationship
		UserErrors   []*UserError
	}
	// RelationshipTypePayload answers mutations of a relationship type.
	RelationshipTypePayload struct {
		RelationshipType *read.RelationshipType
		UserErrors       []*UserError
	}
	// DependencyGroupPayload answers mutations of a dependency group.
	DependencyGroupPayload struct {
		DependencyGroup *read.DependencyGroup
		UserErrors      []*UserError
	}
	// RemovedPayload answers mutations that remove a record.
	RemovedPayload struct {
		RemovedID  *ident.ID
		UserErrors []*UserError
	}
	// TeamPayload answers mutations of a team.
	TeamPayload struct {
		Team       *read.Team
		UserErrors []*UserError
	}
	// PersonPayload answers mutations of a person.
	PersonPayload struct {
		Person     *read.Person
		UserErrors []*UserError
	}
	// IncidentPayload answers mutations of an incident.
	IncidentPayload struct {
		Incident   *read.Incident
		UserErrors []*UserError
	}
	// ChangePayload answers mutations of a change.
	ChangePayload struct {
		Change     *read.Change
		UserErrors []*UserError
	}
	// CalendarPayload answers mutations of a calendar.
	CalendarPayload struct {
		Calendar   *read.Calendar
		UserErrors []*UserError
	}
	// ServiceLevelTargetPayload answers mutations of a service level target.
	ServiceLevelTargetPayload struct {
		ServiceLevelTarget *read.ServiceLevelTarget
		UserErrors         []*UserError
	}
	// ChangeWindowPayload answers mutations of a change window.
	ChangeWindowPayload struct {
		ChangeWindow *read.ChangeWindow
		UserErrors   []*UserError
	}
	// RiskWeightsPayload answers setRiskWeights.
	RiskWeightsPayload struct {
		Weights    []*read.RiskWeight
		UserErrors []*UserError
	}
	// ApprovalPolicyPayload answers mutations of an approval policy.
	ApprovalPolicyPayload struct {
		ApprovalPolicy *read.ApprovalPolicy
		UserErrors     []*UserError
	}
	// ChangeTemplatePayload answers mutations of a template of STANDARD changes.
	ChangeTemplatePayload struct {
		ChangeTemplate *read.ChangeTemplate
		UserErrors     []*UserError
	}
	// TimelineEntryPayload answers comments.
	TimelineEntryPayload struct {
		TimelineEntry *read.TimelineEntry
		UserErrors    []*UserError
	}
)
