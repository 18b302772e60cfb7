package incident

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/incidentci"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// SetCIs says which CIs an incident names, in place of those it named. Unless a person has set the impact level, it
// follows what the graph suggests for the new ones. Those that the actor may not see stay.
func (p *Practice) SetCIs(ctx context.Context, in SetCIs) (*ent.Incident, error) {
	return p.desk.Edit(ctx, "incident.set_cis", ticket.Seen(in.ID, in.ExpectedVersion), func(ctx context.Context, tx *store.Tx, was *ent.Incident, u *ent.IncidentUpdateOne) error {
		if err := editable(was); err != nil {
			return err
		}
		rows, err := tx.IncidentCI.Query().Where(incidentci.IncidentID(was.ID)).Order(ent.Asc(incidentci.FieldID)).All(ctx)
		if err != nil {
			return err
		}
		var f form.Form
		before := cisOf(rows)
		named := check(ctx, tx, &f, in.CIs, before)
		if err := f.Err(); err != nil || ticket.Same(before, named) {
			return err
		}
		if err := link(ctx, tx, was.ID, rows, named); err != nil {
			return err
		}
		if err := tellCIs(ctx, tx, was, before, named); err != nil {
			return err
		}
		u.SetUpdatedAt(tx.Now) // the incident counts as written even where its level stays
		found, err := p.findFor(ctx, tx, was.ID, named)
		if err != nil {
			return err
		}
		if err := p.warnOfOpen(ctx, tx, was, before, named, found.answer); err != nil || was.IsImpactOverridden {
			return err
		}
		return weigh(ctx, tx, was, u, found.suggestion.Level, was.Urgency)
	})
}

func cisOf(rows []*ent.IncidentCI) []CI {
	named := make([]CI, len(rows))
	for i, row := range rows {
		named[i] = CI{ID: row.CiID, Role: row.Role}
	}
	return named
}

// check looks at the CIs of an input, in place of those before.
func check(ctx context.Context, tx *store.Tx, f *form.Form, said, before []CI) []CI {
	return ticket.Named(ctx, tx, f, "cis", said, before, domain.RootRole, "it cannot be the ROOT of an incident")
}

// link has an incident name CIs in place of those that its rows say.
func link(ctx context.Context, tx *store.Tx, id ident.ID, rows []*ent.IncidentCI, named []CI) error {
	return ticket.Link(rows, cisOf(rows), named,
		func(row *ent.IncidentCI) error { return tx.IncidentCI.DeleteOne(row).Exec(ctx) },
		func(row *ent.IncidentCI, role domain.IncidentRole) error {
			return tx.IncidentCI.UpdateOne(row).SetRole(role).Exec(ctx)
		},
		func(fresh []CI) error {
			return tx.IncidentCI.MapCreateBulk(fresh, func(c *ent.IncidentCICreate, i int) {
				c.SetIncidentID(id).SetCiID(fresh[i].ID).SetRole(fresh[i].Role)
			}).Exec(ctx)
		})
}
