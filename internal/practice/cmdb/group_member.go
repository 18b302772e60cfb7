package cmdb

import (
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/dependencygroup"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// checkGroups checks drafts of groups, new and changed, against their members, the other groups of their CIs and one
// another. Drafts that are nil are passed over. Stood tells of which drafts mode, threshold and members stood so
// before.
func (r *Reference) checkGroups(ctx context.Context, tx *store.Tx, drafts []*ent.DependencyGroup, stood func(i int) bool, wrong []form.Form) error {
	members, cis := map[ident.ID]bool{}, map[ident.ID]bool{}
	for i, d := range drafts {
		if d == nil {
			continue
		}
		d.Name = wrong[i].Text("name", d.Name, 1, valid.LongestName)
		checkMode(d, stood(i), &wrong[i])
		for _, m := range d.Members {
			members[m.Relationship] = true
		}
		cis[d.CiID] = true
	}
	// The members are held: a transaction that softens, removes or groups one of them meanwhile has to wait.
	rels, err := lockRelationships(ctx, tx, members)
	if err != nil {
		return err
	}
	if err := r.lockTypesOf(ctx, tx, rels); err != nil {
		return err
	}
	all, err := groupsOf(ctx, tx, cis)
	if err != nil {
		return err
	}
	byCI := map[ident.ID][]*ent.DependencyGroup{}
	drafted := map[ident.ID]bool{}
	for _, d := range drafts {
		if d != nil && d.ID != 0 {
			drafted[d.ID] = true
		}
	}
	for _, g := range all {
		if !drafted[g.ID] {
			byCI[g.CiID] = append(byCI[g.CiID], g)
		}
	}
	for i, d := range drafts {
		if d == nil {
			continue
		}
		others := byCI[d.CiID]
		r.checkMembers(d, rels, others, &wrong[i])
		for _, other := range others {
			if other.Name == d.Name {
				wrong[i].Fault(errs.New(errs.AlreadyExists, "%s has a group %q already: %s", d.CiID, d.Name, other.ID), "name")
			}
		}
		byCI[d.CiID] = append(others, d)
	}
	return nil
}

// lockGroups reads groups and keeps everyone else from writing them until the transaction ends.
func lockGroups(ctx context.Context, tx *store.Tx, ids map[ident.ID]bool) (map[ident.ID]*ent.DependencyGroup, error) {
	found := make(map[ident.ID]*ent.DependencyGroup, len(ids))
	for chunk := range chunks(ids) {
		q := tx.DependencyGroup.Query().Where(dependencygroup.IDIn(chunk...)).Order(ent.Asc(dependencygroup.FieldID))
		if tx.IsPostgres() {
			q = q.ForUpdate()
		}
		all, err := q.All(ctx)
		if err != nil {
			return nil, err
		}
		for _, g := range all {
			found[g.ID] = g
		}
	}
	return found, nil
}

func groupsOf(ctx context.Context, tx *store.Tx, cis map[ident.ID]bool) ([]*ent.DependencyGroup, error) {
	var groups []*ent.DependencyGroup
	for chunk := range chunks(cis) {
		all, err := tx.DependencyGroup.Query().Where(dependencygroup.CiIDIn(chunk...)).Order(ent.Asc(dependencygroup.FieldID)).All(ctx)
		if err != nil {
			return nil, err
		}
		groups = append(groups, all...)
	}
	return groups, nil
}

// groupsWith finds the groups that relationships count in. A group belongs to a CI at one of their ends.
func groupsWith(ctx context.Context, tx *store.Tx, rels []*ent.Relationship) (map[ident.ID][]*ent.DependencyGroup, error) {
	ends := map[ident.ID]bool{}
	for _, rel := range rels {
		ends[rel.SourceID], ends[rel.TargetID] = true, true
	}
	groups, err := groupsOf(ctx, tx, ends)
	if err != nil {
		return nil, err
	}
	in := map[ident.ID][]*ent.DependencyGroup{}
	for _, g := range groups {
		for _, m := range g.Members {
			in[m.Relationship] = append(in[m.Relationship], g)
		}
	}
	return in, nil
}

// leaveGroups takes relationships out of all groups. A group that is left empty goes; one that is left with less than
// it needs keeps its threshold, which is for its editor to change.
func leaveGroups(ctx context.Context, tx *store.Tx, gone map[ident.ID]*ent.Relationship) error {
	rels := make([]*ent.Relationship, 0, len(gone))
	for _, rel := range gone {
		rels = append(rels, rel)
	}
	in, err := groupsWith(ctx, tx, rels)
	if err != nil {
		return err
	}
	concerned := map[ident.ID]bool{}
	for id := range gone {
		for _, g := range in[id] {
			concerned[g.ID] = true
		}
	}
	locked, err := lockGroups(ctx, tx, concerned)
	if err != nil {
		return err
	}
	for _, old := range locked {
		next := *old
		next.Members = slices.DeleteFunc(slices.Clone(old.Members), func(m domain.GroupMember) bool { return gone[m.Relationship] != nil })
		if len(next.Members) == 0 {
			err = tx.DependencyGroup.DeleteOne(old).Exec(ctx)
		} else {
			_, err = saveGroup(ctx, tx, old, &next)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
