package change

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/approval"
	"github.com/linchpin-cmdb/linchpin/ent/approvalpolicy"
	"github.com/linchpin-cmdb/linchpin/ent/membership"
	"github.com/linchpin-cmdb/linchpin/ent/person"
	"github.com/linchpin-cmdb/linchpin/ent/team"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/schedule"
	rule "github.com/linchpin-cmdb/linchpin/internal/rule/approval"
	"github.com/linchpin-cmdb/linchpin/internal/rule/risk"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Requirement is the approvals that a change needs, by a policy or, where none applies, of anybody.
type Requirement struct {
	Policy        *ent.ApprovalPolicy // nil: no policy applies
	Needed, Given int
	// Candidates are the members of the policy's team who could give what is missing, by name.
	Candidates []string
	team       string
	risk       int // of the change, where the policy looks at it
}

// IsMet reports whether the approvals are there.
func (r Requirement) IsMet() bool { return r.Given >= r.Needed }

// Summary says what is there, what is missing and who can give it.
func (r Requirement) Summary() string {
	if r.Policy == nil {
		if r.IsMet() {
			return "somebody has approved it"
		}
		return "nobody has approved it"
	}
	of := ""
	if r.Policy.TeamID != nil {
		of += " of the team " + r.team
	}
	if r.Policy.Role != nil {
		of += " with the role " + *r.Policy.Role
	}
	if above := r.Policy.RiskAbove; above != nil {
		of += fmt.Sprintf(" (the risk is %d, above %d)", r.risk, *above)
	}
	said := fmt.Sprintf("%s asks for %s%s, %d given", r.Policy.Name, plural(r.Needed, "approval"), of, r.Given)
	missing := r.Needed - r.Given
	switch {
	case missing <= 0 || r.Policy.TeamID == nil:
		return said
	case len(r.Candidates) == 0:
		return said + fmt.Sprintf(": %d missing, and nobody else of the team may vote on it; add members to the team, or change the policy", missing)
	case len(r.Candidates) < missing:
		return said + fmt.Sprintf(": %d missing, and only %s of the team may vote on it; add members to the team, or change the policy", missing, or(r.Candidates))
	default:
		return said + fmt.Sprintf(": %d missing, which %s can give", missing, or(r.Candidates))
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// or reads "a, b or c", of at most ten.
func or(names []string) string {
	const most = 10
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" or one of %d more", len(names)-most)
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// Requirements lists what approvals changes need, by policies as they are and by their risk as schedule.Risks weighs it on a
// snapshot at a time. The number of statements does not depend on that of the changes. STANDARD changes need none.
func Requirements(ctx context.Context, c *ent.Client, s *topology.Snapshot, changes []*ent.Change, now time.Time) (map[ident.ID][]Requirement, error) {
	all := make(map[ident.ID][]Requirement, len(changes))
	changes = slices.DeleteFunc(slices.Clone(changes), func(c *ent.Change) bool { return c.Type == domain.Standard })
	if len(changes) == 0 {
		return all, nil
	}
	policies, err := c.ApprovalPolicy.Query().Order(ent.Asc(approvalpolicy.FieldName)).All(ctx)
	if err != nil {
		return nil, err
	}
	risks, err := risksFor(ctx, c, s, policies, changes, now)
	if err != nil {
		return nil, err
	}
	votes, err := votesBy(ctx, c, changes)
	if err != nil {
		return nil, err
	}
	teams, err := membersOf(ctx, c, policies)
	if err != nil {
		return nil, err
	}
	involved, err := involvedIn(ctx, c, changes)
	if err != nil {
		return nil, err
	}
	for _, change := range changes {
		score := risks[change.ID].Score
		for _, p := range policies {
			asks := asked(p)
			if !asks.AppliesTo(change.Type, score) {
				continue
			}
			r := Requirement{Policy: p, Needed: p.Approvals, Given: asks.Given(votes[change.ID]), risk: score}
			if p.TeamID != nil {
				t := teams[*p.TeamID]
				r.team = t.name
				r.Candidates = slices.DeleteFunc(slices.Clone(t.members), func(name string) bool {
					_, is := involved[change.ID][strings.ToLower(name)]
					return is || slices.ContainsFunc(votes[change.ID], func(v rule.Vote) bool { return v.Approver == name && asks.Counts(v) })
				})
			}
			all[change.ID] = append(all[change.ID], r)
		}
		if len(all[change.ID]) == 0 {
			all[change.ID] = []Requirement{{Needed: rule.Somebody.Approvals, Given: rule.Somebody.Given(votes[change.ID])}}
		}
	}
	return all, nil
}

// requirements is what approvals a change needs, as a transaction sees it.
func (p *Practice) requirements(ctx context.Context, tx *store.Tx, c *ent.Change) ([]Requirement, error) {
	all, err := Requirements(ctx, tx.Client(), p.graph.Snapshot(), []*ent.Change{c}, tx.Now)
	return all[c.ID], err
}

// risksFor weighs the changes about which some policy asks how risky they are.
func risksFor(
	ctx context.Context, c *ent.Client, s *topology.Snapshot, policies []*ent.ApprovalPolicy, changes []*ent.Change, now time.Time,
) (map[ident.ID]risk.Assessment, error) {
	weighed := slices.DeleteFunc(slices.Clone(changes), func(c *ent.Change) bool {
		return !slices.ContainsFunc(policies, func(p *ent.ApprovalPolicy) bool { return p.RiskAbove != nil && asked(p).IsFor(c.Type) })
	})
	if len(weighed) == 0 {
		return nil, nil
	}
	return schedule.Risks(ctx, c, s, weighed, now)
}

// asked is what a policy asks for, as the rule sees it.
func asked(p *ent.ApprovalPolicy) rule.Policy {
	asks := rule.Policy{Types: p.ChangeTypes, RiskAbove: p.RiskAbove, Approvals: p.Approvals}
	if p.TeamID != nil {
		asks.Team = *p.TeamID
	}
	if p.Role != nil {
		asks.Role = *p.Role
	}
	return asks
}

func votesBy(ctx context.Context, c *ent.Client, changes []*ent.Change) (map[ident.ID][]rule.Vote, error) {
	rows, err := c.Approval.Query().Where(approval.ChangeIDIn(idsOf(changes)...), approval.DecisionNEQ(domain.Voided)).Order(ent.Asc(approval.FieldID)).All(ctx)
	votes := map[ident.ID][]rule.Vote{}
	for _, row := range rows {
		votes[row.ChangeID] = append(votes[row.ChangeID], rule.Vote{Approver: row.Approver, Decision: row.Decision, Teams: row.Teams, Roles: row.Roles})
	}
	return votes, err
}

func idsOf(changes []*ent.Change) []ident.ID {
	ids := make([]ident.ID, len(changes))
	for i, c := range changes {
		ids[i] = c.ID
	}
	return ids
}

type roster struct {
	name    string
	members []string
}

// membersOf reads the teams that policies name.
func membersOf(ctx context.Context, c *ent.Client, policies []*ent.ApprovalPolicy) (map[ident.ID]roster, error) {
	var ids []ident.ID
	for _, p := range policies {
		if p.TeamID != nil {
			ids = append(ids, *p.TeamID)
		}
	}
	all := map[ident.ID]roster{}
	if len(ids) == 0 {
		return all, nil
	}
	teams, err := c.Team.Query().Where(team.IDIn(ids...)).All(ctx)
	if err != nil {
		return nil, err
	}
	names := map[ident.ID]string{}
	memberships, err := c.Membership.Query().Where(membership.TeamIDIn(ids...)).All(ctx)
	if err != nil {
		return nil, err
	}
	people := make([]ident.ID, len(memberships))
	for i, m := range memberships {
		people[i] = m.PersonID
	}
	found, err := c.Person.Query().Where(person.IDIn(people...)).All(ctx)
	for _, p := range found {
		names[p.ID] = p.Name
	}
	for _, t := range teams {
		all[t.ID] = roster{name: t.Name}
	}
	for _, m := range memberships {
		r := all[m.TeamID]
		r.members = append(r.members, names[m.PersonID])
		all[m.TeamID] = r
	}
	for _, r := range all {
		slices.Sort(r.members)
	}
	return all, err
}

// involvedIn names, in lower case, who cannot vote on changes, and why.
func involvedIn(ctx context.Context, c *ent.Client, changes []*ent.Change) (map[ident.ID]map[string]string, error) {
	all := make(map[ident.ID]map[string]string, len(changes))
	var requesters []ident.ID
	for _, change := range changes {
		if change.RequesterID != nil {
			requesters = append(requesters, *change.RequesterID)
		}
	}
	names := map[ident.ID]string{}
	if len(requesters) > 0 {
		found, err := c.Person.Query().Where(person.IDIn(requesters...)).All(ctx)
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			names[p.ID] = strings.ToLower(p.Name)
		}
	}
	for _, change := range changes {
		involved := map[string]string{}
		if change.RequesterID != nil {
			involved[names[*change.RequesterID]] = "asked for the change"
		}
		involved[strings.ToLower(change.RequestedBy)] = "drafted the change"
		all[change.ID] = involved
	}
	return all, nil
}

// standing is what an actor is when they vote: their teams, where their name is that of exactly one person, and all roles
// that theirs stand for.
func standing(ctx context.Context, c *ent.Client) (teams []ident.ID, roles []string, err error) {
	actor, _ := auth.From(ctx)
	for _, role := range auth.AllRoles {
		if actor.Has(role) {
			roles = append(roles, string(role))
		}
	}
	namesakes, err := c.Person.Query().Where(person.Name(actor.Name)).Limit(2).IDs(ctx)
	if err != nil || len(namesakes) != 1 {
		return []ident.ID{}, roles, err
	}
	rows, err := c.Membership.Query().Where(membership.PersonID(namesakes[0])).Order(ent.Asc(membership.FieldTeamID)).All(ctx)
	teams = make([]ident.ID, len(rows))
	for i, m := range rows {
		teams[i] = m.TeamID
	}
	return teams, roles, err
}
