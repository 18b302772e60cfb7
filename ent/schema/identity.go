package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Account is who acts: a person or a program. The journal has what is written of it, whole, so that no secret, hash or
// key may be a field of this or any other table: those are in the tables x_secret and x_password.
type Account struct{ ent.Schema }

func (Account) Annotations() []schema.Annotation { return table("account", ident.Account) }

func (Account) Fields() []ent.Field {
	return versioned(
		field.Enum("kind").GoType(domain.AccountKind("")).Default(string(domain.PersonAccount)).Immutable(),
		field.String("name"), // shown, never compared
		field.String("email").Default(""),
		// issuer and subject tell whom an account is for. Of the issuer "name" are those known by a name alone, which
		// cannot sign in.
		field.String("issuer").Optional().Nillable(), field.String("subject").Optional().Nillable(),
		field.String("local_name").Optional().Nillable().Unique(), // of a sign-in by password: NFKC, in lower case
		field.Int64("person_id").GoType(ident.ID(0)).Optional().Nillable(),
		field.Enum("state").GoType(domain.AccountState("")).Default(string(domain.AccountActive)),
	)
}

func (Account) Edges() []ent.Edge { return []ent.Edge{toOptional("person", Person.Type)} }

func (Account) Indexes() []ent.Index {
	return []ent.Index{index.Fields("issuer", "subject").Unique(), index.Fields("name", "id"), index.Fields("person_id").Unique()}
}

// RoleBinding gives a role to an account, or to the members of a group, as an issuer tells them.
type RoleBinding struct{ ent.Schema }

func (RoleBinding) Annotations() []schema.Annotation {
	return table("role_binding", ident.RoleBinding)
}

func (RoleBinding) Fields() []ent.Field {
	return []ent.Field{
		identity(), optional("account_id"),
		field.String("issuer").Optional().Nillable(), field.String("group_name").Optional().Nillable(),
		field.String("role"),
		optional("team_id"), // absent: everywhere
		field.JSON("sources", []string{}).Optional(),
		field.Time("expires_at").Optional().Nillable(), field.Time("created_at").Immutable(),
	}
}

func (RoleBinding) Edges() []ent.Edge {
	return []ent.Edge{toOptional("account", Account.Type), toOptional("team", Team.Type)}
}

func (RoleBinding) Indexes() []ent.Index {
	return []ent.Index{index.Fields("account_id"), index.Fields("issuer", "group_name"), index.Fields("team_id")}
}

// APIToken is what is known of a token of an account; its secret is kept nowhere.
type APIToken struct{ ent.Schema }

func (APIToken) Annotations() []schema.Annotation { return table("api_token", ident.APIToken) }

func (APIToken) Fields() []ent.Field {
	return []ent.Field{
		identity(), reference("account_id"), field.String("name"), field.JSON("roles", []string{}),
		field.String("last_four"), reference("created_by_id"),
		field.Time("expires_at"), field.Time("revoked_at").Optional().Nillable(), field.Time("created_at").Immutable(),
	}
}

func (APIToken) Edges() []ent.Edge {
	return []ent.Edge{to("account", Account.Type), to("created_by", Account.Type)}
}

func (APIToken) Indexes() []ent.Index {
	return []ent.Index{index.Fields("account_id", "id"), index.Fields("created_by_id")}
}
