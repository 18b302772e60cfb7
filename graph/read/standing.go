package read

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent/externalidentity"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// ViewerCanUpdate reports whether the caller may edit the CI. An owner may not edit all of it: its visibility, for one.
func (c *CI) ViewerCanUpdate(ctx context.Context) (bool, error) {
	return viewerCan(ctx, c.in, c, "ci.update", (*CI).id, ownCI)
}

func ownCI(_ context.Context, _ *Reader, ids []ident.ID) (map[ident.ID]auth.About, error) {
	all := make(map[ident.ID]auth.About, len(ids))
	for _, id := range ids {
		all[id] = auth.About{CIs: []ident.ID{id}}
	}
	return all, nil
}

// viewerCan reports whether the caller may do a verb to a record. It asks once for the batch whose the records are, and
// only if the caller may do it to some records and not to all.
func viewerCan[T any](ctx context.Context, b *batch[T], row T, verb string, id func(T) ident.ID, about func(context.Context, *Reader, []ident.ID) (map[ident.ID]auth.About, error)) (bool, error) {
	how, err := standing(ctx, b, row, verb, id, about)
	return err == nil && auth.May(ctx, verb, how), err
}

// standing returns how a record stands to the caller as to a verb.
func standing[T any](ctx context.Context, b *batch[T], row T, verb string, id func(T) ident.ID, about func(context.Context, *Reader, []ident.ID) (map[ident.ID]auth.About, error)) (how auth.Standing, err error) {
	if !auth.Needs(ctx, verb) {
		return how, nil
	}
	all, err := once(b, "standing "+verb, func() (map[ident.ID]auth.Standing, error) {
		records, err := about(ctx, b.reader, b.ids(id))
		if err != nil {
			return nil, store.Translate(err)
		}
		found, err := auth.Standings(ctx, b.reader.store.Show, verb, records)
		return found, store.Translate(err)
	})
	return all[id(row)], err
}

// ownIncidents says whose the incidents of a batch are.
func ownIncidents(rows []*Incident) func(context.Context, *Reader, []ident.ID) (map[ident.ID]auth.About, error) {
	return func(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]auth.About, error) {
		all := make(map[ident.ID]auth.About, len(ids))
		for _, i := range rows {
			if i.AssignmentTeamID != nil {
				all[i.ID] = auth.About{Teams: []ident.ID{*i.AssignmentTeamID}}
			} else {
				all[i.ID] = auth.About{}
			}
		}
		named, err := r.incidentCIs().Where(having("incident_id", ids)).All(ctx)
		if err != nil {
			return nil, err
		}
		for _, n := range named {
			of := all[n.IncidentID]
			of.CIs = append(of.CIs, n.CiID)
			all[n.IncidentID] = of
		}
		keys, err := r.store.Show.ExternalIdentity.Query().Where(having(externalidentity.FieldRecordID, ids)).All(ctx)
		for _, key := range keys {
			of := all[key.RecordID]
			of.Source = key.Source
			all[key.RecordID] = of
		}
		return all, err
	}
}

// ownChanges says whose the changes of a batch are.
func ownChanges(rows []*Change) func(context.Context, *Reader, []ident.ID) (map[ident.ID]auth.About, error) {
	return func(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]auth.About, error) {
		all := make(map[ident.ID]auth.About, len(ids))
		for _, c := range rows {
			if c.AssignmentTeamID != nil {
				all[c.ID] = auth.About{Teams: []ident.ID{*c.AssignmentTeamID}}
			} else {
				all[c.ID] = auth.About{}
			}
		}
		named, err := r.changeCIs().Where(having("change_id", ids)).All(ctx)
		for _, n := range named {
			of := all[n.ChangeID]
			of.CIs = append(of.CIs, n.CiID)
			all[n.ChangeID] = of
		}
		return all, err
	}
}
