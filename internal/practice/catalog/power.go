package catalog

import (
	"context"
	"maps"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent/approvalpolicy"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/ent/owner"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// powerful returns which of some teams give their members power that the actor may not give: those that an approval
// policy names, and those that own restricted CIs. An admin may give it, and so may the program itself.
func powerful(ctx context.Context, tx *store.Tx, teams map[ident.ID]bool) (map[ident.ID]bool, error) {
	found := map[ident.ID]bool{}
	if actor, ok := auth.From(ctx); !ok || actor.Has(auth.Admin) {
		return found, nil
	}
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(teams)), idChunk) {
		policies, err := tx.ApprovalPolicy.Query().Where(approvalpolicy.TeamIDIn(chunk...)).All(ctx)
		if err != nil {
			return nil, err
		}
		for _, p := range policies {
			found[*p.TeamID] = true
		}
		owning, err := tx.Owner.Query().Where(owner.TeamIDIn(chunk...), func(s *sql.Selector) {
			t := sql.Table(ci.Table)
			s.Where(sql.In(s.C(owner.FieldCiID), sql.Select(t.C(ci.FieldID)).From(t).Where(sql.EQ(t.C(ci.FieldVisibility), string(domain.Owners)))))
		}).All(ctx)
		if err != nil {
			return nil, err
		}
		for _, o := range owning {
			found[*o.TeamID] = true
		}
	}
	return found, nil
}

// errPower refuses to change who is in a team with power.
func errPower(ctx context.Context, team ident.ID) error {
	actor, _ := auth.From(ctx)
	return errs.New(errs.Forbidden, "%s may not change who is in %s: it approves changes or owns restricted CIs, and that takes the role %s", actor.Name, team, auth.Admin).At("team")
}
