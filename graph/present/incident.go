package present

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
)

// ResolvedIncidentPayload answers resolveIncident.
type ResolvedIncidentPayload struct {
	Incident         *read.Incident
	ResolvedChildren []*read.Incident
	UserErrors       []*UserError
}

// OpenChildren returns the incidents that are part of the resolved one and still open.
func (p *ResolvedIncidentPayload) OpenChildren(ctx context.Context, first *int, after *string, last *int, before *string) (*page.Connection[*read.Incident], error) {
	if p.Incident == nil {
		return nil, nil
	}
	open := true
	return p.Incident.Children(ctx, &read.IncidentFilter{IsOpen: &open}, first, after, last, before)
}

// Warnings returns what is worth a second look of what the mutation around ctx has written.
func (*ResolvedIncidentPayload) Warnings(ctx context.Context) []domain.Warning { return warnings(ctx) }

// ResolvedIncident presents an incident that was resolved, with those that were resolved with it.
func ResolvedIncident(r *read.Reader) func(*incident.Resolved, error) (*ResolvedIncidentPayload, error) {
	return func(done *incident.Resolved, err error) (*ResolvedIncidentPayload, error) {
		all, err := answer(done, err, func(done *incident.Resolved) ([]*read.Incident, error) {
			return r.ShowIncidents(append([]*ent.Incident{done.Incident}, done.Children...)), nil
		})
		switch {
		case err != nil:
			return nil, err
		case len(all.Record) == 0:
			return &ResolvedIncidentPayload{nil, []*read.Incident{}, all.UserErrors}, nil
		default:
			return &ResolvedIncidentPayload{all.Record[0], all.Record[1:], all.UserErrors}, nil
		}
	}
}
