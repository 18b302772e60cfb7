// Package incident is the practice of restoring service: it opens incidents, moves them through their states and keeps
// what people say about them. It refuses what the state table and the graph do not bear out.
package incident

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/externalidentity"
	"github.com/linchpin-cmdb/linchpin/ent/incident"
	"github.com/linchpin-cmdb/linchpin/ent/incidentci"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/rule/lifecycle"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Practice holds the verbs. The records they return belong to a closed transaction: read their fields only.
type Practice struct {
	store *store.Store
	graph *topology.Graph
	desk  *desk
}

type (
	desk = ticket.Desk[*ent.Incident, domain.IncidentState, *ent.IncidentUpdateOne]
	step = ticket.Step[*ent.Incident, *ent.IncidentUpdateOne]
)

// New makes the practice over a database and the graph that follows it.
func New(s *store.Store, graph *topology.Graph) *Practice {
	return &Practice{s, graph, &desk{
		Store: s, Kind: ident.Incident,
		Lock: func(ctx context.Context, tx *store.Tx, id ident.ID) (*ent.Incident, error) {
			return store.Lock(ctx, tx, tx.Incident.Query().Where(incident.ID(id)))
		},
		Facts: func(r *ent.Incident) ticket.Facts[domain.IncidentState] {
			return ticket.Facts[domain.IncidentState]{ID: r.ID, Version: r.Version, State: r.State, Table: lifecycle.Incident}
		},
		Update:   func(tx *store.Tx, r *ent.Incident) *ent.IncidentUpdateOne { return tx.Incident.UpdateOne(r) },
		Mutation: func(u *ent.IncidentUpdateOne) ent.Mutation { return u.Mutation() },
		Moving:   moving, About: about,
	}}
}

const prefix = ticket.IncidentPrefix

// Number returns what people call an incident, such as INC0000001.
func Number(id ident.ID) string { return ticket.Number(prefix, id) }

// ParseNumber gives the id of the incident that people call so; false when s is no such number.
func ParseNumber(s string) (ident.ID, bool) { return ticket.ParseNumber(prefix, ident.Incident, s) }

// Available lists what the actor of ctx may do next with an incident, which stands to them as how says.
func Available(ctx context.Context, record *ent.Incident, how auth.Standing) []lifecycle.IncidentTransition {
	return ticket.Available(ctx, ident.Incident, lifecycle.Incident, record.State, how)
}

// about says whose an incident is: its team's, that of the teams that own what it names, and that of the source that
// reported it.
func about(ctx context.Context, tx *store.Tx, record *ent.Incident) (auth.About, error) {
	of := auth.About{Teams: ticket.Teams(record.AssignmentTeamID)}
	rows, err := tx.IncidentCI.Query().Where(incidentci.IncidentID(record.ID)).All(ctx)
	if err != nil {
		return of, err
	}
	for _, row := range rows {
		of.CIs = append(of.CIs, row.CiID)
	}
	keys, err := tx.ExternalIdentity.Query().Where(externalidentity.RecordID(record.ID)).Limit(1).All(ctx)
	for _, key := range keys {
		of.Source = key.Source
	}
	return of, err
}

// editable refuses edits of what is done with.
func editable(record *ent.Incident) error {
	if record.State == domain.IncidentClosed || record.State == domain.IncidentCanceled {
		return errs.New(errs.TransitionRefused, "%s is %s: it can be commented on, not edited; open another incident for what is still wrong", Number(record.ID), record.State).At("id")
	}
	return nil
}
