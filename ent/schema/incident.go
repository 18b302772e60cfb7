package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Incident is an interruption of a service, or the threat of one. Its number is its id's number.
type Incident struct{ ent.Schema }

func (Incident) Annotations() []schema.Annotation { return table("incident", ident.Incident) }

func (Incident) Fields() []ent.Field {
	return versioned(
		field.String("title"),
		field.String("description").Default(""),
		field.Enum("state").GoType(domain.IncidentState("")).Default(string(domain.IncidentNew)),
		field.Enum("hold_reason").GoType(domain.HoldReason("")).Optional().Nillable(),
		field.Int("impact"),
		field.Bool("is_impact_overridden").Default(false),
		field.Int("urgency"),
		field.Int("priority"),
		field.String("category").Default(""),
		field.Enum("channel").GoType(domain.Channel("")).Default(string(domain.ChannelPortal)),
		field.Bool("is_major").Default(false),
		field.String("opened_by").Immutable(), // the name of then of the account
		field.Int64("opened_by_id").GoType(ident.ID(0)).Optional().Nillable().Immutable(),
		optional("caller_id"), optional("assignee_id"), optional("assignment_team_id"), optional("parent_id"),
		optional("caused_by_change_id"), optional("fixed_by_change_id"),
		field.String("problem").Default(""), // the name of the problem in another tool
		field.Enum("resolution_code").GoType(domain.ResolutionCode("")).Optional().Nillable(),
		field.String("resolution_notes").Default(""),
		field.Time("detected_at"),
		field.Time("acknowledged_at").Optional().Nillable(),
		field.Time("resolved_at").Optional().Nillable(),
		field.Time("closed_at").Optional().Nillable(),
		field.Int("reopen_count").Default(0),
		field.Int("reassignment_count").Default(0),
		field.JSON("impact_at_opening", &domain.ImpactSnapshot{}).Optional(),
		field.JSON("impact_at_resolution", &domain.ImpactSnapshot{}).Optional(),
	)
}

func (Incident) Edges() []ent.Edge {
	return []ent.Edge{
		toOptional("caller", Person.Type), toOptional("assignee", Person.Type), toOptional("assignment_team", Team.Type),
		parent(Incident.Type), toOptional("caused_by_change", Change.Type), toOptional("fixed_by_change", Change.Type),
	}
}

func (Incident) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("state", "id"), index.Fields("priority", "id"), index.Fields("created_at", "id"), index.Fields("updated_at", "id"),
		index.Fields("assignment_team_id", "id"), index.Fields("assignee_id", "id"), index.Fields("parent_id"), index.Fields("caller_id"),
		index.Fields("caused_by_change_id"), index.Fields("fixed_by_change_id"),
		index.Fields("resolved_at", "created_at"), index.Fields("acknowledged_at", "created_at"), index.Fields("problem", "id"),
		index.Fields("urgency", "id"), index.Fields("category", "id"), index.Fields("channel", "id"),
		index.Fields("title", "id"), index.Fields("is_major", "id"),
	}
}

// IncidentCI is a CI of an incident in a role.
type IncidentCI struct{ ent.Schema }

func (IncidentCI) Annotations() []schema.Annotation { return table("incident_ci", ident.IncidentCI) }

func (IncidentCI) Fields() []ent.Field {
	return []ent.Field{
		identity(), reference("incident_id"), reference("ci_id"), field.Enum("role").GoType(domain.IncidentRole("")),
	}
}

func (IncidentCI) Edges() []ent.Edge {
	return []ent.Edge{to("incident", Incident.Type), to("ci", CI.Type)}
}

func (IncidentCI) Indexes() []ent.Index {
	return []ent.Index{index.Fields("incident_id", "ci_id").Unique(), index.Fields("ci_id", "incident_id")}
}

// PriorityRule is one cell of the table that turns impact and urgency into priority.
type PriorityRule struct{ ent.Schema }

func (PriorityRule) Annotations() []schema.Annotation {
	return table("priority_rule", ident.PriorityRule)
}

func (PriorityRule) Fields() []ent.Field {
	return []ent.Field{identity(), field.Int("impact"), field.Int("urgency"), field.Int("priority")}
}

func (PriorityRule) Indexes() []ent.Index {
	return []ent.Index{index.Fields("impact", "urgency").Unique()}
}

// TimelineEntry is a comment, a work note or a change of state of an incident or a change.
type TimelineEntry struct{ ent.Schema }

func (TimelineEntry) Annotations() []schema.Annotation {
	return table("timeline_entry", ident.TimelineEntry)
}

func (TimelineEntry) Fields() []ent.Field {
	return []ent.Field{
		identity(), field.Int64("record_id").GoType(ident.ID(0)).Immutable(),
		field.Enum("kind").GoType(domain.TimelineKind("")).Immutable(),
		field.String("body").Default("").Immutable(),
		field.String("from_state").Default("").Immutable(), field.String("to_state").Default("").Immutable(),
		field.String("actor").Immutable(), // the name of then of the account
		field.Int64("actor_id").GoType(ident.ID(0)).Optional().Nillable().Immutable(),
		field.Time("created_at").Immutable(),
	}
}

func (TimelineEntry) Indexes() []ent.Index {
	return []ent.Index{index.Fields("record_id", "id"), index.Fields("from_state", "to_state", "created_at", "record_id")}
}
