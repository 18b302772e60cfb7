package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Change is a planned alteration of CIs. Its number is its id's number.
type Change struct{ ent.Schema }

func (Change) Annotations() []schema.Annotation { return table("change", ident.Change) }

func (Change) Fields() []ent.Field {
	return versioned(
		field.String("title"),
		field.String("description").Default(""),
		field.Enum("type").GoType(domain.ChangeType("")),
		field.Enum("state").GoType(domain.ChangeState("")).Default(string(domain.ChangeNew)),
		field.String("justification").Default(""),
		field.String("plan").Default(""),
		field.String("backout_plan").Default(""),
		field.String("test_plan").Default(""),
		field.String("requested_by").Immutable(), // the name of then of the account that drafted it
		field.Int64("requested_by_id").GoType(ident.ID(0)).Optional().Nillable().Immutable(),
		optional("requester_id"), optional("assignee_id"), optional("assignment_team_id"),
		optional("template_id"), // of a STANDARD change
		field.Time("planned_start").Optional().Nillable(),
		field.Time("planned_end").Optional().Nillable(),
		field.Time("actual_start").Optional().Nillable(),
		field.Time("actual_end").Optional().Nillable(),
		field.Enum("outcome").GoType(domain.ChangeOutcome("")).Optional().Nillable(),
		field.String("closure_notes").Default(""),
	)
}

func (Change) Edges() []ent.Edge {
	return []ent.Edge{
		toOptional("requester", Person.Type), toOptional("assignee", Person.Type), toOptional("assignment_team", Team.Type),
		toOptional("template", ChangeTemplate.Type),
	}
}

func (Change) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("state", "id"), index.Fields("type", "id"), index.Fields("created_at", "id"), index.Fields("updated_at", "id"),
		index.Fields("planned_start", "planned_end"), index.Fields("planned_end", "planned_start"), index.Fields("assignment_team_id", "id"), index.Fields("assignee_id", "id"), index.Fields("requester_id"), index.Fields("actual_start"), index.Fields("actual_end"),
		index.Fields("template_id", "id"), index.Fields("outcome", "id"), index.Fields("requested_by", "id"), index.Fields("title", "id"),
	}
}

// ChangeCI is a CI in a change's scope.
type ChangeCI struct{ ent.Schema }

func (ChangeCI) Annotations() []schema.Annotation { return table("change_ci", ident.ChangeCI) }

func (ChangeCI) Fields() []ent.Field {
	return []ent.Field{
		identity(), reference("change_id"), reference("ci_id"), field.Enum("role").GoType(domain.ChangeRole("")),
	}
}

func (ChangeCI) Edges() []ent.Edge { return []ent.Edge{to("change", Change.Type), to("ci", CI.Type)} }

func (ChangeCI) Indexes() []ent.Index {
	return []ent.Index{index.Fields("change_id", "ci_id").Unique(), index.Fields("ci_id", "change_id")}
}

// PlannedOutage is the services that a change takes DOWN, as it was worked out when it was scheduled last.
type PlannedOutage struct{ ent.Schema }

func (PlannedOutage) Annotations() []schema.Annotation {
	return table("planned_outage", ident.PlannedOutage)
}

func (PlannedOutage) Fields() []ent.Field {
	return []ent.Field{
		identity(), reference("change_id"),
		field.Int64("revision"),              // of the graph that it was worked out on
		field.JSON("services", []ident.ID{}), // by id
	}
}

func (PlannedOutage) Edges() []ent.Edge { return []ent.Edge{to("change", Change.Type)} }

func (PlannedOutage) Indexes() []ent.Index { return []ent.Index{index.Fields("change_id").Unique()} }
