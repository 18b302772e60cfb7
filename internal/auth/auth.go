// Package auth knows who is calling and whether they may: one policy table for verbs and fields. It refuses
// whatever the table does not allow, the unknown included.
package auth

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Role is what an actor may do; every role includes reading.
type Role string

// The roles.
const (
	Viewer        Role = "VIEWER"
	Operator      Role = "OPERATOR"
	ChangeManager Role = "CHANGE_MANAGER"
	CatalogEditor Role = "CATALOG_EDITOR"
	Integrator    Role = "INTEGRATOR" // for the sources that come with it
	Auditor       Role = "AUDITOR"
	Admin         Role = "ADMIN"
)

// AllRoles lists every role.
var AllRoles = []Role{Viewer, Operator, ChangeManager, CatalogEditor, Integrator, Auditor, Admin}

// Roles reads a comma-separated list of roles, in any case. It leaves out words that are not roles.
func Roles(list string) (roles []Role) {
	for name := range strings.SplitSeq(list, ",") {
		role := Role(strings.ToUpper(strings.TrimSpace(name)))
		if slices.Contains(AllRoles, role) {
			roles = append(roles, role)
		}
	}
	return roles
}

// Actor is the authenticated caller: an account, by its id. Name is shown and written on each journal entry; it is
// compared with nothing.
type Actor struct {
	Account   *ident.ID  // nil for the program itself, for commands on the database, and for names of dev mode
	Person    *ident.ID  // whose account it is
	Name      string     // of now
	IsService bool       // it is a program's account
	Roles     []Role     // of the account, everywhere
	InTeams   []InTeam   // of the account, within teams
	Sources   []string   // for which it is an INTEGRATOR
	Via       domain.Via // the door
	Pass      Pass
	IsViewed  bool // an admin sees what the account sees: nothing is written
}

// Pass is what an actor came in with; there is none for commands, names of dev mode and the program itself.
type Pass struct {
	Token     *ident.ID // the API token; nil for a session
	TokenName string
	Narrowed  []Role    // of the token, which never widen what the account may; nil for a session
	SignedIn  time.Time // of a session
	Expires   time.Time
}

// System is the program itself.
var System = Actor{Name: "linchpin", Roles: []Role{Admin}, Via: domain.ViaSystem}

// Dev returns the caller that a request of dev mode names, where nobody signs in.
func Dev(name string, roles ...Role) Actor {
	return Actor{Name: name, Roles: roles, Via: domain.ViaDev}
}

// IsReserved reports whether a name is that of the program itself or of a command on the database: nobody else has it.
func IsReserved(name string) bool {
	folded := strings.ToLower(strings.TrimSpace(name))
	return folded == System.Name || strings.HasPrefix(folded, commandPrefix)
}

// commandPrefix begins the names of commands on the database.
const commandPrefix = "cli:"

// Command returns who a command on the database is: a person that may write to the database may do anything.
func Command(name string) Actor {
	return Actor{Name: commandPrefix + name, Roles: []Role{Admin}, Via: domain.ViaCLI}
}

// By returns the actor as the author of a write.
func (a Actor) By(verb string) store.By {
	return store.By{Actor: a.Name, Account: a.Account, Via: a.Via, ViaID: a.Pass.Token, Verb: verb}
}

// Key returns what tells the actor apart from every other: the account. An actor without one is told by the door and
// the name.
func (a Actor) Key() string {
	if a.Account != nil {
		return a.Account.String()
	}
	return string(a.Via) + " " + store.Folded(a.Name)
}

// InTeam is a role that holds within a team.
type InTeam struct {
	Role Role
	Team ident.ID
}

// Has reports whether the actor has a role everywhere; an admin has them all, and everyone with any role reads. With a
// token it has those alone that both the account and the token have.
func (a Actor) Has(role Role) bool {
	if role == Viewer {
		return len(a.Roles)+len(a.InTeams) > 0 && (a.Pass.Narrowed == nil || len(a.Pass.Narrowed) > 0)
	}
	return includes(a.Roles, role) && a.lets(role)
}

// lets reports whether the actor's token has a role; without a token nothing is narrowed.
func (a Actor) lets(role Role) bool { return a.Pass.Narrowed == nil || includes(a.Pass.Narrowed, role) }

// TeamsWith returns the teams within which the actor has a role.
func (a Actor) TeamsWith(role Role) (teams []ident.ID) {
	for _, g := range a.InTeams {
		if g.Role == role && a.lets(role) {
			teams = append(teams, g.Team)
		}
	}
	return teams
}

// IntegratesFrom reports whether the actor may bring in what a source reports.
func (a Actor) IntegratesFrom(source string) bool {
	return a.Has(Integrator) && (a.Via == domain.ViaDev || slices.Contains(a.Roles, Admin) || slices.Contains(a.Sources, source))
}

// Effective returns the roles that the actor has everywhere now.
func (a Actor) Effective() []Role {
	if a.Pass.Narrowed == nil && len(a.Roles) > 0 {
		return a.Roles
	}
	effective := []Role{}
	for _, role := range AllRoles {
		if (slices.Contains(a.Roles, role) || slices.Contains(a.Pass.Narrowed, role) || role == Viewer && len(a.Roles) == 0) && a.Has(role) {
			effective = append(effective, role)
		}
	}
	return effective
}

// Grants returns the roles that the actor has now, everywhere and within teams, as text that is the same for the same
// rights.
func (a Actor) Grants() string {
	var all []string
	for _, role := range a.Effective() {
		all = append(all, string(role))
	}
	for _, g := range a.InTeams {
		if a.lets(g.Role) {
			all = append(all, string(g.Role)+" "+g.Team.String())
		}
	}
	if a.Has(Integrator) {
		for _, source := range a.Sources {
			all = append(all, strconv.Quote(source))
		}
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), "\n")
}

func includes(roles []Role, role Role) bool {
	return slices.Contains(roles, role) || slices.Contains(roles, Admin)
}

type actorKey struct{}

// With returns a context whose actor is a.
func With(ctx context.Context, a Actor) context.Context { return context.WithValue(ctx, actorKey{}, a) }

// From returns the actor of ctx, and reports whether there is one.
func From(ctx context.Context) (Actor, bool) {
	a, ok := ctx.Value(actorKey{}).(Actor)
	return a, ok
}

// Require returns the actor of ctx if they may do verb, whatever record it is about. Failures: errs.Unauthenticated if
// there is no actor, errs.Forbidden if they may not.
func Require(ctx context.Context, verb string) (Actor, error) {
	a, r, err := asked(ctx, verb)
	if err == nil && !a.Has(r.Role) {
		err = r.forbidden(a, "")
	}
	if err != nil {
		return a, err
	}
	return a, r.prove(a, time.Now())
}

// RequireOf returns the actor of ctx if they may do verb with what a source reports. Failures: those of Require.
func RequireOf(ctx context.Context, verb, source string) (Actor, error) {
	a, r, err := asked(ctx, verb)
	if err == nil && !a.Has(r.Role) && (!r.BySource || !a.IntegratesFrom(source)) {
		err = r.forbidden(a, fmt.Sprintf(" of the source %q", source))
	}
	if err == nil {
		err = a.acts()
	}
	if err != nil {
		return a, err
	}
	return a, r.prove(a, time.Now())
}

// asked returns the actor of ctx and the rule of a verb.
func asked(ctx context.Context, verb string) (Actor, Rule, error) {
	a, ok := From(ctx)
	if !ok {
		return a, Rule{}, errs.New(errs.Unauthenticated, "nobody is signed in")
	}
	r, ok := ruleOf(verb)
	if !ok {
		return a, r, errs.New(errs.Forbidden, "%s may not do %s", a.Name, verb)
	}
	return a, r, nil
}

// forbidden says which role an actor would need.
func (r Rule) forbidden(a Actor, of string) error {
	takes := "the role " + string(r.Role)
	if r.InTeam {
		takes += ", everywhere or within a team that works on it or owns a CI that it names"
	}
	if r.Owners {
		takes += ", or to sign in as an owner"
	}
	if r.BySource {
		takes += fmt.Sprintf(", or %s for its source", Integrator)
	}
	return errs.New(errs.Forbidden, "%s may not do %s%s: it takes %s", a.Name, r.Verb, of, takes)
}

// FreshFor is how long after signing in a person may look after accounts.
const FreshFor = 15 * time.Minute

// prove returns an error if an actor is not who a rule asks for beside the role. A person with the database in hand
// proves everything.
func (r Rule) prove(a Actor, now time.Time) error {
	switch {
	case r.Proof == NoProof || a.Via == domain.ViaCLI:
		return nil
	case r.Proof == APerson:
		if a.IsService {
			return errs.New(errs.Forbidden, "%s may not do %s: it is a service account, and that is a person's to say", a.Name, r.Verb)
		}
		return nil
	case a.Via == domain.ViaDev:
		return errs.New(errs.Forbidden, "%s is for people that sign in, and nobody does here: start the server without --dev", r.Verb)
	case a.Via != domain.ViaSession:
		return errs.New(errs.Forbidden, "%s is for a person that has signed in: no token may do it, whatever its roles", r.Verb)
	case r.Proof == FreshSign && !a.IsFresh(now):
		e := errs.New(errs.Forbidden, "%s is for a person that signed in within the last %.0f minutes: sign in again", r.Verb, FreshFor.Minutes())
		e.Reauthenticate = true
		return e
	}
	return nil
}

// IsFresh reports whether the actor is a person that signed in not long ago.
func (a Actor) IsFresh(now time.Time) bool {
	return a.Via == domain.ViaSession && now.Sub(a.Pass.SignedIn) < FreshFor
}

// MayRead reports whether a may read a field of a GraphQL type. It refuses a type that the table does not name.
func MayRead(a Actor, typeName, field string) bool {
	role, ok := fields[typeName+"."+field]
	if !ok {
		role, ok = roleOf(typeName)
	}
	return ok && a.Has(role)
}

// roleOf returns the role that a GraphQL type needs: its own, or that of what it carries.
func roleOf(typeName string) (Role, bool) {
	if role, ok := fields[typeName]; ok {
		return role, true
	}
	for _, page := range []string{"Connection", "Edge"} {
		if record, ok := strings.CutSuffix(typeName, page); ok {
			role, ok := fields[record]
			return role, ok
		}
	}
	role, ok := fields["Mutation"]
	return role, ok && strings.HasSuffix(typeName, "Payload")
}
