package change

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/changeci"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// scopeOf lists the rows that put CIs into a change's scope.
func scopeOf(ctx context.Context, tx *store.Tx, id ident.ID) ([]*ent.ChangeCI, error) {
	return tx.ChangeCI.Query().Where(changeci.ChangeID(id)).Order(ent.Asc(changeci.FieldID)).All(ctx)
}

func cisOf(rows []*ent.ChangeCI) []CI {
	scope := make([]CI, len(rows))
	for i, row := range rows {
		scope[i] = CI{ID: row.CiID, Role: row.Role}
	}
	return scope
}

// check looks at the scope of an input, in place of the one before.
func check(ctx context.Context, tx *store.Tx, f *form.Form, said, before []CI) []CI {
	return ticket.Named(ctx, tx, f, "scope", said, before, domain.TakenDownRole, "it cannot be taken down")
}

// link gives a change a scope in place of the one that its rows say.
func link(ctx context.Context, tx *store.Tx, id ident.ID, rows []*ent.ChangeCI, scope []CI) error {
	return ticket.Link(rows, cisOf(rows), scope,
		func(row *ent.ChangeCI) error { return tx.ChangeCI.DeleteOne(row).Exec(ctx) },
		func(row *ent.ChangeCI, role domain.ChangeRole) error {
			return tx.ChangeCI.UpdateOne(row).SetRole(role).Exec(ctx)
		},
		func(fresh []CI) error {
			return tx.ChangeCI.MapCreateBulk(fresh, func(c *ent.ChangeCICreate, i int) {
				c.SetChangeID(id).SetCiID(fresh[i].ID).SetRole(fresh[i].Role)
			}).Exec(ctx)
		})
}
