package auth

import (
	"context"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/owner"
	"github.com/linchpin-cmdb/linchpin/ent/person"
	"github.com/linchpin-cmdb/linchpin/ent/predicate"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// About says whose a record is.
type About struct {
	Teams  []ident.ID // that work on it
	CIs    []ident.ID // that it names, or is
	Source string     // that knows it
}

// admission is how an actor was let into a write.
type admission struct {
	actor   Actor
	rule    Rule
	isFree  bool // whatever record it is about
	isAsked bool // whose the record is
	isOwner bool // let by being an owner alone
}

type admissionKey struct{}

// admit lets the actor of ctx begin a write that may be theirs: what it is about is asked by Within.
func admit(ctx context.Context, c *ent.Client, verb string) (*admission, error) {
	a, r, err := asked(ctx, verb)
	if err != nil {
		return nil, err
	}
	at := &admission{actor: a, rule: r, isFree: a.Has(r.Role)}
	if !at.isFree {
		var of *ident.ID
		if r.Owners && a.mayOwn() {
			if of, err = PersonOf(ctx, c, a); err != nil {
				return nil, store.Translate(err)
			}
		}
		isOfTeam, isSource := r.InTeam && len(a.TeamsWith(r.Role)) > 0, r.BySource && a.Has(Integrator)
		if of == nil && !isOfTeam && !isSource {
			return nil, r.forbidden(a, "")
		}
	}
	return at, r.prove(a, time.Now())
}

// mayBe reports whether a rule may let an actor without the role, for some records.
func (r Rule) mayBe(a Actor) bool {
	return r.InTeam && len(a.TeamsWith(r.Role)) > 0 || r.Owners && a.mayOwn() || r.BySource && a.Has(Integrator)
}

// mayOwn reports whether an actor acts as the owner it may be. No token does: its roles say what it may.
func (a Actor) mayOwn() bool {
	return a.Has(Viewer) && (a.Via == domain.ViaDev || a.Via == domain.ViaSession && a.Person != nil)
}

// Within returns nil if the actor may do what this write does to a record, and errs.Forbidden if they may not. Each
// verb whose rule is for teams, owners or sources asks it; one that forgets to is refused at its end.
func Within(ctx context.Context, tx *store.Tx, of About) error {
	at, ok := ctx.Value(admissionKey{}).(*admission)
	if !ok {
		return nil // no verb: a chore, the program itself
	}
	at.isAsked = true
	if at.isFree {
		return nil
	}
	all, err := Standings(With(ctx, at.actor), tx.Client(), at.rule.Verb, map[ident.ID]About{0: of})
	if err != nil {
		return err
	}
	how, r := all[0], at.rule
	switch {
	case r.InTeam && how.IsOfTeam, r.BySource && how.IsOfSource:
	case r.Owners && how.IsOwned:
		at.isOwner = true
	default:
		return r.forbidden(at.actor, " here")
	}
	return nil
}

// IsFree reports whether the actor may do what this write does whatever record it is about, so that nothing has to be
// read to answer Within.
func IsFree(ctx context.Context) bool {
	at, ok := ctx.Value(admissionKey{}).(*admission)
	if ok && at.isFree {
		at.isAsked = true
	}
	return !ok || at.isFree
}

// ByRole returns errs.Forbidden if the actor was let into this write by being an owner alone: what is named takes the
// role.
func ByRole(ctx context.Context, what string, field ...string) error {
	at, ok := ctx.Value(admissionKey{}).(*admission)
	if !ok || !at.isOwner {
		return nil
	}
	return errs.New(errs.Forbidden, "%s may not change %s, as an owner: it takes the role %s", at.actor.Name, what, at.rule.Role).At(field...)
}

// Standing is how a record stands to an actor.
type Standing struct{ IsOfTeam, IsOfSource, IsOwned bool }

// May reports whether the actor of ctx may do verb to a record that stands to them so.
func May(ctx context.Context, verb string, how Standing) bool {
	a, r, err := asked(ctx, verb)
	if err != nil || r.prove(a, time.Now()) != nil {
		return false
	}
	return a.Has(r.Role) || r.InTeam && how.IsOfTeam || r.BySource && how.IsOfSource || r.Owners && how.IsOwned
}

// Needs reports whether the actor of ctx may do verb to some records only, so that each has to be looked at.
func Needs(ctx context.Context, verb string) bool {
	a, r, err := asked(ctx, verb)
	return err == nil && !a.Has(r.Role) && r.mayBe(a)
}

// Standings returns how records stand to the actor of ctx as to a verb, by one statement at most for all of them.
func Standings(ctx context.Context, c *ent.Client, verb string, records map[ident.ID]About) (map[ident.ID]Standing, error) {
	a, r, err := asked(ctx, verb)
	if err != nil {
		return nil, err
	}
	teams, mine := a.TeamsWith(r.Role), []ident.ID(nil)
	if r.Owners && a.mayOwn() {
		if mine, err = PartiesOf(ctx, c, a); err != nil {
			return nil, err
		}
	}
	var cis []ident.ID
	for _, of := range records {
		cis = append(cis, of.CIs...)
	}
	slices.Sort(cis)
	cis = slices.Compact(cis)
	ofTeams, err := ownedBy(ctx, c, cis, teams)
	if err != nil {
		return nil, err
	}
	owned, err := ownedBy(ctx, c, cis, mine)
	if err != nil {
		return nil, err
	}
	all := make(map[ident.ID]Standing, len(records))
	for id, of := range records {
		all[id] = Standing{
			IsOfTeam: slices.ContainsFunc(of.Teams, func(t ident.ID) bool { return slices.Contains(teams, t) }) ||
				slices.ContainsFunc(of.CIs, func(ci ident.ID) bool { return ofTeams[ci] }),
			IsOfSource: of.Source != "" && a.IntegratesFrom(of.Source),
			IsOwned:    len(of.CIs) > 0 && !slices.ContainsFunc(of.CIs, func(ci ident.ID) bool { return !owned[ci] }),
		}
	}
	return all, nil
}

// ownedBy returns which of some CIs teams and people own.
func ownedBy(ctx context.Context, c *ent.Client, cis, parties []ident.ID) (map[ident.ID]bool, error) {
	owned := map[ident.ID]bool{}
	if len(parties) == 0 {
		return owned, nil
	}
	for chunk := range slices.Chunk(cis, mostAtOnce) {
		rows, err := c.Owner.Query().Where(owner.CiIDIn(chunk...), IsOwnedBy(parties)).All(ctx)
		if err != nil {
			return nil, err
		}
		for _, o := range rows {
			owned[o.CiID] = true
		}
	}
	return owned, nil
}

// mostAtOnce is how many CIs one statement asks about.
const mostAtOnce = 1_000

// IsOwnedBy returns the condition that an owner is one of some teams and people.
func IsOwnedBy(parties []ident.ID) predicate.Owner {
	var teams, people []ident.ID
	for _, id := range parties {
		if id.Kind() == ident.Team {
			teams = append(teams, id)
		} else {
			people = append(people, id)
		}
	}
	return owner.Or(owner.TeamIDIn(teams...), owner.PersonIDIn(people...))
}

// PartiesOf returns the actor's person and their teams: what owns, and what work is assigned to.
func PartiesOf(ctx context.Context, c *ent.Client, a Actor) ([]ident.ID, error) {
	of, err := PersonOf(ctx, c, a)
	if err != nil || of == nil {
		return nil, err
	}
	teams, err := TeamsOf(ctx, c, *of)
	return append(teams, *of), err
}

// PersonOf returns the person whose account an actor is. Where nobody signs in, that is the one person with the actor's
// name, if there is one such person.
func PersonOf(ctx context.Context, c *ent.Client, a Actor) (*ident.ID, error) {
	if a.Person != nil || a.Via != domain.ViaDev {
		return a.Person, nil
	}
	namesakes, err := c.Person.Query().Where(person.Name(a.Name)).Limit(2).IDs(ctx)
	if err != nil || len(namesakes) != 1 {
		return nil, err
	}
	return &namesakes[0], nil
}
