package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Source is a system that CIs are imported from, and how far it is believed.
type Source struct{ ent.Schema }

func (Source) Annotations() []schema.Annotation { return table("source", ident.Source) }

func (Source) Fields() []ent.Field {
	return versioned(
		field.String("code").Unique().Immutable(),
		// Of two sources that report a field, the one of the higher priority is believed.
		field.Int("priority").Default(domain.SourcePriority),
		field.JSON("field_priorities", []domain.FieldPriority{}).Optional(),
		// A source that has not been read for longer is believed only where no other one is; 0 is never.
		field.Int("stale_after_minutes").Default(0),
		field.Enum("retire_policy").GoType(domain.RetirePolicy("")).Default(string(domain.Keep)),
		field.Int("grace_runs").Default(domain.GraceRuns),
		field.Int("grace_minutes").Default(domain.GraceMinutes),
		// So many of a scope's records, in percent, may go missing in one run that nobody has approved.
		field.Int("guard_percent").Default(domain.GuardPercent),
		// The spaces of keys, beside its own, that it may name records by.
		field.JSON("key_spaces", []string{}).Optional(),
	)
}
