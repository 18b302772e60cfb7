// Package change is the practice of altering CIs without harm: it drafts changes, has them approved, and moves them
// through their states. It refuses what the state table of the type does not allow, and approval by the actor who
// drafted the change.
package change

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/change"
	"github.com/linchpin-cmdb/linchpin/ent/changeci"
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
	desk  *ticket.Desk[*ent.Change, domain.ChangeState, *ent.ChangeUpdateOne]
}

// New makes the practice over a database and the graph that follows it.
func New(s *store.Store, graph *topology.Graph) *Practice {
	p := &Practice{store: s, graph: graph}
	p.desk = &ticket.Desk[*ent.Change, domain.ChangeState, *ent.ChangeUpdateOne]{
		Store: s, Kind: ident.Change,
		Lock: func(ctx context.Context, tx *store.Tx, id ident.ID) (*ent.Change, error) {
			return store.Lock(ctx, tx, tx.Change.Query().Where(change.ID(id)))
		},
		Facts: func(r *ent.Change) ticket.Facts[domain.ChangeState] {
			return ticket.Facts[domain.ChangeState]{ID: r.ID, Version: r.Version, State: r.State, Table: lifecycle.Change(r.Type)}
		},
		Update:   func(tx *store.Tx, r *ent.Change) *ent.ChangeUpdateOne { return tx.Change.UpdateOne(r) },
		Mutation: func(u *ent.ChangeUpdateOne) ent.Mutation { return u.Mutation() },
		Moved:    p.find, About: about,
	}
	return p
}

const prefix = ticket.ChangePrefix

// Number returns what people call a change, such as CHG0000001.
func Number(id ident.ID) string { return ticket.Number(prefix, id) }

// ParseNumber gives the id of the change that people call so; false when s is no such number.
func ParseNumber(s string) (ident.ID, bool) { return ticket.ParseNumber(prefix, ident.Change, s) }

// Available lists what the actor of ctx may do next with a change, which stands to them as how says.
func Available(ctx context.Context, record *ent.Change, how auth.Standing) []lifecycle.ChangeTransition {
	return ticket.Available(ctx, ident.Change, lifecycle.Change(record.Type), record.State, how)
}

// about says whose a change is: its team's, and that of the teams that own what it names.
func about(ctx context.Context, tx *store.Tx, record *ent.Change) (auth.About, error) {
	of := auth.About{Teams: ticket.Teams(record.AssignmentTeamID)}
	rows, err := tx.ChangeCI.Query().Where(changeci.ChangeID(record.ID)).All(ctx)
	for _, row := range rows {
		of.CIs = append(of.CIs, row.CiID)
	}
	return of, err
}

// Comment writes into a change's timeline, whatever its state. It leaves the change's version alone.
func (p *Practice) Comment(ctx context.Context, in Comment) (*ent.TimelineEntry, error) {
	return p.desk.Comment(ctx, in.ID, in.Kind, in.Body)
}

// refused says that a change cannot do something, and why.
func refused(record *ent.Change, format string, args ...any) *errs.Error {
	e := errs.New(errs.TransitionRefused, format, args...)
	e.Message = Number(record.ID) + " " + e.Message
	return e
}
