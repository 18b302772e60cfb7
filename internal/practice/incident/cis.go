package incident

import (
	"context"
	"strconv"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/incidentci"
	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// SetCIs says which CIs an incident names, in place of those it named. Unless a person has set the impact level, it
// follows what the graph suggests for the new ones. Those that the actor may not see stay.
func (p *Practice) SetCIs(ctx context.Context, in SetCIs) (*ent.Incident, error) {
	return p.edit(ctx, "incident.set_cis", target{in.ID, in.ExpectedVersion}, func(ctx context.Context, tx *store.Tx, was *ent.Incident, u *ent.IncidentUpdateOne) error {
		if err := editable(was); err != nil {
			return err
		}
		rows, err := tx.IncidentCI.Query().Where(incidentci.IncidentID(was.ID)).Order(ent.Asc(incidentci.FieldID)).All(ctx)
		if err != nil {
			return err
		}
		before := make(map[ident.ID]*ent.IncidentCI, len(rows))
		for _, row := range rows {
			before[row.CiID] = row
		}
		var f ticket.Form
		named := check(ctx, tx, &f, in.CIs, before)
		if err := f.Err(); err != nil {
			return err
		}
		hidden, err := sight.Hidden(ctx, tx.Client())
		if err != nil {
			return err
		}
		for _, row := range rows {
			if hidden[row.CiID] {
				named = append(named, CI{ID: row.CiID, Role: row.Role})
			}
		}
		if same(before, named) {
			return nil
		}
		if err := link(ctx, tx, was.ID, rows, named); err != nil {
			return err
		}
		u.SetUpdatedAt(tx.Now) // the incident counts as written even where its level stays
		if was.IsImpactOverridden {
			return nil
		}
		found, err := p.findFor(ctx, tx, named)
		if err != nil {
			return err
		}
		return weigh(ctx, tx, was, u, found.suggestion.Level, was.Urgency)
	})
}

// check looks at the CIs of an input; services become their CIs. A retired CI cannot have failed, unless the incident says so
// from the time before.
func check(ctx context.Context, tx *store.Tx, f *ticket.Form, cis []CI, before map[ident.ID]*ent.IncidentCI) []CI {
	ids := make([]ident.ID, len(cis))
	for i, c := range cis {
		ids[i] = c.ID
		var one ticket.Form
		ticket.OneOf(&one, "role", c.Role)
		f.Below(&one, "cis", strconv.Itoa(i))
	}
	var named []CI
	for i, record := range f.CIs(ctx, tx, "cis", ids) {
		if record == nil {
			continue
		}
		c := CI{ID: record.ID, Role: cis[i].Role}
		row := before[c.ID]
		if record.Lifecycle == domain.Retired && c.Role == domain.RootRole && (row == nil || row.Role != domain.RootRole) {
			f.Fault(errs.New(errs.Invalid, "%s is retired: it cannot be the ROOT of an incident", record.Name).At("cis", strconv.Itoa(i), "id"))
		}
		named = append(named, c)
	}
	return named
}

func same(before map[ident.ID]*ent.IncidentCI, named []CI) bool {
	if len(before) != len(named) {
		return false
	}
	for _, c := range named {
		if row := before[c.ID]; row == nil || row.Role != c.Role {
			return false
		}
	}
	return true
}

// link writes the difference between the CIs an incident names and those it is to name.
func link(ctx context.Context, tx *store.Tx, id ident.ID, rows []*ent.IncidentCI, named []CI) error {
	wanted := make(map[ident.ID]domain.IncidentRole, len(named))
	for _, c := range named {
		wanted[c.ID] = c.Role
	}
	for _, row := range rows {
		role, stays := wanted[row.CiID]
		delete(wanted, row.CiID)
		var err error
		switch {
		case !stays:
			err = tx.IncidentCI.DeleteOne(row).Exec(ctx)
		case role != row.Role:
			err = tx.IncidentCI.UpdateOne(row).SetRole(role).Exec(ctx)
		}
		if err != nil {
			return err
		}
	}
	var fresh []*ent.IncidentCICreate
	for _, c := range named {
		if _, isNew := wanted[c.ID]; isNew {
			fresh = append(fresh, tx.IncidentCI.Create().SetIncidentID(id).SetCiID(c.ID).SetRole(c.Role))
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	return tx.IncidentCI.CreateBulk(fresh...).Exec(ctx)
}
