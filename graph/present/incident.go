package present

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
)

// ResolvedIncidentPayload answers resolveIncident.
type ResolvedIncidentPayload struct {
	Incident         *read.Incident
	ResolvedChildren []*read.Incident
	UserErrors       []*UserError
}

// OpenChildren are the incidents that are part of the resolved one and still open.
func (p *ResolvedIncidentPayload) OpenChildren(ctx context.Context, first *int, after *string, last *int, before *string) (*read.Connection[*read.Incident], error) {
	if p.Incident == nil {
		return nil, nil
	}
	open := true
	return p.Incident.Children(ctx, &read.IncidentFilter{Open: &open}, first, after, last, before)
}

// ResolvedIncident presents an incident that was resolved, with those that were resolved with it.
func ResolvedIncident(r *read.Reader, done *incident.Resolved, err error) (*ResolvedIncidentPayload, error) {
	show := func(done *incident.Resolved) *[]*read.Incident {
		all := r.ShowIncidents(append([]*ent.Incident{done.Incident}, done.Children...))
		return &all
	}
	return answer(done, err, show, func(all *[]*read.Incident, mend []*UserError) *ResolvedIncidentPayload {
		if all == nil {
			return &ResolvedIncidentPayload{ResolvedChildren: []*read.Incident{}, UserErrors: mend}
		}
		return &ResolvedIncidentPayload{(*all)[0], (*all)[1:], mend}
	})
}

// PriorityRulePayload answers mutations of the priority table.
type PriorityRulePayload struct {
	PriorityRule *read.PriorityRule
	UserErrors   []*UserError
}

// PriorityRule presents a cell of the priority table.
func PriorityRule(r *read.Reader, rule *ent.PriorityRule, err error) (*PriorityRulePayload, error) {
	return answer(rule, err, r.ShowPriorityRule, func(v *read.PriorityRule, mend []*UserError) *PriorityRulePayload {
		return &PriorityRulePayload{v, mend}
	})
}
