package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// ApprovalPolicy is how many approvals records of a type need, and of whom.
type ApprovalPolicy struct{ ent.Schema }

func (ApprovalPolicy) Annotations() []schema.Annotation {
	return table("approval_policy", ident.ApprovalPolicy)
}

func (ApprovalPolicy) Fields() []ent.Field {
	return versioned(
		field.String("name").Unique(),
		field.Enum("record_type").GoType(domain.ApprovalSubject("")).Default(string(domain.ChangeSubject)),
		field.JSON("change_types", []domain.ChangeType{}), // of changes; none: all
		field.Int("risk_above").Optional().Nillable(),     // absent: whatever the risk
		field.Int("approvals"),
		optional("team_id"),                        // absent: of any team
		field.String("role").Optional().Nillable(), // absent: with any role
	)
}

func (ApprovalPolicy) Edges() []ent.Edge { return []ent.Edge{toOptional("team", Team.Type)} }

func (ApprovalPolicy) Indexes() []ent.Index { return []ent.Index{index.Fields("team_id")} }

// Approval is one person's vote on a record, asked for or given.
type Approval struct{ ent.Schema }

func (Approval) Annotations() []schema.Annotation { return table("approval", ident.Approval) }

func (Approval) Fields() []ent.Field {
	return []ent.Field{
		identity(), field.Int64("record_id").GoType(ident.ID(0)).Immutable(),
		field.String("approver").Immutable(), // the name of then of the account that is asked
		field.Int64("approver_id").GoType(ident.ID(0)).Optional().Nillable().Immutable(),
		field.Enum("decision").GoType(domain.Decision("")).Default(string(domain.Requested)),
		field.String("comment").Default(""),
		field.JSON("teams", []ident.ID{}).Optional(), // of which the approver was a member when they voted
		field.JSON("roles", []string{}).Optional(),   // which they had
		field.String("voided_because").Default(""),
		field.Time("created_at").Immutable(), field.Time("decided_at").Optional().Nillable(),
	}
}

func (Approval) Indexes() []ent.Index { return []ent.Index{index.Fields("record_id", "approver")} }
