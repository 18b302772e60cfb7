package change

import (
	"context"
	"strconv"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/changeci"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// scopeOf lists the rows that put CIs into a change's scope.
func scopeOf(ctx context.Context, tx *store.Tx, id ident.ID) ([]*ent.ChangeCI, error) {
	return tx.ChangeCI.Query().Where(changeci.ChangeID(id)).Order(ent.Asc(changeci.FieldID)).All(ctx)
}

// check looks at the scope of an input; services become their CIs. A retired CI cannot be taken down, unless the change says
// so from the time before.
func check(ctx context.Context, tx *store.Tx, f *ticket.Form, scope []CI, before []*ent.ChangeCI) []CI {
	ids := make([]ident.ID, len(scope))
	for i, c := range scope {
		ids[i] = c.ID
		var one ticket.Form
		ticket.OneOf(&one, "role", c.Role)
		f.Below(&one, "scope", strconv.Itoa(i))
	}
	var checked []CI
	for i, record := range f.CIs(ctx, tx, "scope", ids) {
		if record == nil {
			continue
		}
		c := CI{ID: record.ID, Role: scope[i].Role}
		if record.Lifecycle == domain.Retired && c.Role == domain.TakenDownRole && !holds(before, c) {
			f.Fault(errs.New(errs.Invalid, "%s is retired: it cannot be taken down", record.Name).At("scope", strconv.Itoa(i), "id"))
		}
		checked = append(checked, c)
	}
	return checked
}

func holds(rows []*ent.ChangeCI, c CI) bool {
	for _, row := range rows {
		if row.CiID == c.ID {
			return row.Role == c.Role
		}
	}
	return false
}

func same(rows []*ent.ChangeCI, scope []CI) bool {
	roles := make(map[ident.ID]domain.ChangeRole, len(rows))
	for _, row := range rows {
		roles[row.CiID] = row.Role
	}
	for _, c := range scope {
		if roles[c.ID] != c.Role {
			return false
		}
	}
	return len(rows) == len(scope)
}

// link writes the difference between the scope a change has and the one it is to have.
func link(ctx context.Context, tx *store.Tx, id ident.ID, rows []*ent.ChangeCI, scope []CI) error {
	wanted := make(map[ident.ID]domain.ChangeRole, len(scope))
	for _, c := range scope {
		wanted[c.ID] = c.Role
	}
	for _, row := range rows {
		role, stays := wanted[row.CiID]
		delete(wanted, row.CiID)
		var err error
		switch {
		case !stays:
			err = tx.ChangeCI.DeleteOne(row).Exec(ctx)
		case role != row.Role:
			err = tx.ChangeCI.UpdateOne(row).SetRole(role).Exec(ctx)
		}
		if err != nil {
			return err
		}
	}
	var fresh []*ent.ChangeCICreate
	for _, c := range scope {
		if _, isNew := wanted[c.ID]; isNew {
			fresh = append(fresh, tx.ChangeCI.Create().SetChangeID(id).SetCiID(c.ID).SetRole(c.Role))
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	return tx.ChangeCI.CreateBulk(fresh...).Exec(ctx)
}
