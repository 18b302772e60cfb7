package incident

import (
	"context"
	"fmt"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/incident"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/servicelevel"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/rule/lifecycle"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Resolved is an incident that was resolved, and those that were resolved with it, by id.
type Resolved struct {
	Incident *ent.Incident
	Children []*ent.Incident
}

// mostChildren is how many incidents may be resolved with another.
const mostChildren = 500

// Resolve says that service is restored, and keeps what the engine computes at that moment; of an incident and, where
// it is asked for, of all open incidents that are part of it, in one transaction.
func (p *Practice) Resolve(ctx context.Context, in Resolve) (*Resolved, error) {
	return auth.Write(ctx, p.store, "incident.resolve", func(ctx context.Context, tx *store.Tx) (*Resolved, error) {
		was, err := p.desk.TakeSeen(ctx, tx, ticket.Seen(in.ID, in.ExpectedVersion))
		if err != nil {
			return nil, err
		}
		if _, err := lifecycle.Incident.Move(was.State, "resolveIncident"); err != nil {
			return nil, err
		}
		var f form.Form
		in.Code = form.OneOf(&f, "code", in.Code)
		in.Notes = f.Text("notes", in.Notes, 1, ticket.LongestText)
		ticket.Reference(ctx, tx, &f, "fixedByChange", ident.Change, in.FixedByChange)
		if err := f.Err(); err != nil {
			return nil, err
		}
		all := []*ent.Incident{was}
		if form.Or(in.WithChildren, false) {
			children, err := openBelow(ctx, tx, was)
			if err != nil {
				return nil, err
			}
			for _, child := range children {
				if err := p.desk.Mine(ctx, tx, child); err != nil {
					return nil, err
				}
			}
			all = append(all, children...)
		}
		return p.resolve(ctx, tx, in, all)
	})
}

// openBelow locks the open incidents that are part of one, and those that are part of them.
func openBelow(ctx context.Context, tx *store.Tx, top *ent.Incident) (all []*ent.Incident, err error) {
	for level := []ident.ID{top.ID}; len(level) > 0; {
		q := tx.Incident.Query().Where(incident.ParentIDIn(level...), incident.StateIn(openStates...)).
			Order(ent.Asc(incident.FieldID)).Limit(mostChildren + 1 - len(all))
		if tx.IsPostgres() {
			q = q.ForUpdate()
		}
		children, err := q.All(ctx)
		if err != nil {
			return nil, err
		}
		if all = append(all, children...); len(all) > mostChildren {
			return nil, errs.New(errs.TransitionRefused, "more than %d open incidents are part of %s: resolve some of them first, or leave out withChildren",
				mostChildren, Number(top.ID)).At("withChildren")
		}
		level = level[:0]
		for _, c := range children {
			level = append(level, c.ID)
		}
	}
	return all, nil
}

// resolve resolves locked incidents, the first with all others.
func (p *Practice) resolve(ctx context.Context, tx *store.Tx, in Resolve, all []*ent.Incident) (*Resolved, error) {
	if err := servicelevel.Settle(ctx, tx, servicelevel.Incidents(all...)...); err != nil { // while their clocks go
		return nil, err
	}
	findings, err := p.findings(ctx, tx, all)
	if err != nil {
		return nil, err
	}
	ids := make([]ident.ID, len(all))
	for i, one := range all {
		ids[i] = one.ID
	}
	if err := p.warnOfEnd(ctx, tx, ids...); err != nil {
		return nil, err
	}
	done := &Resolved{Children: []*ent.Incident{}}
	for i, was := range all {
		to, err := lifecycle.Incident.Move(was.State, "resolveIncident")
		if err != nil {
			return nil, err
		}
		u := tx.Incident.UpdateOne(was).SetState(to).ClearHoldReason().SetResolutionCode(in.Code).SetResolutionNotes(in.Notes).
			SetResolvedAt(tx.Now).SetImpactAtResolution(findings[i].snapshot)
		if in.FixedByChange != nil {
			u.SetFixedByChangeID(*in.FixedByChange)
		}
		is, err := u.AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
		if err != nil {
			return nil, err
		}
		said := in.Notes
		if i == 0 {
			done.Incident = is
		} else {
			done.Children = append(done.Children, is)
			said = fmt.Sprintf("Resolved with %s: %s", Number(all[0].ID), in.Notes)
		}
		if err := ticket.Moved(ctx, tx, was.ID, was.State, to, said); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(done.Children, func(a, b *ent.Incident) int { return int(a.ID - b.ID) })
	return done, nil
}

// findings returns what the engine makes now of each incident.
func (p *Practice) findings(ctx context.Context, tx *store.Tx, all []*ent.Incident) ([]finding, error) {
	ids := make([]ident.ID, len(all))
	for i, one := range all {
		ids[i] = one.ID
	}
	named, err := namedBy(ctx, tx.Client(), ids)
	if err != nil {
		return nil, err
	}
	lists := make([][]CI, len(all))
	for i, id := range ids {
		lists[i] = named[id]
	}
	return findAll(ctx, tx.Client(), p.graph.Snapshot(), ids, lists, true)
}

var openStates = []domain.IncidentState{domain.IncidentNew, domain.IncidentInProgress, domain.IncidentOnHold}
