// Package incident is the practice of restoring service: it opens incidents, moves them through their states and keeps
// what people say about them. It refuses what the state table and the graph do not bear out.
package incident

import (
	"context"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/incident"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/rule/lifecycle"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Practice holds the verbs. The records they return belong to a closed transaction: read their fields only.
type Practice struct {
	store *store.Store
	graph *topology.Graph
}

// New makes the practice over a database and the graph that follows it.
func New(s *store.Store, graph *topology.Graph) *Practice { return &Practice{s, graph} }

const prefix = "INC"

// Number is what people call an incident, such as INC0000001.
func Number(id ident.ID) string { return ticket.Number(prefix, id) }

// ParseNumber gives the id of the incident that people call so; false when s is no such number.
func ParseNumber(s string) (ident.ID, bool) { return ticket.ParseNumber(prefix, ident.Incident, s) }

// Available lists what the actor of ctx may do with an incident next.
func Available(ctx context.Context, record *ent.Incident) []lifecycle.IncidentTransition {
	available := []lifecycle.IncidentTransition{}
	for _, t := range lifecycle.Incident.Next(record.State) {
		if _, err := auth.Require(ctx, "incident."+strings.TrimSuffix(t.Verb, "Incident")); err == nil {
			available = append(available, t)
		}
	}
	return available
}

// target is the record a verb is for, as the caller saw it.
type target struct {
	id              ident.ID
	expectedVersion *int
}

// edit runs decide on a locked incident, and gives it back as it is afterwards. Where decide sets nothing, nothing is
// written and the version stays.
func (p *Practice) edit(
	ctx context.Context, verb string, of target,
	decide func(context.Context, *store.Tx, *ent.Incident, *ent.IncidentUpdateOne) error,
) (*ent.Incident, error) {
	return auth.Write(ctx, p.store, verb, func(ctx context.Context, tx *store.Tx) (*ent.Incident, error) {
		was, err := of.lock(ctx, tx)
		if err != nil {
			return nil, err
		}
		u := tx.Incident.UpdateOne(was)
		if err := decide(ctx, tx, was, u); err != nil {
			return nil, err
		}
		if store.IsIdle(u.Mutation()) {
			return was, nil
		}
		return u.AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
	})
}

// lock reads the incident and keeps others from writing it, unless it is another than the caller saw.
func (of target) lock(ctx context.Context, tx *store.Tx) (*ent.Incident, error) {
	was, err := lock(ctx, tx, "id", of.id)
	if err != nil {
		return nil, err
	}
	return was, valid.Stale(of.expectedVersion, was.Version)
}

// lock reads an incident and keeps others from writing it until the transaction ends.
func lock(ctx context.Context, tx *store.Tx, field string, id ident.ID) (*ent.Incident, error) {
	if err := form.Kind(id, ident.Incident, field); err != nil {
		return nil, err
	}
	q := tx.Incident.Query().Where(incident.ID(id))
	if tx.IsPostgres() {
		q = q.ForUpdate()
	}
	record, err := q.Only(ctx)
	if ent.IsNotFound(err) {
		return nil, form.Missing(id, field)
	}
	return record, err
}

// editable refuses edits of what is done with.
func editable(record *ent.Incident) error {
	if record.State == domain.IncidentClosed || record.State == domain.IncidentCanceled {
		return errs.New(errs.TransitionRefused, "%s is %s: it can be commented on, not edited; open another incident for what is still wrong", Number(record.ID), record.State).At("id")
	}
	return nil
}
