package cmdb

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Hold keeps everyone else from writing CIs, relationships and groups until the transaction ends. Records that do not
// exist are passed over.
func Hold(ctx context.Context, tx *store.Tx, ids []ident.ID) error {
	of := map[ident.Kind]map[ident.ID]bool{ident.CI: {}, ident.Relationship: {}, ident.DependencyGroup: {}}
	for _, id := range ids {
		if held, ok := of[id.Kind()]; ok {
			held[id] = true
		}
	}
	if _, err := lockCIs(ctx, tx, of[ident.CI]); err != nil {
		return err
	}
	if _, err := lockRelationships(ctx, tx, of[ident.Relationship]); err != nil {
		return err
	}
	_, err := lockGroups(ctx, tx, of[ident.DependencyGroup])
	return err
}
