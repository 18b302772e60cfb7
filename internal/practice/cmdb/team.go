package cmdb

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// CheckTeamParent refuses a parent that does not exist, or that would make a team part of itself. Changes of the tree
// of teams take turns.
func CheckTeamParent(ctx context.Context, tx *store.Tx, child, parent ident.ID) error {
	if err := form.Kind(parent, ident.Team, "parent"); err != nil {
		return err
	}
	if err := tx.TakeTurns(ctx, "linchpin.team.tree"); err != nil {
		return err
	}
	all, err := tx.Team.Query().All(ctx)
	if err != nil {
		return err
	}
	above, known := map[ident.ID]ident.ID{}, false
	for _, t := range all {
		if t.ParentID != nil {
			above[t.ID] = *t.ParentID
		}
		known = known || t.ID == parent
	}
	if !known {
		return form.Missing(parent, "parent")
	}
	for at := parent; at != 0; at = above[at] {
		if at == child {
			return errs.New(errs.Invalid, "%s is part of %s: it cannot contain it", parent, child).At("parent")
		}
	}
	return nil
}
