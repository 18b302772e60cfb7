package journal

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/ent/dependencygroup"
	"github.com/linchpin-cmdb/linchpin/ent/relationship"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// One page of each table, with the columns that facts are made of.

func cisAfter(ctx context.Context, c *ent.Client, after ident.ID) ([]*ent.CI, error) {
	return c.CI.Query().Where(ci.IDGT(after)).Order(ci.ByID(sql.OrderAsc())).Limit(page).
		Select(ci.FieldClassID, ci.FieldTierID, ci.FieldEnvironment, ci.FieldServiceKind, ci.FieldLifecycle).All(ctx)
}

func relationshipsAfter(ctx context.Context, c *ent.Client, after ident.ID) ([]*ent.Relationship, error) {
	return c.Relationship.Query().Where(relationship.IDGT(after)).Order(relationship.ByID(sql.OrderAsc())).Limit(page).
		Select(relationship.FieldTypeID, relationship.FieldSourceID, relationship.FieldTargetID, relationship.FieldStrength).All(ctx)
}

func groupsAfter(ctx context.Context, c *ent.Client, after ident.ID) ([]*ent.DependencyGroup, error) {
	return c.DependencyGroup.Query().Where(dependencygroup.IDGT(after)).Order(dependencygroup.ByID(sql.OrderAsc())).Limit(page).All(ctx)
}
