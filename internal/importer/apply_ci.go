package importer

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// writeCIs writes CIs, their keys and their owners.
func (a *applying) writeCIs(ctx context.Context, tx *store.Tx, ref *cmdb.Reference, live []*record) (func(), error) {
	r := a.begin(ctx, tx, ref)
	if err := r.recheck(live); err != nil {
		return nil, err
	}
	if err := r.updateCIs(live); err != nil {
		return nil, err
	}
	if err := r.createCIs(live); err != nil {
		return nil, err
	}
	if err := r.addKeys(live); err != nil {
		return nil, err
	}
	if err := r.setOwners(live); err != nil {
		return nil, err
	}
	return func() { r.done(live) }, nil
}

func (r *run) createCIs(live []*record) error {
	var rows []cmdb.NewCI
	var of []*record
	for _, rec := range live {
		if rec.newCI == nil {
			continue
		}
		row := *rec.newCI
		if rec.support != nil {
			facet := *row.Service
			facet.SupportTeam = r.id(*rec.support)
			row.Service = &facet
		}
		rows, of = append(rows, row), append(of, rec)
	}
	if len(rows) == 0 {
		return nil
	}
	created, err := cmdb.CreateCIsTx(r.ctx, r.tx, r.ref, rows)
	if err != nil {
		return blame(err, of)
	}
	for i, rec := range of {
		r.made[rec] = created[i].ID
	}
	return nil
}

func (r *run) updateCIs(live []*record) error {
	var rows []cmdb.CIChange
	var of []*record
	for _, rec := range live {
		if rec.id == 0 || rec.ciChange == nil && rec.support == nil {
			continue
		}
		ch := cmdb.CIChange{ID: rec.id}
		if rec.ciChange != nil {
			ch = *rec.ciChange
		}
		ch.ExpectedVersion = r.expected(rec)
		if rec.support != nil {
			service := cmdb.ServiceChange{}
			if ch.Service != nil {
				service = *ch.Service
			}
			if team := r.id(*rec.support); team != 0 {
				service.SupportTeam = &team
			}
			ch.Service = &service
		}
		rows, of = append(rows, ch), append(of, rec)
	}
	if len(rows) == 0 {
		return nil
	}
	_, err := cmdb.UpdateCIsTx(r.ctx, r.tx, r.ref, rows)
	return blame(err, of)
}

// setOwners writes the owners and passes over owners that were left out themselves. It creates the owners of new CIs
// together; the owners of a stored CI replace the owners it has.
func (r *run) setOwners(live []*record) error {
	var news, rows []cmdb.OwnerSet
	var of []*record
	for _, rec := range live {
		row := cmdb.OwnerSet{CI: r.idOf(rec)}
		for _, o := range rec.owners {
			if by := r.id(o.by); by != 0 {
				row.Owners = append(row.Owners, cmdb.NewOwner{Of: by, Role: o.role})
			}
		}
		switch {
		case rec.owners == nil || len(row.Owners) == 0 && len(rec.owners) > 0: // they stay, or were all left out
		case rec.id == 0:
			news = append(news, row)
		default:
			rows, of = append(rows, row), append(of, rec)
		}
	}
	if err := cmdb.FirstOwnersTx(r.ctx, r.tx, news); err != nil {
		return err
	}
	if len(rows) == 0 {
		return nil
	}
	return blame(cmdb.SetOwnersTx(r.ctx, r.tx, rows), of)
}
