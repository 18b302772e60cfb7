package cmdb

import (
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/externalidentity"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// AddExternalIdentity records a key of a CI in another system. References to the key that were dangling heal.
func (p *Practice) AddExternalIdentity(ctx context.Context, in AddExternalIdentity) (*ent.CI, error) {
	return auth.Write(ctx, p.store, "ci.add_external_identity", form.Accepting(in.AcceptConsequences, func(ctx context.Context, tx *store.Tx) (*ent.CI, error) {
		key, err := CheckKey(in.ExternalIdentity)
		if err != nil {
			return nil, errs.Under(err, "externalIdentity")
		}
		record, err := lockCI(ctx, tx, in.ID, nil)
		if err != nil {
			return nil, err
		}
		ref, err := LoadReference(ctx, tx)
		if err != nil {
			return nil, err
		}
		wrong := make([]form.Form, 1)
		fresh, err := newIdentities(ctx, tx, []NewIdentity{{record.ID, key}}, wrong)
		if err != nil {
			return nil, err
		}
		if err := wrong[0].Err(); err != nil {
			return nil, errs.Under(err, "externalIdentity")
		}
		if len(fresh) == 0 {
			return record, nil
		}
		if err := saveIdentities(ctx, tx, ref, fresh); err != nil {
			return nil, err
		}
		return tx.CI.Get(ctx, record.ID) // what healed may have written it
	}))
}

// AddIdentitiesTx records keys of CIs, teams and people inside a transaction, and heals the references that wait for
// them. A key that its record has already is passed over. Paths of failures begin with the row's number.
func AddIdentitiesTx(ctx context.Context, tx *store.Tx, ref *Reference, rows []NewIdentity) error {
	wrong := make([]form.Form, len(rows))
	fresh, err := newIdentities(ctx, tx, rows, wrong)
	if err != nil {
		return err
	}
	if err := form.Rows(wrong); err != nil {
		return err
	}
	return saveIdentities(ctx, tx, ref, fresh)
}

// newIdentities returns the rows that are not stored yet. It notes keys that other records have in the rows' forms.
func newIdentities(ctx context.Context, tx *store.Tx, rows []NewIdentity, wrong []form.Form) ([]NewIdentity, error) {
	rows = slices.Clone(rows)
	var checked []NewIdentity
	var keys []domain.ExternalKey
	places := map[domain.ExternalKey]int{}
	for i := range rows {
		row := &rows[i]
		if row.Record.Kind() == ident.Service {
			row.Record = row.Record.As(ident.CI)
		}
		if k := row.Record.Kind(); k != ident.CI && k != ident.Team && k != ident.Person {
			wrong[i].Fault(errs.New(errs.Invalid, "%q is not the id of a CI, a team or a person", row.Record), "record")
		}
		key, err := CheckKey(row.Key)
		wrong[i].Fault(err)
		row.Key = key
		if j, ok := places[key]; ok {
			if checked[j].Record != row.Record {
				wrong[i].Fault(keyTaken(key, checked[j].Record))
			}
			continue
		}
		places[key] = len(checked)
		checked = append(checked, *row)
		keys = append(keys, key)
	}
	if err := lockKeys(ctx, tx, keys); err != nil {
		return nil, err
	}
	stored, err := FindIdentities(ctx, tx, keys)
	if err != nil {
		return nil, err
	}
	for i, row := range rows {
		if of, ok := stored[row.Key]; ok && of != row.Record {
			wrong[i].Fault(keyTaken(row.Key, of))
		}
	}
	return slices.DeleteFunc(checked, func(row NewIdentity) bool { return stored[row.Key] != 0 }), nil
}

func keyTaken(key domain.ExternalKey, of ident.ID) error {
	return errs.New(errs.AlreadyExists, "%s knows %s under %q", key.Source, of, key.ExternalID).At("externalId")
}

// checkNewKey checks the key that a new CI is to have.
func checkNewKey(ctx context.Context, tx *store.Tx, key *domain.ExternalKey, f *form.Form) error {
	checked, err := CheckKey(*key)
	if err != nil {
		f.Fault(err, "externalIdentity")
		return nil
	}
	*key = checked
	stored, err := FindIdentities(ctx, tx, []domain.ExternalKey{checked})
	if err != nil {
		return err
	}
	if of := stored[checked]; of != 0 {
		f.Fault(keyTaken(checked, of), "externalIdentity")
	}
	return nil
}

// FindIdentities finds the records that keys name, incidents left out: one statement for each source and 1,000 keys.
func FindIdentities(ctx context.Context, tx *store.Tx, keys []domain.ExternalKey) (map[domain.ExternalKey]ident.ID, error) {
	bySource := map[string][]string{}
	for _, k := range keys {
		bySource[k.Source] = append(bySource[k.Source], k.ExternalID)
	}
	found := make(map[domain.ExternalKey]ident.ID, len(keys))
	for source, all := range bySource {
		for chunk := range slices.Chunk(all, idChunk) {
			rows, err := tx.ExternalIdentity.Query().
				Where(externalidentity.Source(source), externalidentity.ExternalIDIn(chunk...), externalidentity.IsEvent(false)).All(ctx)
			if err != nil {
				return nil, err
			}
			for _, row := range rows {
				found[domain.ExternalKey{Source: row.Source, ExternalID: row.ExternalID}] = row.RecordID
			}
		}
	}
	return found, nil
}

// lockKeys makes those who record keys of a source and those who remember references to its keys take turns, so that
// no reference is left dangling beside the key it waits for.
func lockKeys(ctx context.Context, tx *store.Tx, keys []domain.ExternalKey) error {
	var sources []string
	for _, k := range keys {
		sources = append(sources, k.Source)
	}
	slices.Sort(sources)
	for _, source := range slices.Compact(sources) {
		if err := tx.TakeTurns(ctx, "linchpin.key."+source); err != nil {
			return err
		}
	}
	return nil
}

func saveIdentities(ctx context.Context, tx *store.Tx, ref *Reference, rows []NewIdentity) error {
	if len(rows) == 0 {
		return nil
	}
	keys := make([]*ent.ExternalIdentity, len(rows))
	for i, row := range rows {
		keys[i] = &ent.ExternalIdentity{RecordID: row.Record, Source: row.Key.Source, ExternalID: row.Key.ExternalID, CreatedAt: tx.Now}
	}
	if err := store.Insert(ctx, tx, keys); err != nil {
		return taken(err, "another write has just taken the key %s %q, or one written with it", rows[0].Key.Source, rows[0].Key.ExternalID)
	}
	return heal(ctx, tx, ref, rows)
}
