package form

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Lock returns the record of a kind that a query by its id finds, as store.Lock does. If there is none, the fault is in
// the field.
func Lock[Record any, Query interface {
	ForUpdate(...sql.LockOption) Query
	Only(context.Context) (Record, error)
}](ctx context.Context, tx *store.Tx, q Query, kind ident.Kind, id ident.ID, field string) (Record, error) {
	found, err := store.Lock(ctx, tx, q)
	if ent.IsNotFound(err) {
		err = errs.New(errs.NotFound, "there is no %s %s", kind.Noun(), id).At(field)
	}
	return found, err
}
