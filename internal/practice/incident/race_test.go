package incident_test

import (
	"context"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket/tickettest"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func TestActorsAtOnceNeverTakeAnIncidentOutOfItsTable(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		m := tickettest.Machine{
			Moves: map[string]map[string]string{}, First: "NEW", Others: []string{"closeIncident", "reopenIncident", "resolveIncident"},
			Open: func(t tickettest.Failer) ident.ID {
				parent := d.mustOpen(t, incident.Open{}).ID
				return d.mustOpen(t, incident.Open{Parent: &parent, ExternalIdentity: keyOf(parent)}).ID
			},
			State: func(id ident.ID) string { return string(d.Store.Read.Incident.GetX(d.ctx, id).State) },
			Verbs: func(actor context.Context, id ident.ID) map[string]func() error {
				parent := *d.Store.Read.Incident.GetX(d.ctx, id).ParentID
				verbs := map[string]func() error{
					"it is told again": func() error {
						_, err := d.Open(actor, incident.Open{Title: "Again", ExternalIdentity: keyOf(parent)})
						return err
					},
					"its parent is resolved": func() error {
						_, err := d.Resolve(actor, incident.Resolve{ID: parent, Code: domain.Fixed, Notes: "n", WithChildren: &withChildren})
						return err
					},
					"updateIncident": func() error {
						one := 1
						_, err := d.Update(actor, incident.Update{ID: id, Urgency: graphql.OmittableOf(&one)})
						return err
					},
					"setIncidentCIs": func() error {
						_, err := d.SetCIs(actor, incident.SetCIs{ID: id, CIs: []incident.CI{{d.Database, domain.RootRole}}})
						return err
					},
				}
				verbs["a week passes"] = func() error { // and what is resolved is closed, whosever it is
					_, err := d.CloseResolved(store.At(actor, time.Now().Add(week+time.Hour)), week)
					return err
				}
				for name, do := range (desk{d.Estate, d.Practice, actor}).verbs(id) {
					verbs[name] = func() error { _, err := do(); return err }
				}
				return verbs
			},
			Check: func(t tickettest.Failer, id ident.ID) {
				is := d.Store.Read.Incident.GetX(d.ctx, id)
				reopened := 0
				for _, e := range d.timeline(id) {
					if e.FromState == string(domain.IncidentResolved) && e.ToState == string(domain.IncidentInProgress) {
						reopened++
					}
				}
				isDone := is.State == domain.IncidentResolved || is.State == domain.IncidentClosed
				if (is.HoldReason != nil) != (is.State == domain.IncidentOnHold) || (is.ResolvedAt != nil) != isDone || (is.ResolutionCode != nil) != isDone ||
					(is.ImpactAtResolution != nil) != isDone || (is.ClosedAt != nil) != (is.State == domain.IncidentClosed) || is.ReopenCount != reopened {
					t.Fatalf("reopened %d times: %v", reopened, is)
				}
			},
		}
		for from, ways := range moves {
			m.Moves[string(from)] = map[string]string{}
			for verb, to := range ways {
				m.Moves[string(from)][verb] = string(to)
			}
		}
		d.Race(t, m, tickettest.As(t, "olga"), tickettest.As(t, "otto"), tickettest.As(t, "odile"))
	})
}

// keyOf returns a key for the child of an incident.
func keyOf(parent ident.ID) *domain.ExternalKey {
	return &domain.ExternalKey{Source: "zabbix", ExternalID: "child of " + parent.String()}
}
