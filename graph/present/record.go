package present

import (
	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/risk"
)

// CI presents a CI.
func CI(r *read.Reader, record *ent.CI, err error) (*CIPayload, error) {
	return answer(record, err, r.ShowCI, func(v *read.CI, mend []*UserError) *CIPayload { return &CIPayload{v, mend} })
}

// CIClass presents a class.
func CIClass(r *read.Reader, record *ent.CIClass, err error) (*CIClassPayload, error) {
	return answer(record, err, r.ShowCIClass, func(v *read.CIClass, mend []*UserError) *CIClassPayload { return &CIClassPayload{v, mend} })
}

// Service presents a service.
func Service(r *read.Reader, record *ent.CI, err error) (*ServicePayload, error) {
	return answer(record, err, r.ShowService, func(v *read.Service, mend []*UserError) *ServicePayload { return &ServicePayload{v, mend} })
}

// ServiceTier presents a tier.
func ServiceTier(r *read.Reader, record *ent.ServiceTier, err error) (*ServiceTierPayload, error) {
	return answer(record, err, r.ShowServiceTier, func(v *read.ServiceTier, mend []*UserError) *ServiceTierPayload { return &ServiceTierPayload{v, mend} })
}

// Relationship presents a relationship.
func Relationship(r *read.Reader, record *ent.Relationship, err error) (*RelationshipPayload, error) {
	return answer(record, err, r.ShowRelationship, func(v *read.Relationship, mend []*UserError) *RelationshipPayload {
		return &RelationshipPayload{v, mend}
	})
}

// RelationshipType presents a relationship type.
func RelationshipType(r *read.Reader, record *ent.RelationshipType, err error) (*RelationshipTypePayload, error) {
	return answer(record, err, r.ShowRelationshipType, func(v *read.RelationshipType, mend []*UserError) *RelationshipTypePayload {
		return &RelationshipTypePayload{v, mend}
	})
}

// DependencyGroup presents a dependency group.
func DependencyGroup(r *read.Reader, record *ent.DependencyGroup, err error) (*DependencyGroupPayload, error) {
	return answer(record, err, r.ShowDependencyGroup, func(v *read.DependencyGroup, mend []*UserError) *DependencyGroupPayload {
		return &DependencyGroupPayload{v, mend}
	})
}

// Team presents a team.
func Team(r *read.Reader, record *ent.Team, err error) (*TeamPayload, error) {
	return answer(record, err, r.ShowTeam, func(v *read.Team, mend []*UserError) *TeamPayload { return &TeamPayload{v, mend} })
}

// Person presents a person.
func Person(r *read.Reader, record *ent.Person, err error) (*PersonPayload, error) {
	return answer(record, err, r.ShowPerson, func(v *read.Person, mend []*UserError) *PersonPayload { return &PersonPayload{v, mend} })
}

// Incident presents an incident.
func Incident(r *read.Reader, record *ent.Incident, err error) (*IncidentPayload, error) {
	return answer(record, err, r.ShowIncident, func(v *read.Incident, mend []*UserError) *IncidentPayload { return &IncidentPayload{v, mend} })
}

// Change presents a change.
func Change(r *read.Reader, record *ent.Change, err error) (*ChangePayload, error) {
	return answer(record, err, r.ShowChange, func(v *read.Change, mend []*UserError) *ChangePayload { return &ChangePayload{v, mend} })
}

// Calendar presents a calendar.
func Calendar(r *read.Reader, record *ent.Calendar, err error) (*CalendarPayload, error) {
	return answer(record, err, r.ShowCalendar, func(v *read.Calendar, mend []*UserError) *CalendarPayload { return &CalendarPayload{v, mend} })
}

// ServiceLevelTarget presents a service level target.
func ServiceLevelTarget(r *read.Reader, record *ent.ServiceLevelTarget, err error) (*ServiceLevelTargetPayload, error) {
	return answer(record, err, r.ShowServiceLevelTarget, func(v *read.ServiceLevelTarget, mend []*UserError) *ServiceLevelTargetPayload {
		return &ServiceLevelTargetPayload{v, mend}
	})
}

// ChangeWindow presents a change window.
func ChangeWindow(r *read.Reader, record *ent.ChangeWindow, err error) (*ChangeWindowPayload, error) {
	return answer(record, err, r.ShowWindow, func(v *read.ChangeWindow, mend []*UserError) *ChangeWindowPayload {
		return &ChangeWindowPayload{v, mend}
	})
}

// RiskWeights presents what the factors of risk count.
func RiskWeights(_ *read.Reader, w risk.Weights, err error) (*RiskWeightsPayload, error) {
	all := read.ShowRiskWeights(w)
	return answer(all, err, func(all []*read.RiskWeight) *[]*read.RiskWeight { return &all }, func(v *[]*read.RiskWeight, mend []*UserError) *RiskWeightsPayload {
		if v == nil {
			return &RiskWeightsPayload{nil, mend}
		}
		return &RiskWeightsPayload{*v, mend}
	})
}

// ApprovalPolicy presents an approval policy.
func ApprovalPolicy(r *read.Reader, record *ent.ApprovalPolicy, err error) (*ApprovalPolicyPayload, error) {
	return answer(record, err, r.ShowApprovalPolicy, func(v *read.ApprovalPolicy, mend []*UserError) *ApprovalPolicyPayload {
		return &ApprovalPolicyPayload{v, mend}
	})
}

// ChangeTemplate presents a template of STANDARD changes.
func ChangeTemplate(r *read.Reader, record *ent.ChangeTemplate, err error) (*ChangeTemplatePayload, error) {
	return answer(record, err, r.ShowChangeTemplate, func(v *read.ChangeTemplate, mend []*UserError) *ChangeTemplatePayload {
		return &ChangeTemplatePayload{v, mend}
	})
}

// TimelineEntry presents a timeline entry.
func TimelineEntry(r *read.Reader, record *ent.TimelineEntry, err error) (*TimelineEntryPayload, error) {
	return answer(record, err, r.ShowTimelineEntry, func(v *read.TimelineEntry, mend []*UserError) *TimelineEntryPayload {
		return &TimelineEntryPayload{v, mend}
	})
}

// Removed presents the id of a record that is gone.
func Removed(_ *read.Reader, id ident.ID, err error) (*RemovedPayload, error) {
	return answer(id, err, func(id ident.ID) *ident.ID { return &id }, func(v *ident.ID, mend []*UserError) *RemovedPayload { return &RemovedPayload{v, mend} })
}
