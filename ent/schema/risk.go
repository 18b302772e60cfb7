package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// RiskWeight is the weight of a factor for the risk of changes. Factors without a row have the weight of rule/risk.
type RiskWeight struct{ ent.Schema }

func (RiskWeight) Annotations() []schema.Annotation { return table("risk_weight", ident.RiskWeight) }

func (RiskWeight) Fields() []ent.Field {
	return []ent.Field{
		identity(), field.Enum("factor").GoType(domain.RiskFactor("")).Immutable(), field.Int("most"), field.Int("each"),
	}
}

func (RiskWeight) Indexes() []ent.Index { return []ent.Index{index.Fields("factor").Unique()} }
