package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// ApprovalPolicy says which changes need how many approvals, and of whom.
type ApprovalPolicy struct{ ent.Schema }

// Annotations of the table.
func (ApprovalPolicy) Annotations() []schema.Annotation {
	return table("approval_policy", ident.ApprovalPolicy)
}

// Fields of the table.
func (ApprovalPolicy) Fields() []ent.Field {
	return versioned(
		field.String("name").Unique(),
		field.JSON("change_types", []domain.ChangeType{}), // none: all
		field.Int("risk_above").Optional().Nillable(),     // absent: whatever the risk
		field.Int("approvals"),
		optional("team_id"),                        // absent: of any team
		field.String("role").Optional().Nillable(), // absent: with any role
	)
}

// Edges of the table.
func (ApprovalPolicy) Edges() []ent.Edge { return []ent.Edge{toOptional("team", Team.Type)} }

// Indexes of the table.
func (ApprovalPolicy) Indexes() []ent.Index { return []ent.Index{index.Fields("team_id")} }
