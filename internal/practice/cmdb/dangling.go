package cmdb

import (
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/danglingreference"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// RememberDanglingTx keeps references to what nobody has reported yet, until it arrives. One whose target has arrived
// in the meantime heals at once; one that is kept already is passed over. Paths of failures begin with the row's
// number.
func RememberDanglingTx(ctx context.Context, tx *store.Tx, ref *Reference, rows []Dangling) error {
	wrong := make([]form.Form, len(rows))
	var keys []domain.ExternalKey
	rows = slices.Clone(rows)
	for i := range rows {
		if rows[i].Record.Kind() == ident.Service {
			rows[i].Record = rows[i].Record.As(ident.CI)
		}
		key, err := CheckKey(rows[i].Key)
		wrong[i].Fault(err)
		rows[i].Key = key
		wrong[i].Fault(checkDangling(rows[i]))
		keys = append(keys, key)
	}
	if err := form.Rows(wrong); err != nil {
		return err
	}
	if err := lockKeys(ctx, tx, keys); err != nil {
		return err
	}
	kept, err := danglingTo(ctx, tx, keys)
	if err != nil {
		return err
	}
	known := map[Dangling]bool{}
	for _, d := range kept {
		known[sameness(d)] = true
	}
	var fresh []*ent.DanglingReferenceCreate
	for _, row := range rows {
		key := row
		key.Strength, key.Evidence = nil, ""
		if known[key] {
			continue
		}
		known[key] = true
		fresh = append(fresh, tx.DanglingReference.Create().SetRecordID(row.Record).SetSource(row.Key.Source).
			SetExternalID(row.Key.ExternalID).SetKind(row.Kind).SetDetail(row.Detail).SetIsReverse(row.IsReverse).
			SetNillableStrength(row.Strength).SetEvidence(row.Evidence).SetCreatedAt(tx.Now))
	}
	for chunk := range slices.Chunk(fresh, rowChunk) {
		if err := tx.DanglingReference.CreateBulk(chunk...).Exec(ctx); err != nil {
			return err
		}
	}
	stored, err := FindIdentities(ctx, tx, keys)
	if err != nil {
		return err
	}
	arrived := make([]NewIdentity, 0, len(stored))
	for key, record := range stored {
		arrived = append(arrived, NewIdentity{record, key})
	}
	return heal(ctx, tx, ref, arrived)
}

// ForgetDanglingTx drops references that their source no longer makes. Those that have healed are passed over.
func ForgetDanglingTx(ctx context.Context, tx *store.Tx, ids []ident.ID) error {
	standing, err := tx.DanglingReference.Query().Where(danglingreference.IDIn(ids...)).IDs(ctx)
	if err != nil {
		return err
	}
	for _, id := range standing {
		if err := tx.DanglingReference.DeleteOneID(id).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

func checkDangling(d Dangling) error {
	var f form.Form
	form.OneOf(&f, "kind", d.Kind)
	if d.Strength != nil {
		form.OneOf(&f, "strength", *d.Strength)
	}
	want := ident.CI
	switch d.Kind {
	case domain.DanglingParent:
		want = ident.Team
	case domain.DanglingMember:
		want = ident.Team
		if d.Record.Kind() == ident.Person {
			want = ident.Person
		}
	case domain.DanglingRelationship, domain.DanglingOwner, domain.DanglingSupport:
	}
	f.Fault(form.Kind(d.Record, want, "record"))
	if d.Kind == domain.DanglingRelationship && d.Detail == "" {
		f.Fault(errs.New(errs.Required, "the code of the relationship's type is missing"), "detail")
	}
	f.Text("evidence", d.Evidence, 0, valid.LongestDescription)
	return f.Err()
}

// sameness returns what tells one dangling reference from another.
func sameness(d *ent.DanglingReference) Dangling {
	return Dangling{
		Record: d.RecordID, Key: domain.ExternalKey{Source: d.Source, ExternalID: d.ExternalID},
		Kind: d.Kind, Detail: d.Detail, IsReverse: d.IsReverse,
	}
}

// danglingTo reads the references that wait for keys.
func danglingTo(ctx context.Context, tx *store.Tx, keys []domain.ExternalKey) ([]*ent.DanglingReference, error) {
	bySource := map[string][]string{}
	for _, k := range keys {
		bySource[k.Source] = append(bySource[k.Source], k.ExternalID)
	}
	var all []*ent.DanglingReference
	for source, ids := range bySource {
		for chunk := range slices.Chunk(ids, idChunk) {
			some, err := tx.DanglingReference.Query().
				Where(danglingreference.Source(source), danglingreference.ExternalIDIn(chunk...)).
				Order(ent.Asc(danglingreference.FieldID)).All(ctx)
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
	}
	return all, nil
}
