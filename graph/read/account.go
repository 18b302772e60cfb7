package read

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/account"
	"github.com/linchpin-cmdb/linchpin/ent/apitoken"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/ent/rolebinding"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Account is who acts, as clients see it.
type Account struct {
	*ent.Account
	in *batch[*Account]
}

// IsNode marks records with a global id.
func (*Account) IsNode() {}

func (a *Account) id() ident.ID { return a.ID }

func (r *Reader) wrapAccounts(rows []*ent.Account) []*Account {
	b := newBatch(r, make([]*Account, len(rows)))
	for i, row := range rows {
		b.Rows[i] = &Account{row, b}
	}
	return b.Rows
}

// ShowAccount shows an account that a verb returned.
func (r *Reader) ShowAccount(row *ent.Account) *Account {
	return r.wrapAccounts([]*ent.Account{row})[0]
}

func loadAccounts(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*Account, error) {
	rows, err := r.store.Show.Account.Query().Where(having(account.FieldID, ids)).All(ctx)
	return index(r.wrapAccounts(rows), (*Account).id), store.Translate(err)
}

// isShown reports whether the actor of ctx may see more of the account than who it is.
func (a *Account) isShown(ctx context.Context) bool { return seesAccounts(ctx) || isOwn(ctx, a.ID) }

// private returns what only some may see of an account.
func private[T any](ctx context.Context, a *Account, value T) *T {
	if !a.isShown(ctx) {
		return nil
	}
	return &value
}

// Email returns where to write to.
func (a *Account) Email(ctx context.Context) *string { return private(ctx, a, a.Account.Email) }

// State returns whether the account may act.
func (a *Account) State(ctx context.Context) *domain.AccountState {
	return private(ctx, a, a.Account.State)
}

// LocalName returns the name that the account signs in with.
func (a *Account) LocalName(ctx context.Context) *string {
	if !a.isShown(ctx) {
		return nil
	}
	return a.Account.LocalName
}

// Issuer returns the provider that the account signs in by.
func (a *Account) Issuer(ctx context.Context) *string {
	if !a.isShown(ctx) || a.Account.Issuer != nil && *a.Account.Issuer == store.NameIssuer {
		return nil
	}
	return a.Account.Issuer
}

// Person returns the person whose account it is.
func (a *Account) Person(ctx context.Context) (*Person, error) {
	if !a.isShown(ctx) {
		return nil, nil
	}
	return one(ctx, a.in, a, "person", func(a *Account) *ident.ID { return a.PersonID }, loadPeople)
}

// RoleBindings returns the roles that the account is given.
func (a *Account) RoleBindings(ctx context.Context) ([]*RoleBinding, error) {
	if !a.isShown(ctx) {
		return nil, nil
	}
	return many(ctx, a.in, a, "role bindings", (*Account).id, func(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID][]*RoleBinding, error) {
		rows, err := r.store.Show.RoleBinding.Query().Where(having(rolebinding.FieldAccountID, ids)).Order(ent.Asc(rolebinding.FieldID)).All(ctx)
		return bundle(r.wrapBindings(rows), func(b *RoleBinding) ident.ID { return *b.AccountID }), store.Translate(err)
	})
}

// Tokens returns the API tokens of the account, the newest first.
func (a *Account) Tokens(ctx context.Context) ([]*ApiToken, error) {
	if !a.isShown(ctx) {
		return nil, nil
	}
	return many(ctx, a.in, a, "tokens", (*Account).id, func(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID][]*ApiToken, error) {
		rows, err := r.store.Show.APIToken.Query().Where(having(apitoken.FieldAccountID, ids)).Order(ent.Desc(apitoken.FieldID)).All(ctx)
		return bundle(r.wrapTokens(rows), func(t *ApiToken) ident.ID { return t.AccountID }), store.Translate(err)
	})
}

// RoleBinding is a role that an account is given.
type RoleBinding struct {
	*ent.RoleBinding
	in *batch[*RoleBinding]
}

// IsNode marks records with a global id.
func (*RoleBinding) IsNode() {}

func (r *Reader) wrapBindings(rows []*ent.RoleBinding) []*RoleBinding {
	b := newBatch(r, make([]*RoleBinding, len(rows)))
	for i, row := range rows {
		b.Rows[i] = &RoleBinding{row, b}
	}
	return b.Rows
}

// ShowRoleBinding shows a binding that a verb returned.
func (r *Reader) ShowRoleBinding(row *ent.RoleBinding) *RoleBinding {
	return r.wrapBindings([]*ent.RoleBinding{row})[0]
}

// loadBindings reads bindings of accounts that the actor may see.
func loadBindings(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*RoleBinding, error) {
	q := r.store.Show.RoleBinding.Query().Where(having(rolebinding.FieldID, ids))
	q.Modify(ofOwn(ctx, rolebinding.FieldAccountID))
	rows, err := q.All(ctx)
	return index(r.wrapBindings(rows), func(b *RoleBinding) ident.ID { return b.ID }), store.Translate(err)
}

// Account returns the account that has the role.
func (b *RoleBinding) Account(ctx context.Context) (*Account, error) {
	return one(ctx, b.in, b, "account", func(b *RoleBinding) *ident.ID { return b.AccountID }, loadAccounts)
}

// Team returns the team within which the role holds. If it holds everywhere, it returns nil.
func (b *RoleBinding) Team(ctx context.Context) (*Team, error) {
	return one(ctx, b.in, b, "team", func(b *RoleBinding) *ident.ID { return b.TeamID }, loadTeams)
}

// Sources returns the sources for which an INTEGRATOR has the role.
func (b *RoleBinding) Sources() []string {
	if b.RoleBinding.Sources == nil {
		return []string{}
	}
	return b.RoleBinding.Sources
}

// Role returns the role.
func (b *RoleBinding) Role() auth.Role { return auth.Role(b.RoleBinding.Role) }

// ApiToken is what is known of a token.
type ApiToken struct {
	*ent.APIToken
	in *batch[*ApiToken]
}

// IsNode marks records with a global id.
func (*ApiToken) IsNode() {}

func (r *Reader) wrapTokens(rows []*ent.APIToken) []*ApiToken {
	b := newBatch(r, make([]*ApiToken, len(rows)))
	for i, row := range rows {
		b.Rows[i] = &ApiToken{row, b}
	}
	return b.Rows
}

// ShowAPIToken shows a token that a verb returned.
func (r *Reader) ShowAPIToken(row *ent.APIToken) *ApiToken {
	return r.wrapTokens([]*ent.APIToken{row})[0]
}

// loadTokens reads tokens of accounts that the actor may see.
func loadTokens(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*ApiToken, error) {
	q := r.store.Show.APIToken.Query().Where(having(apitoken.FieldID, ids))
	q.Modify(ofOwn(ctx, apitoken.FieldAccountID))
	rows, err := q.All(ctx)
	return index(r.wrapTokens(rows), func(t *ApiToken) ident.ID { return t.ID }), store.Translate(err)
}

// ofOwn restricts a statement to rows of the actor's own account, unless the actor looks after accounts.
func ofOwn(ctx context.Context, column string) func(*sql.Selector) {
	return func(s *sql.Selector) {
		if seesAccounts(ctx) {
			return
		}
		var of any = int64(0)
		if actor, _ := auth.From(ctx); actor.Account != nil {
			of = *actor.Account
		}
		s.Where(sql.EQ(s.C(column), of))
	}
}

// Account returns the account that the token acts as.
func (t *ApiToken) Account(ctx context.Context) (*Account, error) {
	return one(ctx, t.in, t, "account", func(t *ApiToken) *ident.ID { return &t.AccountID }, loadAccounts)
}

// CreatedBy returns who made the token.
func (t *ApiToken) CreatedBy(ctx context.Context) (*Account, error) {
	return one(ctx, t.in, t, "created by", func(t *ApiToken) *ident.ID { return &t.CreatedByID }, loadAccounts)
}

// Roles returns the roles that the token has of those that its account has.
func (t *ApiToken) Roles() []auth.Role {
	roles := make([]auth.Role, len(t.APIToken.Roles))
	for i, role := range t.APIToken.Roles {
		roles[i] = auth.Role(role)
	}
	return roles
}

// AccountFilter says which accounts to list.
type AccountFilter struct{ Name *where.Text }

// Accounts lists accounts by name.
func (r *Reader) Accounts(ctx context.Context, filter *AccountFilter, p page.Args) (*page.Connection[*Account], error) {
	c := &where.Conditions{}
	if filter != nil {
		c.Text(account.FieldName, filter.Name)
	}
	if c.Err() != nil {
		return nil, c.Err()
	}
	return page.List[*ent.Account, *Account]{
		Name: "accounts", Filter: filter, Wrap: r.wrapAccounts,
		Order: []page.Term[*ent.Account]{
			page.By(account.FieldName, func(e *ent.Account) string { return e.Name }), page.By(account.FieldID, func(e *ent.Account) ident.ID { return e.ID }),
		},
		Query: func(ctx context.Context, modify func(*sql.Selector)) ([]*ent.Account, error) {
			q := r.store.Show.Account.Query()
			q.Modify(c.Apply, modify)
			return translated(q.All(ctx))
		},
	}.Page(ctx, p)
}

// EntryAuthor is who wrote an entry of the journal, and how they came.
type EntryAuthor struct{ of *Entry }

// By returns who wrote the entry.
func (e *Entry) By() *EntryAuthor { return &EntryAuthor{e} }

// Account returns the account that wrote it. The program itself and commands on the database have none.
func (a *EntryAuthor) Account(ctx context.Context) (*Account, error) {
	return one(ctx, a.of.in, a.of, "author", func(e *Entry) *ident.ID { return e.ActorID }, loadAccounts)
}

// Via returns the door.
func (a *EntryAuthor) Via() domain.Via { return a.of.Via }

// TokenName returns the name of the API token by which it was written.
func (a *EntryAuthor) TokenName(ctx context.Context) (*string, error) {
	token, err := one(ctx, a.of.in, a.of, "token", func(e *Entry) *ident.ID { return e.ViaID }, loadTokenNames)
	return absent(token), err
}

func loadTokenNames(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]string, error) {
	rows, err := r.store.Show.APIToken.Query().Where(having(apitoken.FieldID, ids)).All(ctx)
	names := make(map[ident.ID]string, len(rows))
	for _, row := range rows {
		names[row.ID] = row.Name
	}
	return names, store.Translate(err)
}

// By returns the account that is asked for a vote.
func (a *Approval) By(ctx context.Context) (*Account, error) {
	return one(ctx, a.in, a, "by", func(a *Approval) *ident.ID { return a.ApproverID }, loadAccounts)
}

// isPrivate reports whether a record is of accounts, and told of to those alone who look after them.
func isPrivate(id ident.ID) bool {
	return id.Kind() == ident.Account || id.Kind() == ident.RoleBinding || id.Kind() == ident.APIToken
}

// seesAccounts reports whether the actor of ctx looks after accounts.
func seesAccounts(ctx context.Context) bool {
	actor, _ := auth.From(ctx)
	return actor.Has(auth.Auditor)
}

// isOwn reports whether the actor of ctx has an account.
func isOwn(ctx context.Context, id ident.ID) bool {
	actor, _ := auth.From(ctx)
	return actor.Account != nil && *actor.Account == id
}

// public leaves entries about accounts out, but for the actor's own, unless the actor looks after them. The kinds of
// records of accounts follow one another.
func public(ctx context.Context) func(*sql.Selector) {
	return func(s *sql.Selector) {
		if seesAccounts(ctx) {
			return
		}
		of := sql.Or(sql.LT(s.C(entry.FieldRecordID), ident.New(ident.Account, 0)), sql.GT(s.C(entry.FieldRecordID), ident.New(ident.APIToken+1, 0)))
		if actor, _ := auth.From(ctx); actor.Account != nil {
			of = sql.Or(of, sql.EQ(s.C(entry.FieldSubjectID), *actor.Account))
		}
		s.Where(of)
	}
}
