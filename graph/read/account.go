package read

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/account"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Account is who acts, as clients see it.
type Account struct{ *ent.Account }

// IsNode marks records with a global id.
func (*Account) IsNode() {}

func wrapAccounts(rows []*ent.Account) []*Account {
	all := make([]*Account, len(rows))
	for i, row := range rows {
		all[i] = &Account{row}
	}
	return all
}

func loadAccounts(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*Account, error) {
	rows, err := r.store.Read.Account.Query().Where(having(account.FieldID, ids)).All(ctx)
	return index(wrapAccounts(rows), func(a *Account) ident.ID { return a.ID }), store.Translate(err)
}

// Accounts lists accounts by name.
func (r *Reader) Accounts(ctx context.Context, name *where.Text, p page.Args) (*page.Connection[*Account], error) {
	c := &where.Conditions{}
	c.Text(account.FieldName, name)
	if c.Err() != nil {
		return nil, c.Err()
	}
	return page.List[*ent.Account, *Account]{
		Name: "accounts", Filter: name, Wrap: wrapAccounts,
		Order: []page.Term[*ent.Account]{
			page.By(account.FieldName, func(e *ent.Account) string { return e.Name }), page.By(account.FieldID, func(e *ent.Account) ident.ID { return e.ID }),
		},
		Query: func(ctx context.Context, modify func(*sql.Selector)) ([]*ent.Account, error) {
			q := r.store.Read.Account.Query()
			q.Modify(c.Apply, modify)
			return translated(q.All(ctx))
		},
	}.Page(ctx, p)
}

// Viewer is the caller, as the server sees it.
type Viewer struct {
	auth.Actor
	in *Reader
}

// Viewer returns who calls.
func (r *Reader) Viewer(ctx context.Context) *Viewer {
	actor, _ := auth.From(ctx)
	return &Viewer{actor, r}
}

// Account returns the caller's account. Where nobody signs in, it is that of the name the caller gave.
func (v *Viewer) Account(ctx context.Context) (*Account, error) {
	q := v.in.store.Read.Account.Query()
	switch {
	case v.Actor.Account != nil:
		q.Where(account.ID(*v.Actor.Account))
	case v.Via == domain.ViaDev:
		q.Where(account.Issuer(store.NameIssuer), account.Subject(store.Folded(v.Name)))
	default:
		return nil, nil
	}
	row, err := q.Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	return &Account{row}, store.Translate(err)
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
	return actor.Has(auth.Admin)
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
