package servicelevel

import (
	"context"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/incident"
	"github.com/linchpin-cmdb/linchpin/ent/incidentci"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Subject is a record that promises are made about.
type Subject struct {
	ID        ident.ID
	Type      domain.RecordType
	Priority  int
	CreatedAt time.Time
	// DetectedAt is when the trouble was noticed that the record is about.
	DetectedAt time.Time
	State      string
	// Services are those that the record itself knows it concerns; its source may name more.
	Services []ident.ID
}

// startFor returns when the clocks of a target start for the record. No clock starts after the record was opened,
// though the clock of whoever noticed the trouble may be ahead.
func (s Subject) startFor(t *ent.ServiceLevelTarget) time.Time {
	if t.StartsAtDetection && s.DetectedAt.Before(s.CreatedAt) {
		return s.DetectedAt
	}
	return s.CreatedAt
}

// source says where the records of a type are.
type source struct {
	// running reads so many of those in some states, by id, after one.
	running func(ctx context.Context, c *ent.Client, states []string, after ident.ID, limit int) ([]Subject, error)
	// lock reads records and keeps others from writing them until the transaction ends.
	lock func(ctx context.Context, tx *store.Tx, ids []ident.ID) ([]Subject, error)
	// concerned adds to each record those of some services that it names beside its own.
	concerned func(ctx context.Context, c *ent.Client, ids, among []ident.ID, into map[ident.ID][]ident.ID) error
}

var sources = map[domain.RecordType]source{
	domain.IncidentRecord: {runningIncidents, lockIncidents, concernedByIncidents},
}

// Incidents returns incidents as subjects. An incident concerns the services it names, but for those it excludes, and
// those that the engine found affected when it was opened.
func Incidents(rows ...*ent.Incident) []Subject {
	all := make([]Subject, len(rows))
	for i, row := range rows {
		all[i] = Subject{ID: row.ID, Type: domain.IncidentRecord, Priority: row.Priority, CreatedAt: row.CreatedAt, DetectedAt: row.DetectedAt, State: string(row.State)}
		if row.ImpactAtOpening != nil {
			for _, s := range row.ImpactAtOpening.Services {
				all[i].Services = append(all[i].Services, s.CI)
			}
		}
	}
	return all
}

func runningIncidents(ctx context.Context, c *ent.Client, states []string, after ident.ID, limit int) ([]Subject, error) {
	in := make([]domain.IncidentState, len(states))
	for i, s := range states {
		in[i] = domain.IncidentState(s)
	}
	rows, err := c.Incident.Query().Where(incident.StateIn(in...), incident.IDGT(after)).Order(ent.Asc(incident.FieldID)).Limit(limit).All(ctx)
	return Incidents(rows...), err
}

func lockIncidents(ctx context.Context, tx *store.Tx, ids []ident.ID) ([]Subject, error) {
	q := tx.Incident.Query().Where(incident.IDIn(ids...)).Order(ent.Asc(incident.FieldID))
	if tx.IsPostgres() {
		q = q.ForUpdate()
	}
	rows, err := q.All(ctx)
	return Incidents(rows...), err
}

func concernedByIncidents(ctx context.Context, c *ent.Client, ids, among []ident.ID, into map[ident.ID][]ident.ID) error {
	named, err := c.IncidentCI.Query().
		Where(incidentci.IncidentIDIn(ids...), incidentci.CiIDIn(among...), incidentci.RoleNEQ(domain.ExcludedRole)).All(ctx)
	for _, n := range named {
		into[n.IncidentID] = append(into[n.IncidentID], n.CiID)
	}
	return err
}
