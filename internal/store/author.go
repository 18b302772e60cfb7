package store

import (
	"cmp"
	"context"
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/account"
	"github.com/linchpin-cmdb/linchpin/ent/person"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// By is the author of a write and its verb.
type By struct {
	Actor   string     // the name, as it is written down
	Account *ident.ID  // who that is; nil for the program itself, for commands, and until a name has acted
	Via     domain.Via // the door; the program itself if it is empty
	ViaID   *ident.ID  // the API token
	Verb    string
	// IsFounding says that it fills a database that was empty: nothing stands yet that it could harm, and nobody
	// judges.
	IsFounding bool
}

// NameIssuer is the issuer of accounts that are known by a name alone: of dev mode, of the demo, and of what was
// written before there were accounts. None of them can sign in.
const NameIssuer = "name"

// Folded returns the form of a name in which the subjects of NameIssuer are kept: two spellings are one name.
func Folded(name string) string { return strings.ToLower(name) }

// HasFolded returns the condition that a column has one of some names, in whatever spelling.
func HasFolded(column string, folded ...any) func(*sql.Selector) {
	return func(s *sql.Selector) {
		s.Where(sql.P(func(b *sql.Builder) {
			b.WriteString("lower(").Ident(s.C(column))
			if b.Dialect() == dialect.Postgres { // the column's own order knows ASCII only
				b.WriteString(` COLLATE "default"`)
			}
			b.WriteString(") IN (").Args(folded...).WriteString(")")
		}))
	}
}

// nameLock is the advisory lock of a transaction that makes an account for a name.
const nameLock = 727275

// Author returns the account in whose name the transaction writes, or nil for the program itself and for commands. In
// dev mode a name gets its account when it first writes.
func (tx *Tx) Author(ctx context.Context) (*ident.ID, error) {
	if tx.by.Account != nil || tx.by.Via != domain.ViaDev {
		return tx.by.Account, nil
	}
	named, err := tx.Named(ctx, tx.Actor)
	if err != nil {
		return nil, err
	}
	tx.by.Account = &named.ID
	return tx.by.Account, nil
}

// Via returns the door by which the author came.
func (tx *Tx) Via() domain.Via { return cmp.Or(tx.by.Via, domain.ViaSystem) }

// Named returns the account that is known by a name alone, and makes it if there is none: it cannot sign in. It is for
// the person with that name, if there is one such person.
func (tx *Tx) Named(ctx context.Context, name string) (*ent.Account, error) {
	q := tx.Account.Query().Where(account.Issuer(NameIssuer), account.Subject(Folded(name)))
	found, err := q.Clone().Only(ctx)
	if !ent.IsNotFound(err) {
		return found, err
	}
	if tx.IsPostgres() { // SQLite has one writer at a time
		if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", nameLock); err != nil {
			return nil, err
		}
		if found, err := q.Only(ctx); !ent.IsNotFound(err) {
			return found, err
		}
	}
	create := tx.Account.Create().SetName(name).SetIssuer(NameIssuer).SetSubject(Folded(name)).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now)
	people, err := tx.Person.Query().Where(HasFolded(person.FieldName, Folded(name))).Limit(2).IDs(ctx)
	if err != nil {
		return nil, err
	}
	if len(people) == 1 {
		taken, err := tx.Account.Query().Where(account.PersonID(people[0])).Exist(ctx)
		if err != nil {
			return nil, err
		}
		if !taken {
			create.SetPersonID(people[0])
		}
	}
	return create.Save(ctx)
}

// signed returns the entries of a transaction, with that of the author's account before what it did, where the account
// is made by this write.
func (tx *Tx) signed(ctx context.Context, entries []*written) ([]*written, error) {
	n := len(tx.record.entries)
	if _, err := tx.Author(ctx); err != nil {
		return nil, err
	}
	for _, w := range tx.record.entries[n:] {
		if err := w.settle(); err != nil {
			return nil, err
		}
		entries = append([]*written{w}, entries...)
	}
	return entries, nil
}
