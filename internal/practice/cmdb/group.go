package cmdb

import (
	"context"
	"errors"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// CreateDependencyGroup says how some of a CI's dependencies combine.
func (p *Practice) CreateDependencyGroup(ctx context.Context, in CreateDependencyGroup) (*ent.DependencyGroup, error) {
	row := NewGroup{CI: in.CI, Name: in.Name, Mode: in.Mode, Threshold: form.Or(in.Threshold, 0), Members: membersOf(in.Members)}
	return auth.Write(ctx, p.store, "dependency_group.create", form.Accepting(in.AcceptConsequences, func(ctx context.Context, tx *store.Tx) (*ent.DependencyGroup, error) {
		if err := errors.Join(MayEdit(ctx, tx, in.CI, "ci"), MayGroup(ctx, tx, in.Members)); err != nil {
			return nil, err
		}
		return CreateGroupByPerson(ctx, tx, row)
	}))
}

// CreateGroupByPerson creates a dependency group as the verb does.
func CreateGroupByPerson(ctx context.Context, tx *store.Tx, row NewGroup) (*ent.DependencyGroup, error) {
	ref, err := LoadReference(ctx, tx)
	if err != nil {
		return nil, err
	}
	saved, wrong, err := createGroups(ctx, tx, ref, []NewGroup{row})
	if err != nil {
		return nil, err
	}
	if err := wrong[0].Err(); err != nil {
		return nil, err
	}
	return saved[0], nil
}

// UpdateDependencyGroup changes a dependency group; its members are replaced as a whole.
func (p *Practice) UpdateDependencyGroup(ctx context.Context, in UpdateDependencyGroup) (*ent.DependencyGroup, error) {
	return auth.Write(ctx, p.store, "dependency_group.update", form.Accepting(in.AcceptConsequences, func(ctx context.Context, tx *store.Tx) (*ent.DependencyGroup, error) {
		var f form.Form
		ch := GroupChange{
			ID: in.ID, ExpectedVersion: in.ExpectedVersion, Name: form.Given(&f, "name", in.Name), Mode: form.Given(&f, "mode", in.Mode),
			Threshold: form.Cleared(in.Threshold),
		}
		if list, ok := in.Members.ValueOK(); ok {
			ch.Members = membersOf(list)
		}
		if err := f.Err(); err != nil {
			return nil, err
		}
		if err := MayEditGroup(ctx, tx, in.ID, in.Members.Value()); err != nil {
			return nil, err
		}
		return UpdateGroupByPerson(ctx, tx, ch)
	}))
}

// UpdateGroupByPerson updates a dependency group as the verb does.
func UpdateGroupByPerson(ctx context.Context, tx *store.Tx, ch GroupChange) (*ent.DependencyGroup, error) {
	ref, err := LoadReference(ctx, tx)
	if err != nil {
		return nil, err
	}
	saved, wrong, err := updateGroups(ctx, tx, ref, []GroupChange{ch})
	if err != nil {
		return nil, err
	}
	if err := wrong[0].Err(); err != nil {
		return nil, err
	}
	return saved[0], nil
}

// DeleteDependencyGroup deletes a dependency group: its members count alone again.
func (p *Practice) DeleteDependencyGroup(ctx context.Context, in DeleteDependencyGroup) (ident.ID, error) {
	return auth.Write(ctx, p.store, "dependency_group.delete", form.Accepting(in.AcceptConsequences, func(ctx context.Context, tx *store.Tx) (ident.ID, error) {
		if err := form.Kind(in.ID, ident.DependencyGroup, "id"); err != nil {
			return 0, err
		}
		if err := MayEditGroup(ctx, tx, in.ID, nil); err != nil {
			return 0, err
		}
		found, err := lockGroups(ctx, tx, map[ident.ID]bool{in.ID: true})
		if err != nil {
			return 0, err
		}
		if found[in.ID] == nil {
			return 0, form.Missing(in.ID, "id")
		}
		if err := valid.Stale(in.ExpectedVersion, found[in.ID].Version); err != nil {
			return 0, err
		}
		return in.ID, tx.DependencyGroup.DeleteOne(found[in.ID]).Exec(ctx)
	}))
}

// membersOf returns the members as they are stored: a weight that is left out is 1.
func membersOf(given []GroupMember) []domain.GroupMember {
	members := make([]domain.GroupMember, len(given))
	for i, m := range given {
		members[i] = domain.GroupMember{Relationship: m.Relationship, Weight: form.Or(m.Weight, 1)}
		if members[i].Weight == 0 {
			members[i].Weight = -1 // 0 stands for "not said" in rows, and is wrong here
		}
	}
	return members
}

// weighed gives members that say no weight one of 1.
func weighed(members []domain.GroupMember) []domain.GroupMember {
	all := slices.Clone(members)
	for i := range all {
		if all[i].Weight == 0 {
			all[i].Weight = 1
		}
	}
	return all
}

// CreateGroupsTx creates dependency groups inside a transaction. They come back in the order of the rows. Paths of
// failures begin with the row's number.
func CreateGroupsTx(ctx context.Context, tx *store.Tx, ref *Reference, rows []NewGroup) ([]*ent.DependencyGroup, error) {
	saved, wrong, err := createGroups(ctx, tx, ref, rows)
	if err != nil {
		return nil, err
	}
	return saved, form.Rows(wrong)
}

func createGroups(ctx context.Context, tx *store.Tx, ref *Reference, rows []NewGroup) ([]*ent.DependencyGroup, []form.Form, error) {
	wrong := make([]form.Form, len(rows))
	drafts := make([]*ent.DependencyGroup, len(rows))
	cis := map[ident.ID]bool{}
	for i, row := range rows {
		id, err := CIID(row.CI)
		wrong[i].Fault(err, "ci")
		if err == nil {
			cis[id] = true
		}
		drafts[i] = &ent.DependencyGroup{ID: row.Restores, CiID: id, Name: row.Name, Mode: row.Mode, Threshold: row.Threshold, Members: weighed(row.Members)}
	}
	found, err := loadCIs(ctx, tx, cis)
	if err != nil {
		return nil, nil, err
	}
	for i, d := range drafts {
		if d.CiID != 0 && found[d.CiID] == nil {
			wrong[i].Fault(form.Missing(d.CiID, "ci"))
		}
	}
	if err := ref.checkGroups(ctx, tx, drafts, func(i int) bool { return rows[i].Restores != 0 }, wrong); err != nil {
		return nil, nil, err
	}
	if slices.ContainsFunc(wrong, func(f form.Form) bool { return f.IsFaulty() }) {
		return nil, wrong, nil
	}
	var saved []*ent.DependencyGroup
	for chunk := range slices.Chunk(drafts, rowChunk) {
		builders := make([]*ent.DependencyGroupCreate, len(chunk))
		for i, d := range chunk {
			builders[i] = tx.DependencyGroup.Create().SetCiID(d.CiID).SetName(d.Name).SetMode(d.Mode).SetThreshold(d.Threshold).
				SetMembers(d.Members).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now)
			if d.ID != 0 {
				builders[i].SetID(d.ID)
			}
		}
		created, err := tx.DependencyGroup.CreateBulk(builders...).Save(ctx)
		if err != nil {
			return nil, nil, taken(err, "another write has just made a group of this name")
		}
		saved = append(saved, created...)
	}
	return saved, wrong, nil
}

// UpdateGroupsTx changes dependency groups inside a transaction. They come back in the order of the rows, unchanged
// ones too. Paths of failures begin with the row's number.
func UpdateGroupsTx(ctx context.Context, tx *store.Tx, ref *Reference, rows []GroupChange) ([]*ent.DependencyGroup, error) {
	saved, wrong, err := updateGroups(ctx, tx, ref, rows)
	if err != nil {
		return nil, err
	}
	return saved, form.Rows(wrong)
}

func updateGroups(ctx context.Context, tx *store.Tx, ref *Reference, rows []GroupChange) ([]*ent.DependencyGroup, []form.Form, error) {
	wrong := make([]form.Form, len(rows))
	ids := map[ident.ID]bool{}
	for i, row := range rows {
		err := form.Kind(row.ID, ident.DependencyGroup, "id")
		wrong[i].Fault(err)
		switch {
		case err == nil && ids[row.ID]:
			wrong[i].Fault(errs.New(errs.Invalid, "%s is changed twice in one batch", row.ID), "id")
		case err == nil:
			ids[row.ID] = true
		}
	}
	found, err := lockGroups(ctx, tx, ids)
	if err != nil {
		return nil, nil, err
	}
	drafts := make([]*ent.DependencyGroup, len(rows))
	for i, row := range rows {
		old := found[row.ID]
		if old == nil {
			if ids[row.ID] {
				wrong[i].Fault(form.Missing(row.ID, "id"))
			}
			continue
		}
		wrong[i].Fault(valid.Stale(row.ExpectedVersion, old.Version))
		drafts[i] = editGroup(old, row)
	}
	stood := func(i int) bool { return rows[i].Restores || asks(found[drafts[i].ID], drafts[i]) }
	if err := ref.checkGroups(ctx, tx, drafts, stood, wrong); err != nil {
		return nil, nil, err
	}
	if slices.ContainsFunc(wrong, func(f form.Form) bool { return f.IsFaulty() }) {
		return nil, wrong, nil
	}
	saved := make([]*ent.DependencyGroup, len(rows))
	for i, next := range drafts {
		if saved[i], err = saveGroup(ctx, tx, found[next.ID], next); err != nil {
			return nil, nil, err
		}
	}
	return saved, wrong, nil
}

// asks reports whether two groups ask the same of the same members.
func asks(a, b *ent.DependencyGroup) bool {
	return a.Mode == b.Mode && a.Threshold == b.Threshold && slices.Equal(a.Members, b.Members)
}

// editGroup lays a change over a group. A mode that has no threshold, or no weights, drops those that were there.
func editGroup(old *ent.DependencyGroup, row GroupChange) *ent.DependencyGroup {
	next := *old
	next.Name, next.Mode, next.Threshold = form.Or(row.Name, old.Name), form.Or(row.Mode, old.Mode), form.Or(row.Threshold, old.Threshold)
	if row.Threshold == nil && next.Mode != old.Mode && (next.Mode == domain.All || next.Mode == domain.Any) {
		next.Threshold = 0
	}
	if row.Members != nil {
		next.Members = weighed(row.Members)
		return &next
	}
	next.Members = slices.Clone(old.Members)
	if next.Mode != domain.Weighted {
		for i := range next.Members {
			next.Members[i].Weight = 1
		}
	}
	return &next
}

func saveGroup(ctx context.Context, tx *store.Tx, old, next *ent.DependencyGroup) (*ent.DependencyGroup, error) {
	u := tx.DependencyGroup.UpdateOne(old)
	store.Set(old.Name, next.Name, u.SetName)
	store.Set(old.Mode, next.Mode, u.SetMode)
	store.Set(old.Threshold, next.Threshold, u.SetThreshold)
	if !slices.Equal(next.Members, old.Members) {
		u.SetMembers(next.Members)
	}
	if store.IsIdle(u.Mutation()) {
		return old, nil
	}
	saved, err := u.AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
	return saved, taken(err, "another write has just made a group of this name")
}

// DeleteGroupsTx deletes dependency groups inside a transaction. Those that are gone already are passed over.
func DeleteGroupsTx(ctx context.Context, tx *store.Tx, ids []ident.ID) error {
	wanted := map[ident.ID]bool{}
	for _, id := range ids {
		if err := form.Kind(id, ident.DependencyGroup); err != nil {
			return err
		}
		wanted[id] = true
	}
	found, err := lockGroups(ctx, tx, wanted)
	if err != nil {
		return err
	}
	for _, g := range found {
		if err := tx.DependencyGroup.DeleteOne(g).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}
