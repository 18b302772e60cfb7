package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// RiskWeight is what a factor counts for the risk of changes. Factors without a row count as rule/risk says.
type RiskWeight struct{ ent.Schema }

// Annotations of the table.
func (RiskWeight) Annotations() []schema.Annotation { return table("risk_weight", ident.RiskWeight) }

// Fields of the table.
func (RiskWeight) Fields() []ent.Field {
	return []ent.Field{
		identity(), field.Enum("factor").GoType(domain.RiskFactor("")).Immutable(), field.Int("most"), field.Int("each"),
	}
}

// Indexes of the table.
func (RiskWeight) Indexes() []ent.Index { return []ent.Index{index.Fields("factor").Unique()} }
