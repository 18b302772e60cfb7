package approval

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/approval"
	"github.com/linchpin-cmdb/linchpin/ent/approvalpolicy"
	"github.com/linchpin-cmdb/linchpin/ent/membership"
	"github.com/linchpin-cmdb/linchpin/ent/person"
	"github.com/linchpin-cmdb/linchpin/ent/team"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	rule "github.com/linchpin-cmdb/linchpin/internal/rule/approval"
)

// Requirement is the approvals that a record needs, by a policy or, where none applies, of anybody.
type Requirement struct {
	Policy        *ent.ApprovalPolicy // nil: no policy applies
	Needed, Given int
	// Candidates are the members of the policy's team who could give what is missing, by name.
	Candidates []string
	team       string
	risk       int // of the record, where the policy looks at it
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
	said := fmt.Sprintf("%s asks for %s%s, %d given", r.Policy.Name, form.Plural(r.Needed, "approval"), of, r.Given)
	missing := r.Needed - r.Given
	switch {
	case missing <= 0 || r.Policy.TeamID == nil:
		return said
	case len(r.Candidates) == 0:
		return said + fmt.Sprintf(": %d missing, and nobody else of the team may vote on it; add members to the team, or change the policy", missing)
	case len(r.Candidates) < missing:
		return said + fmt.Sprintf(": %d missing, and only %s of the team may vote on it; add members to the team, or change the policy", missing, form.Choice(r.Candidates))
	default:
		return said + fmt.Sprintf(": %d missing, which %s can give", missing, form.Choice(r.Candidates))
	}
}

// Requirements lists what approvals records need, by policies as they are. weigh gives the risk of those about which
// some policy asks. The number of statements does not depend on that of the records.
func Requirements(
	ctx context.Context, c *ent.Client, subjects []Subject, weigh func([]ident.ID) (map[ident.ID]int, error),
) (map[ident.ID][]Requirement, error) {
	all := make(map[ident.ID][]Requirement, len(subjects))
	if len(subjects) == 0 {
		return all, nil
	}
	policies, err := c.ApprovalPolicy.Query().Order(ent.Asc(approvalpolicy.FieldName)).All(ctx)
	if err != nil {
		return nil, err
	}
	risks, err := risksFor(policies, subjects, weigh)
	if err != nil {
		return nil, err
	}
	votes, err := votesBy(ctx, c, subjects)
	if err != nil {
		return nil, err
	}
	teams, err := membersOf(ctx, c, policies)
	if err != nil {
		return nil, err
	}
	for _, s := range subjects {
		for _, p := range policies {
			asks := asked(p)
			if !isFor(p, s) || !asks.AppliesTo(s.ChangeType, risks[s.ID]) {
				continue
			}
			r := Requirement{Policy: p, Needed: p.Approvals, Given: asks.Given(votes[s.ID]), risk: risks[s.ID]}
			if p.TeamID != nil {
				t := teams[*p.TeamID]
				r.team = t.name
				r.Candidates = slices.DeleteFunc(slices.Clone(t.members), func(name string) bool {
					_, ok := s.Involved[strings.ToLower(name)]
					return ok || slices.ContainsFunc(votes[s.ID], func(v rule.Vote) bool { return v.Approver == name && asks.Counts(v) })
				})
			}
			all[s.ID] = append(all[s.ID], r)
		}
		if len(all[s.ID]) == 0 && s.Otherwise > 0 {
			all[s.ID] = []Requirement{{Needed: s.Otherwise, Given: rule.Somebody.Given(votes[s.ID])}}
		}
	}
	return all, nil
}

// isFor reports whether a policy asks for approvals of a record, if it is risky enough.
func isFor(p *ent.ApprovalPolicy, s Subject) bool {
	return p.RecordType == s.Type && asked(p).IsFor(s.ChangeType)
}

// risksFor weighs the records about which some policy asks how risky they are.
func risksFor(policies []*ent.ApprovalPolicy, subjects []Subject, weigh func([]ident.ID) (map[ident.ID]int, error)) (map[ident.ID]int, error) {
	weighed := slices.DeleteFunc(slices.Clone(subjects), func(s Subject) bool {
		return !slices.ContainsFunc(policies, func(p *ent.ApprovalPolicy) bool { return p.RiskAbove != nil && isFor(p, s) })
	})
	if len(weighed) == 0 {
		return nil, nil
	}
	return weigh(idsOf(weighed))
}

// asked returns what a policy asks for, as the rule sees it.
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

func votesBy(ctx context.Context, c *ent.Client, subjects []Subject) (map[ident.ID][]rule.Vote, error) {
	rows, err := c.Approval.Query().Where(approval.RecordIDIn(idsOf(subjects)...), approval.DecisionNEQ(domain.Voided)).Order(ent.Asc(approval.FieldID)).All(ctx)
	votes := map[ident.ID][]rule.Vote{}
	for _, row := range rows {
		votes[row.RecordID] = append(votes[row.RecordID], rule.Vote{Approver: row.Approver, Decision: row.Decision, Teams: row.Teams, Roles: row.Roles})
	}
	return votes, err
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

// standing returns what an actor is when they vote: their teams, where their name is that of exactly one person, and
// all roles that theirs stand for.
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
