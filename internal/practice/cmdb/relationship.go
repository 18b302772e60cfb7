package cmdb

import (
	"context"
	"maps"
	"reflect"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/relationship"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/attribute"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// UpdateRelationship changes a relationship. A member of a dependency group cannot become SOFT.
func (p *Practice) UpdateRelationship(ctx context.Context, in UpdateRelationship) (*ent.Relationship, error) {
	ch := RelationshipChange{ID: in.ID, ExpectedVersion: in.ExpectedVersion, Attributes: in.Attributes.Value()}
	ch.ReplaceAttributes = in.Attributes.IsSet() && ch.Attributes == nil
	if strength, ok := in.Strength.ValueOK(); ok {
		ch.Strength = &strength
	}
	return auth.Write(ctx, p.store, "relationship.update", form.Accepting(in.AcceptConsequences, func(ctx context.Context, tx *store.Tx) (*ent.Relationship, error) {
		if err := MayEditRelationship(ctx, tx, in.ID); err != nil {
			return nil, err
		}
		ref, err := LoadReference(ctx, tx)
		if err != nil {
			return nil, err
		}
		saved, wrong, err := updateRelationships(ctx, tx, ref, []RelationshipChange{ch})
		if err != nil {
			return nil, err
		}
		if err := wrong[0].Err(); err != nil {
			return nil, err
		}
		return saved[0], nil
	}))
}

// UpdateRelationshipsTx changes relationships inside a transaction. They come back in the order of the rows, unchanged
// ones too. Paths of failures begin with the row's number.
func UpdateRelationshipsTx(ctx context.Context, tx *store.Tx, ref *Reference, rows []RelationshipChange) ([]*ent.Relationship, error) {
	saved, wrong, err := updateRelationships(ctx, tx, ref, rows)
	if err != nil {
		return nil, err
	}
	return saved, form.Rows(wrong)
}

func updateRelationships(ctx context.Context, tx *store.Tx, ref *Reference, rows []RelationshipChange) ([]*ent.Relationship, []form.Form, error) {
	wrong := make([]form.Form, len(rows))
	ids := map[ident.ID]bool{}
	for i, row := range rows {
		err := form.Kind(row.ID, ident.Relationship, "id")
		wrong[i].Fault(err)
		if err == nil {
			ids[row.ID] = true
		}
	}
	found, err := lockRelationships(ctx, tx, ids)
	if err != nil {
		return nil, nil, err
	}
	if err := ref.lockTypesOf(ctx, tx, found); err != nil {
		return nil, nil, err
	}
	var softened []*ent.Relationship
	nexts := make([]*ent.Relationship, len(rows))
	for i, row := range rows {
		old := found[row.ID]
		if old == nil {
			if ids[row.ID] {
				wrong[i].Fault(form.Missing(row.ID, "id"))
			}
			continue
		}
		wrong[i].Fault(valid.Stale(row.ExpectedVersion, old.Version))
		nexts[i] = editRelationship(old, row, &wrong[i])
		if ref.strength(nexts[i]) == domain.Soft && ref.strength(old) == domain.Hard {
			softened = append(softened, nexts[i])
		}
	}
	groups, err := groupsWith(ctx, tx, softened)
	if err != nil {
		return nil, nil, err
	}
	saved, failed := make([]*ent.Relationship, len(rows)), false
	for i, next := range nexts {
		if next != nil && ref.strength(next) == domain.Soft {
			if in := groups[next.ID]; len(in) > 0 {
				wrong[i].Fault(errs.New(errs.InUse, "it counts in the dependency group %q (%s) of %s, whose members are HARD: take it out first", in[0].Name, in[0].ID, in[0].CiID), "strength")
			}
		}
		failed = failed || wrong[i].IsFaulty()
	}
	if failed {
		return nil, wrong, nil
	}
	for i, next := range nexts {
		if saved[i], err = saveRelationship(ctx, tx, found[next.ID], next); err != nil {
			return nil, nil, err
		}
	}
	return saved, wrong, nil
}

func editRelationship(old *ent.Relationship, row RelationshipChange, f *form.Form) *ent.Relationship {
	next := *old
	if row.Strength != nil {
		next.Strength = *row.Strength
		if next.Strength != nil {
			form.OneOf(f, "strength", *next.Strength)
		}
	}
	if row.Evidence != nil {
		next.Evidence = f.Text("evidence", *row.Evidence, 0, valid.LongestDescription)
	}
	over := checkAttributes(f, row.Attributes)
	if row.ReplaceAttributes {
		for name := range old.Attributes {
			if _, ok := over[name]; !ok {
				over[name] = nil
			}
		}
	}
	next.Attributes, _ = attribute.Merge(old.Attributes, over)
	f.Fault(attribute.Size(next.Attributes), "attributes")
	return &next
}

func saveRelationship(ctx context.Context, tx *store.Tx, old, next *ent.Relationship) (*ent.Relationship, error) {
	u := tx.Relationship.UpdateOne(old)
	if !reflect.DeepEqual(old.Strength, next.Strength) {
		setOrClear(next.Strength, u.SetStrength, u.ClearStrength)
	}
	store.Set(old.Evidence, next.Evidence, u.SetEvidence)
	if !maps.EqualFunc(old.Attributes, next.Attributes, func(a, b any) bool { return reflect.DeepEqual(a, b) }) {
		u.SetAttributes(next.Attributes)
	}
	if store.IsIdle(u.Mutation()) {
		return old, nil
	}
	return u.AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
}

// lockTypesOf holds the types of relationships as they are until the transaction ends.
func (r *Reference) lockTypesOf(ctx context.Context, tx *store.Tx, rels map[ident.ID]*ent.Relationship) error {
	var types []*ent.RelationshipType
	for _, rel := range rels {
		if t := r.types[rel.TypeID]; t != nil {
			types = append(types, t)
		}
	}
	return r.lockTypes(ctx, tx, types)
}

// strength returns what a failure does along a relationship: its own strength, or its type's.
func (r *Reference) strength(rel *ent.Relationship) domain.Strength {
	if rel.Strength != nil {
		return *rel.Strength
	}
	return r.types[rel.TypeID].Strength
}

// UnrelateCIs removes a relationship, and takes it out of the dependency groups it counts in. It warns of a need that
// goes with it.
func (p *Practice) UnrelateCIs(ctx context.Context, in UnrelateCIs) (ident.ID, error) {
	return auth.Write(ctx, p.store, "relationship.unrelate", form.Accepting(in.AcceptConsequences, func(ctx context.Context, tx *store.Tx) (ident.ID, error) {
		if err := form.Kind(in.ID, ident.Relationship, "id"); err != nil {
			return 0, err
		}
		if err := MayEditRelationship(ctx, tx, in.ID); err != nil {
			return 0, err
		}
		found, err := lockRelationships(ctx, tx, map[ident.ID]bool{in.ID: true})
		if err != nil {
			return 0, err
		}
		if found[in.ID] == nil {
			return 0, form.Missing(in.ID, "id")
		}
		if err := valid.Stale(in.ExpectedVersion, found[in.ID].Version); err != nil {
			return 0, err
		}
		return in.ID, unrelateByPerson(ctx, tx, found, "id")
	}))
}

// UnrelateTx removes relationships inside a transaction, out of their dependency groups too, and warns of needs that go
// with them. Those that are gone already are passed over.
func UnrelateTx(ctx context.Context, tx *store.Tx, ids []ident.ID) error {
	wanted := map[ident.ID]bool{}
	for _, id := range ids {
		if err := form.Kind(id, ident.Relationship); err != nil {
			return err
		}
		wanted[id] = true
	}
	found, err := lockRelationships(ctx, tx, wanted)
	if err != nil {
		return err
	}
	return unrelateByPerson(ctx, tx, found)
}

// unrelateByPerson removes relationships, and warns of the needs that go with them.
func unrelateByPerson(ctx context.Context, tx *store.Tx, gone map[ident.ID]*ent.Relationship, field ...string) error {
	ref, err := LoadReference(ctx, tx)
	if err != nil {
		return err
	}
	if err := ref.warnOfNeeds(ctx, tx, gone, field...); err != nil {
		return err
	}
	return unrelate(ctx, tx, gone)
}

// unrelateAll removes all relationships of CIs, which the transaction has locked, out of their dependency groups too.
func unrelateAll(ctx context.Context, tx *store.Tx, cis map[ident.ID]bool) error {
	ids := map[ident.ID]bool{}
	for chunk := range chunks(cis) {
		some, err := tx.Relationship.Query().Where(relationship.Or(relationship.SourceIDIn(chunk...), relationship.TargetIDIn(chunk...))).IDs(ctx)
		if err != nil {
			return err
		}
		for _, id := range some {
			ids[id] = true
		}
	}
	found, err := lockRelationships(ctx, tx, ids)
	if err != nil {
		return err
	}
	return unrelate(ctx, tx, found)
}

func unrelate(ctx context.Context, tx *store.Tx, gone map[ident.ID]*ent.Relationship) error {
	if err := leaveGroups(ctx, tx, gone); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(gone)) {
		if err := tx.Relationship.DeleteOne(gone[id]).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// lockRelationships reads relationships and keeps everyone else from writing them until the transaction ends.
func lockRelationships(ctx context.Context, tx *store.Tx, ids map[ident.ID]bool) (map[ident.ID]*ent.Relationship, error) {
	found := make(map[ident.ID]*ent.Relationship, len(ids))
	for chunk := range chunks(ids) {
		q := tx.Relationship.Query().Where(relationship.IDIn(chunk...)).Order(ent.Asc(relationship.FieldID))
		if tx.IsPostgres() {
			q = q.ForUpdate()
		}
		all, err := q.All(ctx)
		if err != nil {
			return nil, err
		}
		for _, rel := range all {
			found[rel.ID] = rel
		}
	}
	return found, nil
}
