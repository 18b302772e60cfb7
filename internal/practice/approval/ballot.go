package approval

import (
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/account"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	rule "github.com/linchpin-cmdb/linchpin/internal/rule/approval"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Ballot is how a record stands to somebody who may vote.
type Ballot struct {
	IsOpen    bool // they have a vote on it, given or not
	IsAwaited bool // it is asked for, and they have not given it
}

// Ballots returns how records stand to the actor of ctx, of which required says what approvals they need. The number of
// statements does not depend on that of the records.
func Ballots(ctx context.Context, c *ent.Client, subjects []Subject, required map[ident.ID][]Requirement) (map[ident.ID]Ballot, error) {
	ballots := map[ident.ID]Ballot{}
	actor, _ := auth.From(ctx)
	of, err := accountOf(ctx, c, actor)
	if err != nil || len(subjects) == 0 || of != nil && of.Kind != domain.PersonAccount {
		return ballots, err
	}
	var v voter
	if of != nil {
		people, err := auth.People(ctx, c, []ident.ID{of.ID})
		if err != nil {
			return nil, err
		}
		v = voter{of.ID, people[of.ID]}
	}
	if v.person == 0 { // of a name that has not acted yet
		person, err := auth.PersonOf(ctx, c, actor)
		if err != nil {
			return nil, err
		}
		if person != nil {
			v.person = *person
		}
	}
	votes, err := votesBy(ctx, c, subjects)
	if err != nil {
		return nil, err
	}
	teams, roles, err := standing(ctx, c, v)
	if err != nil {
		return nil, err
	}
	for _, s := range subjects {
		if _, isInvolved := s.involves(v); isInvolved {
			continue
		}
		i := slices.IndexFunc(votes[s.ID], func(given rule.Vote) bool { return v.account != 0 && given.Approver == v.account })
		isNamed := i >= 0
		isGiven := isNamed && votes[s.ID][i].Decision != domain.Requested
		b := Ballot{IsOpen: isNamed || isLet(required[s.ID], teams, roles)}
		b.IsAwaited = !isGiven && (isNamed || slices.ContainsFunc(required[s.ID], func(r Requirement) bool {
			return !r.IsMet() && (r.Policy != nil && (r.Policy.TeamID != nil || r.Policy.Role != nil)) && r.isOf(teams, roles)
		}))
		ballots[s.ID] = b
	}
	return ballots, nil
}

// accountOf returns the account of an actor. If there is none yet, it returns nil.
func accountOf(ctx context.Context, c *ent.Client, a auth.Actor) (*ent.Account, error) {
	q := c.Account.Query()
	switch {
	case a.Account != nil:
		q.Where(account.ID(*a.Account))
	case a.Via == domain.ViaDev:
		q.Where(account.Issuer(store.NameIssuer), account.Subject(store.Folded(a.Name)))
	default:
		return nil, nil
	}
	found, err := q.Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	return found, err
}

// isLet reports whether somebody whom nobody has named may vote: a policy asks their team or role, or anybody.
func isLet(required []Requirement, teams []ident.ID, roles []string) bool {
	return slices.ContainsFunc(required, func(r Requirement) bool { return r.Policy != nil && r.isOf(teams, roles) })
}

// isOf reports whether the votes of somebody count for what a policy asks.
func (r Requirement) isOf(teams []ident.ID, roles []string) bool {
	return asked(r.Policy).Counts(rule.Vote{Decision: domain.Approved, Teams: teams, Roles: roles})
}
