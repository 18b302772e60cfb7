package auth

import (
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/account"
	"github.com/linchpin-cmdb/linchpin/ent/membership"
	"github.com/linchpin-cmdb/linchpin/ent/person"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// People returns the persons that accounts are for, by account. An account of a name alone that was for nobody when it
// was made is for the one person with that name, if there is one by now.
func People(ctx context.Context, c *ent.Client, accounts []ident.ID) (map[ident.ID]ident.ID, error) {
	people := map[ident.ID]ident.ID{}
	if len(accounts) == 0 {
		return people, nil
	}
	rows, err := c.Account.Query().Where(account.IDIn(accounts...)).All(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]ident.ID{}
	for _, a := range rows {
		switch {
		case a.PersonID != nil:
			people[a.ID] = *a.PersonID
		case a.Issuer != nil && *a.Issuer == store.NameIssuer && a.Subject != nil:
			names[*a.Subject] = a.ID
		}
	}
	if len(names) == 0 {
		return people, nil
	}
	folded := make([]any, 0, len(names))
	for name := range names {
		folded = append(folded, name)
	}
	found, err := c.Person.Query().Where(store.HasFolded(person.FieldName, folded...)).All(ctx)
	if err != nil {
		return nil, err
	}
	namesakes := map[string][]ident.ID{}
	for _, p := range found {
		name := store.Folded(p.Name)
		namesakes[name] = append(namesakes[name], p.ID)
	}
	for name, of := range names {
		if len(namesakes[name]) == 1 {
			people[of] = namesakes[name][0]
		}
	}
	return people, nil
}

// TeamsOf returns the teams of a person, in their order.
func TeamsOf(ctx context.Context, c *ent.Client, of ident.ID) ([]ident.ID, error) {
	rows, err := c.Membership.Query().Where(membership.PersonID(of)).All(ctx)
	teams := make([]ident.ID, len(rows))
	for i, m := range rows {
		teams[i] = m.TeamID
	}
	slices.Sort(teams)
	return teams, err
}
