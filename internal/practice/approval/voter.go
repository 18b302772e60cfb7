package approval

import (
	"context"
	"strconv"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/account"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

const mostApprovers = 20

// Asked are those whose votes are asked for: accounts, or names of accounts.
type Asked struct {
	Accounts []ident.ID
	Names    []string
}

// voter is who votes: an account, and the person whose it is, 0 if that is not known.
type voter struct{ account, person ident.ID }

// voterOf returns the author of a transaction as a voter. Failures: errs.Forbidden if that is no person's account.
func voterOf(ctx context.Context, tx *store.Tx) (voter, error) {
	author, err := tx.Author(ctx)
	if err != nil {
		return voter{}, err
	}
	if author == nil {
		return voter{}, errs.New(errs.Forbidden, "%s may not vote: a vote is that of a person's account", tx.Actor)
	}
	of, err := tx.Account.Get(ctx, *author)
	if err != nil {
		return voter{}, err
	}
	if of.Kind != domain.PersonAccount {
		return voter{}, errs.New(errs.Forbidden, "%s may not vote: it is a service account, and a vote is that of a person", tx.Actor)
	}
	people, err := auth.People(ctx, tx.Client(), []ident.ID{of.ID})
	return voter{of.ID, people[of.ID]}, err
}

// involves reports whether somebody has no vote on the record, and why.
func (s Subject) involves(v voter) (why string, ok bool) {
	if why, ok = s.Involved[v.account]; !ok && v.person != 0 {
		why, ok = s.Involved[v.person]
	}
	return why, ok
}

// checkApprovers finds the accounts to ask: nobody has to be named where policies say who is.
func checkApprovers(ctx context.Context, tx *store.Tx, asked Asked, s Subject, required []Requirement) ([]*ent.Account, error) {
	var f form.Form
	least := 1
	if len(required) > 0 && required[0].Policy != nil {
		least = 0
	}
	n := len(asked.Names) + len(asked.Accounts)
	switch {
	case n < least:
		f.Fault(errs.New(errs.Invalid, "no approval policy applies to the %s: name 1 to %d approvers", s.ID.Kind().Noun(), mostApprovers).At("approvers"))
		return nil, f.Err()
	case !f.Most("approvers", n, mostApprovers):
		return nil, f.Err()
	}
	found := make([]*ent.Account, 0, n)
	ids := make([]ident.ID, 0, n)
	fields := make([][]string, 0, n)
	add := func(a *ent.Account, err error, field string, at int) error {
		where := []string{field, strconv.Itoa(at)}
		if errs.CodeOf(err).Mendable() {
			f.Fault(err, where...)
			return nil
		}
		if err != nil || a == nil {
			return err
		}
		found, ids, fields = append(found, a), append(ids, a.ID), append(fields, where)
		return nil
	}
	for i, name := range asked.Names {
		var one form.Form
		name = one.Text(strconv.Itoa(i), name, 1, ticket.LongestWord)
		if err := one.Err(); err != nil {
			f.Fault(err, "approvers")
			continue
		}
		a, err := called(ctx, tx, name)
		if err := add(a, err, "approvers", i); err != nil {
			return nil, err
		}
	}
	for i, id := range asked.Accounts {
		a, err := personal(ctx, tx, id)
		if err := add(a, err, "approverAccounts", i); err != nil {
			return nil, err
		}
	}
	people, err := auth.People(ctx, tx.Client(), ids)
	if err != nil {
		return nil, err
	}
	seen := map[ident.ID]bool{}
	for i, a := range found {
		if why, ok := s.involves(voter{a.ID, people[a.ID]}); ok {
			f.Fault(errs.New(errs.Invalid, "%s %s: somebody else must approve it", a.Name, why).At(fields[i]...))
		}
		if seen[a.ID] {
			f.Fault(errs.New(errs.Invalid, "%s is named twice", a.Name).At(fields[i]...))
		}
		seen[a.ID] = true
	}
	return found, f.Err()
}

// called returns the account that a name means. Where nobody signs in every name is an account; elsewhere it is the
// name of one person's account that can act.
func called(ctx context.Context, tx *store.Tx, name string) (*ent.Account, error) {
	if tx.Via() == domain.ViaDev {
		return tx.Named(ctx, name)
	}
	found, err := tx.Account.Query().Where(account.Name(name), account.KindEQ(domain.PersonAccount), account.StateEQ(domain.AccountActive)).Limit(2).All(ctx)
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, errs.New(errs.NotFound, "there is no account of a person named %q", name)
	case len(found) > 1:
		return nil, errs.New(errs.Invalid, "several accounts are named %q: name one by its id, in approverAccounts", name)
	}
	return found[0], nil
}

// personal returns a person's account that can act.
func personal(ctx context.Context, tx *store.Tx, id ident.ID) (*ent.Account, error) {
	a, err := tx.Account.Get(ctx, id)
	switch {
	case ent.IsNotFound(err):
		return nil, errs.New(errs.NotFound, "there is no account %s", id)
	case err != nil:
		return nil, err
	case a.Kind != domain.PersonAccount:
		return nil, errs.New(errs.Invalid, "%s is a service account, which has no vote", a.Name)
	case a.State != domain.AccountActive:
		return nil, errs.New(errs.Invalid, "the account of %s is %s", a.Name, a.State)
	}
	return a, nil
}
