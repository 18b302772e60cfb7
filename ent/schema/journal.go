package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Entry is one line of the journal: the effect of one committed write on one record. Its id is made of the revision and
// its place within it, so that ids order all writes.
type Entry struct{ ent.Schema }

func (Entry) Annotations() []schema.Annotation { return table("entry", ident.Entry) }

func (Entry) Fields() []ent.Field {
	return []ent.Field{
		identity(),
		field.Int64("revision").Immutable(),
		field.Time("at").Immutable(),
		field.String("actor").Immutable(), // the name of then
		field.Int64("actor_id").GoType(ident.ID(0)).Optional().Nillable().Immutable(), // the account; absent: none acted
		field.Enum("via").GoType(domain.Via("")).Default(string(domain.ViaSystem)).Immutable(),
		field.Int64("via_id").GoType(ident.ID(0)).Optional().Nillable().Immutable(), // the API token
		field.String("verb").Immutable(),
		field.Enum("operation").GoType(domain.Operation("")).Immutable(),
		field.Int64("record_id").GoType(ident.ID(0)).Immutable(),
		// subject_id is the record whose history shows the entry: the CI of an owner, the incident of a comment.
		field.Int64("subject_id").GoType(ident.ID(0)).Immutable(),
		// before holds the fields that changed, or all fields if the record was deleted; after is the whole record, so
		// that a follower needs no other read.
		field.JSON("before", map[string]any{}).Optional().Immutable(),
		field.JSON("after", map[string]any{}).Optional().Immutable(),
		// digest is of before and after under salt. If salt is absent, the content was redacted, or the entry is of a
		// program that knew no chain, and has no digest either until its revision is linked.
		field.Bytes("salt").Optional().Immutable(),
		field.Bytes("digest").Optional().Immutable(),
	}
}

func (Entry) Indexes() []ent.Index {
	return []ent.Index{index.Fields("subject_id", "id"), index.Fields("revision")}
}

// Version is an interval of revisions in which a CI, relationship or dependency group was as in the journal entry with
// the same number.
type Version struct{ ent.Schema }

func (Version) Annotations() []schema.Annotation { return table("version", ident.Version) }

func (Version) Fields() []ent.Field {
	return []ent.Field{
		identity(),
		field.Int64("record_id").GoType(ident.ID(0)).Immutable(),
		// It held from valid_from until before valid_to, which is the largest integer while it holds.
		field.Int64("valid_from").Immutable(),
		field.Int64("valid_to"),
	}
}

func (Version) Indexes() []ent.Index {
	return []ent.Index{index.Fields("record_id", "valid_to"), index.Fields("valid_to", "valid_from"), index.Fields("record_id", "id")}
}

// Head holds the number of the last committed revision, and that of the last change to who may do what, in its only
// row. chain is the link of the revision chained, which is the last one unless another program than this wrote since.
type Head struct{ ent.Schema }

func (Head) Annotations() []schema.Annotation { return []schema.Annotation{headTable} }

func (Head) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("revision").Default(0),
		field.Int64("access").Default(0), // +1 whenever something is taken away from an account
		field.Int64("chained").Default(0),
		field.Bytes("chain").Optional(), // absent before the first revision
	}
}
