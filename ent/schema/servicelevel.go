package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Calendar is the working hours of a week in a time zone, with its holidays.
type Calendar struct{ ent.Schema }

func (Calendar) Annotations() []schema.Annotation { return table("calendar", ident.Calendar) }

func (Calendar) Fields() []ent.Field {
	return versioned(
		field.String("name").Unique(),
		field.String("time_zone"),
		field.JSON("hours", []domain.WorkingHours{}),
		field.JSON("holidays", []domain.Holiday{}),
	)
}

// ServiceLevelTarget is a promise: records of a priority are acknowledged or resolved within so much working time.
type ServiceLevelTarget struct{ ent.Schema }

func (ServiceLevelTarget) Annotations() []schema.Annotation {
	return table("service_level_target", ident.ServiceLevelTarget)
}

func (ServiceLevelTarget) Fields() []ent.Field {
	return versioned(
		field.String("name").Unique(),
		field.Enum("metric").GoType(domain.ServiceLevelMetric("")),
		field.Enum("record_type").GoType(domain.RecordType("")).Default(string(domain.IncidentRecord)),
		field.Int("priority").Optional().Nillable(), // absent: any
		field.Int64("seconds"),                      // of working time
		reference("calendar_id"),
		field.JSON("services", []ident.ID{}), // the CIs of services; none: all
		field.Bool("starts_at_detection").Default(false),
	)
}

func (ServiceLevelTarget) Edges() []ent.Edge { return []ent.Edge{to("calendar", Calendar.Type)} }

func (ServiceLevelTarget) Indexes() []ent.Index { return []ent.Index{index.Fields("calendar_id")} }

// ServiceLevelMark is the moment at which the stopwatch of a record passed a share of a target's duration: written
// once, and kept when the target is deleted.
type ServiceLevelMark struct{ ent.Schema }

func (ServiceLevelMark) Annotations() []schema.Annotation {
	return table("service_level_mark", ident.ServiceLevelMark)
}

func (ServiceLevelMark) Fields() []ent.Field {
	return []ent.Field{
		identity(),
		field.Int64("record_id").GoType(ident.ID(0)).Immutable(),
		field.Int64("target_id").GoType(ident.ID(0)).Immutable(),
		field.Enum("metric").GoType(domain.ServiceLevelMetric("")).Immutable(),
		field.Int("percent").Immutable(),
		field.Time("reached_at").Immutable(),
	}
}

func (ServiceLevelMark) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("record_id", "target_id", "percent").Unique(), index.Fields("percent", "record_id"), index.Fields("percent", "reached_at"),
	}
}
