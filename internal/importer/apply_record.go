package importer

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/ent/danglingreference"
	"github.com/linchpin-cmdb/linchpin/ent/externalidentity"
	"github.com/linchpin-cmdb/linchpin/ent/person"
	"github.com/linchpin-cmdb/linchpin/ent/team"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// run is one attempt at a batch of records.
type run struct {
	*applying
	ctx  context.Context
	tx   *store.Tx
	ref  *cmdb.Reference
	made map[*record]ident.ID
	bump map[ident.ID]int // versions that healing changed
}

func (a *applying) begin(ctx context.Context, tx *store.Tx, ref *cmdb.Reference) *run {
	return &run{applying: a, ctx: ctx, tx: tx, ref: ref, made: map[*record]ident.ID{}, bump: map[ident.ID]int{}}
}

// done notes the results of the committed attempt.
func (r *run) done(live []*record) {
	maps.Copy(r.ids, r.made)
	maps.Copy(r.versions, r.bump)
	for _, rec := range live {
		outcome := Update
		if rec.id == 0 {
			outcome = Create
		}
		r.wrote(1, rec.kind, outcome)
	}
	r.result.Batches++
}

// id returns the id of the record at an end, or 0 if that record was left out.
func (r *run) id(e end) ident.ID {
	if e.of == nil {
		return e.id
	}
	if id := r.made[e.of]; id != 0 {
		return id
	}
	return r.ids[e.of]
}

func (r *run) idOf(rec *record) ident.ID { return r.id(rec.end()) }

// recheck refuses the records that have changed since the plan.
func (r *run) recheck(live []*record) error {
	out := refused[*record]{}
	var keys []domain.ExternalKey
	var ids []ident.ID
	for _, rec := range live {
		if rec.id == 0 || rec.needsKey {
			keys = append(keys, r.key(rec))
		}
		if rec.id != 0 {
			ids = append(ids, rec.id)
		}
	}
	taken, err := cmdb.FindIdentities(r.ctx, r.tx, keys)
	if err != nil {
		return err
	}
	now, err := currentVersions(r.ctx, r.tx, ids)
	if err != nil {
		return err
	}
	others, err := r.reportedByOthers(live)
	if err != nil {
		return err
	}
	for _, rec := range live {
		if source, ok := others[rec.id]; ok && rec.needsKey {
			r.others[rec] = true
			out[rec] = fmt.Sprintf("%s is of the source %s, and was found by what identifies it, not by a key of %s: an admin imports it, or adds the key by addExternalIdentity", rec.id, source, r.plan.Source)
			continue
		}
		if of := taken[r.key(rec)]; of != 0 && of != rec.id {
			out[rec] = fmt.Sprintf("%s has been imported under this id since", of)
			continue
		}
		if rec.id == 0 {
			continue
		}
		if v, ok := now[rec.id]; !ok || v != r.versions[rec.id] {
			out[rec] = fmt.Sprintf("%s has been changed since (version %d, planned for %d)", rec.id, v, r.versions[rec.id])
		}
	}
	return out.or(nil)
}

// reportedByOthers returns another source of each record that was found without its key, for an actor who writes of one
// source alone: such a source overwrites no other by reporting what looks the same.
func (r *run) reportedByOthers(live []*record) (map[ident.ID]string, error) {
	var found []ident.ID
	for _, rec := range live {
		if r.isNarrow && rec.needsKey {
			found = append(found, rec.id)
		}
	}
	if len(found) == 0 {
		return nil, nil
	}
	keys, err := r.tx.ExternalIdentity.Query().Where(externalidentity.RecordIDIn(found...), externalidentity.SourceNEQ(r.plan.Source), externalidentity.IsEvent(false)).All(r.ctx)
	others := map[ident.ID]string{}
	for _, k := range keys {
		others[k.RecordID] = k.Source
	}
	return others, err
}

func (r *run) key(rec *record) domain.ExternalKey {
	return domain.ExternalKey{Source: r.plan.Source, ExternalID: rec.key}
}

// expected returns the version a record must have. Others may write after recheck on PostgreSQL, so verbs check it
// again.
func (r *run) expected(rec *record) *int { return ptr(r.versions[rec.id]) }

// currentVersions reads the versions of CIs, teams and people.
func currentVersions(ctx context.Context, tx *store.Tx, ids []ident.ID) (map[ident.ID]int, error) {
	now := make(map[ident.ID]int, len(ids))
	byKind := map[ident.Kind][]ident.ID{}
	for _, id := range ids {
		byKind[id.Kind()] = append(byKind[id.Kind()], id)
	}
	type row struct {
		ID      ident.ID
		Version int
	}
	for kind, all := range byKind {
		for chunk := range slices.Chunk(all, page) {
			var rows []row
			var err error
			switch kind { //nolint:exhaustive // no others have keys
			case ident.CI:
				err = tx.CI.Query().Where(ci.IDIn(chunk...)).Select(ci.FieldID, ci.FieldVersion).Scan(ctx, &rows)
			case ident.Team:
				err = tx.Team.Query().Where(team.IDIn(chunk...)).Select(team.FieldID, team.FieldVersion).Scan(ctx, &rows)
			case ident.Person:
				err = tx.Person.Query().Where(person.IDIn(chunk...)).Select(person.FieldID, person.FieldVersion).Scan(ctx, &rows)
			}
			if err != nil {
				return nil, err
			}
			for _, one := range rows {
				now[one.ID] = one.Version
			}
		}
	}
	return now, nil
}

// addKeys stores the keys of new and newly found records, which heals references to them. If that writes to records of
// the plan, the new versions are noted: a change by this run is no conflict.
func (r *run) addKeys(live []*record) error {
	var rows []cmdb.NewIdentity
	var of []*record
	var keys []domain.ExternalKey
	for _, rec := range live {
		if rec.id == 0 || rec.needsKey {
			rows = append(rows, cmdb.NewIdentity{Record: r.idOf(rec), Key: r.key(rec)})
			of, keys = append(of, rec), append(keys, r.key(rec))
		}
		for _, key := range rec.shared {
			rows = append(rows, cmdb.NewIdentity{Record: r.idOf(rec), Key: key})
			of, keys = append(of, rec), append(keys, key)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	var touched []ident.ID
	bySpace := map[string][]string{}
	for _, key := range keys {
		bySpace[key.Source] = append(bySpace[key.Source], key.ExternalID)
	}
	for space, all := range bySpace {
		for chunk := range slices.Chunk(all, page) {
			waiting, err := r.tx.DanglingReference.Query().Where(danglingreference.Source(space), danglingreference.ExternalIDIn(chunk...)).All(r.ctx)
			if err != nil {
				return err
			}
			for _, d := range waiting {
				touched = append(touched, d.RecordID)
			}
		}
	}
	slices.Sort(touched)
	touched = slices.Compact(touched)
	before, err := currentVersions(r.ctx, r.tx, touched)
	if err != nil {
		return err
	}
	if err := cmdb.AddIdentitiesTx(r.ctx, r.tx, r.ref, rows); err != nil {
		return blame(err, of)
	}
	after, err := currentVersions(r.ctx, r.tx, touched)
	if err != nil {
		return err
	}
	for id, v := range before {
		if planned, ok := r.versions[id]; ok && planned == v {
			r.bump[id] = after[id]
		}
	}
	return nil
}
