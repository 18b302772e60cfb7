package cmdb

import (
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ciclass"
	"github.com/linchpin-cmdb/linchpin/ent/relationshiptype"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Words returns what the codes of classes and of relationship types stand for in planned operations, in two statements.
func Words(ctx context.Context, c *ent.Client) (operation.Words, error) {
	w := operation.Words{Classes: map[string]operation.Class{}, Types: map[string]ident.ID{}}
	classes, err := c.CIClass.Query().Select(ciclass.FieldCode, ciclass.FieldParentID).All(ctx)
	if err != nil {
		return w, store.Translate(err)
	}
	types, err := c.RelationshipType.Query().Select(relationshiptype.FieldCode).All(ctx)
	if err != nil {
		return w, store.Translate(err)
	}
	for _, t := range types {
		w.Types[t.Code] = t.ID
	}
	byID := make(map[ident.ID]*ent.CIClass, len(classes))
	for _, class := range classes {
		byID[class.ID] = class
	}
	for _, class := range classes {
		isService := false
		for up := class; up != nil && !isService; {
			isService = slices.ContainsFunc(domain.ServiceKind("").Values(), func(k string) bool { return ServiceClass(domain.ServiceKind(k)) == up.Code })
			if up.ParentID == nil {
				break
			}
			up = byID[*up.ParentID]
		}
		w.Classes[class.Code] = operation.Class{ID: class.ID, IsService: isService}
	}
	return w, nil
}
