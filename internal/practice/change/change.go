// Package change is the practice of altering CIs without harm: it drafts changes, has them approved, and moves them through
// their states. It refuses what the state table of the type does not allow, and approval by whoever drafted the change.
package change

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/change"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
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

const prefix = "CHG"

// Number is what people call a change, such as CHG0000001.
func Number(id ident.ID) string { return ticket.Number(prefix, id) }

// ParseNumber gives the id of the change that people call so; false when s is no such number.
func ParseNumber(s string) (ident.ID, bool) { return ticket.ParseNumber(prefix, ident.Change, s) }

// verbs are the policy's words for the mutations that move a change.
var verbs = map[string]string{
	"assessChange": "change.assess", "requestChangeApproval": "change.request_approval", "scheduleChange": "change.schedule",
	"startChange": "change.start", "reviewChange": "change.review", "closeChange": "change.close",
	"cancelChange": "change.cancel", "returnChange": "change.return",
}

// Available lists what the actor of ctx may do with a change next.
func Available(ctx context.Context, record *ent.Change) []lifecycle.ChangeTransition {
	available := []lifecycle.ChangeTransition{}
	for _, t := range lifecycle.Change(record.Type).Next(record.State) {
		if _, err := auth.Require(ctx, verbs[t.Verb]); err == nil {
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

// edit runs decide on a locked change, and gives it back as it is afterwards, once then has seen that. Where decide sets nothing,
// nothing is written and the version stays.
func (p *Practice) edit(
	ctx context.Context, verb string, of target,
	decide func(context.Context, *store.Tx, *ent.Change, *ent.ChangeUpdateOne) error,
	then ...func(context.Context, *store.Tx, *ent.Change) error,
) (*ent.Change, error) {
	return auth.Write(ctx, p.store, verb, func(ctx context.Context, tx *store.Tx) (*ent.Change, error) {
		was, err := lock(ctx, tx, of.id)
		if err != nil {
			return nil, err
		}
		if err := valid.Stale(of.expectedVersion, was.Version); err != nil {
			return nil, err
		}
		u := tx.Change.UpdateOne(was)
		if err := decide(ctx, tx, was, u); err != nil {
			return nil, err
		}
		if store.IsIdle(u.Mutation()) {
			return was, nil
		}
		is, err := u.AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
		for _, see := range then {
			if err == nil {
				err = see(ctx, tx, is)
			}
		}
		return is, err
	})
}

// lock reads a change and keeps others from writing it until the transaction ends.
func lock(ctx context.Context, tx *store.Tx, id ident.ID) (*ent.Change, error) {
	if err := form.Kind(id, ident.Change, "id"); err != nil {
		return nil, err
	}
	q := tx.Change.Query().Where(change.ID(id))
	if tx.IsPostgres() {
		q = q.ForUpdate()
	}
	record, err := q.Only(ctx)
	if ent.IsNotFound(err) {
		return nil, form.Missing(id, "id")
	}
	return record, err
}

// Comment writes into a change's timeline, whatever its state. It leaves the change's version alone.
func (p *Practice) Comment(ctx context.Context, in Comment) (*ent.TimelineEntry, error) {
	return auth.Write(ctx, p.store, "change.comment", func(ctx context.Context, tx *store.Tx) (*ent.TimelineEntry, error) {
		var f form.Form
		ticket.Reference(ctx, tx, &f, "id", ident.Change, &in.ID)
		body := ticket.CheckComment(&f, in.Kind, in.Body)
		if err := f.Err(); err != nil {
			return nil, err
		}
		return ticket.Write(ctx, tx, in.ID, in.Kind, body)
	})
}

// refused says that a change cannot do something, and why.
func refused(record *ent.Change, format string, args ...any) *errs.Error {
	e := errs.New(errs.TransitionRefused, format, args...)
	e.Message = Number(record.ID) + " " + e.Message
	return e
}
