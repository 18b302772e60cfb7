package cmdb

import (
	"context"
	"strconv"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// The functions below ask for an actor without the role whether the record is theirs. To such an actor a record that
// they may not see does not exist.

// MayEdit returns nil if the actor may do what this write does to the CI that a field names. It keeps others from
// writing the CI until the transaction ends.
func MayEdit(ctx context.Context, tx *store.Tx, id ident.ID, field string) error {
	if auth.IsFree(ctx) {
		return nil
	}
	id, err := CIID(id)
	if err != nil {
		return errs.Under(err, field)
	}
	found, err := lockCIs(ctx, tx, map[ident.ID]bool{id: true})
	if err != nil {
		return err
	}
	hidden, err := sight.Within(ctx, tx.Client())
	switch {
	case err != nil:
		return err
	case found[id] == nil || hidden[id]:
		return form.Missing(id, field)
	}
	return auth.Within(ctx, tx, auth.About{CIs: []ident.ID{id}})
}

// ByRole refuses what an owner may not change of a CI.
func ByRole(ctx context.Context, field string) error {
	return auth.ByRole(ctx, "the "+field+" of a CI", field)
}

// MayRelate returns nil if the actor may relate two CIs. An owner relates without learning what else is related to the
// other end, so that types that bound how many may be take the role.
func MayRelate(ctx context.Context, tx *store.Tx, in RelateCIs) error {
	if auth.IsFree(ctx) {
		return nil
	}
	if err := MayEdit(ctx, tx, in.Source, "source"); err != nil {
		return err
	}
	ref, err := LoadReference(ctx, tx)
	if err != nil {
		return err
	}
	if t := ref.byCode[in.Type]; t != nil && t.Cardinality != domain.ManyToMany {
		if err := auth.ByRole(ctx, "relationships of "+t.Code+", of which a CI has one at most", "type"); err != nil {
			return err
		}
	}
	target, err := CIID(in.Target)
	if err != nil {
		return errs.Under(err, "target")
	}
	hidden, err := sight.Within(ctx, tx.Client())
	if err == nil && hidden[target] {
		err = form.Missing(target, "target")
	}
	return err
}

// MayEditRelationship returns nil if the actor may do what this write does to a relationship: that of its source.
func MayEditRelationship(ctx context.Context, tx *store.Tx, id ident.ID) error {
	if auth.IsFree(ctx) {
		return nil
	}
	if err := form.Kind(id, ident.Relationship, "id"); err != nil {
		return err
	}
	rel, err := shownRelationship(ctx, tx, id, "id")
	if err != nil {
		return err
	}
	return auth.Within(ctx, tx, auth.About{CIs: []ident.ID{rel.SourceID}})
}

// shownRelationship returns the relationship that a field names, if the actor may see it.
func shownRelationship(ctx context.Context, tx *store.Tx, id ident.ID, field ...string) (*ent.Relationship, error) {
	found, err := lockRelationships(ctx, tx, map[ident.ID]bool{id: true})
	if err != nil {
		return nil, err
	}
	hidden, err := sight.Within(ctx, tx.Client())
	if err != nil {
		return nil, err
	}
	if rel := found[id]; rel != nil && !hidden[rel.SourceID] && !hidden[rel.TargetID] {
		return rel, nil
	}
	return nil, form.Missing(id, field...)
}

// MayEditGroup returns nil if the actor may do what this write does to a dependency group: that of its CI, with members
// that the actor may see.
func MayEditGroup(ctx context.Context, tx *store.Tx, id ident.ID, members []GroupMember) error {
	if auth.IsFree(ctx) {
		return nil
	}
	if err := form.Kind(id, ident.DependencyGroup, "id"); err != nil {
		return err
	}
	found, err := lockGroups(ctx, tx, map[ident.ID]bool{id: true})
	if err != nil {
		return err
	}
	hidden, err := sight.Within(ctx, tx.Client())
	if err != nil {
		return err
	}
	was := found[id]
	if was == nil || hidden[was.CiID] {
		return form.Missing(id, "id")
	}
	if err := auth.Within(ctx, tx, auth.About{CIs: []ident.ID{was.CiID}}); err != nil || members == nil {
		return err
	}
	for _, m := range was.Members {
		if _, err := shownRelationship(ctx, tx, m.Relationship); errs.CodeOf(err) == errs.NotFound {
			return auth.ByRole(ctx, "the members of a group of which they may not see all", "members")
		} else if err != nil {
			return err
		}
	}
	return MayGroup(ctx, tx, members)
}

// MayGroup refuses members that the actor may not see.
func MayGroup(ctx context.Context, tx *store.Tx, members []GroupMember) error {
	if auth.IsFree(ctx) {
		return nil
	}
	for i, m := range members {
		if m.Relationship.Kind() != ident.Relationship {
			continue // which is said by those who read it
		}
		if _, err := shownRelationship(ctx, tx, m.Relationship, "members", strconv.Itoa(i), "relationship"); err != nil {
			return err
		}
	}
	return nil
}
