package approval

import (
	"cmp"
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
	people, err := votersOf(ctx, c, votes)
	if err != nil {
		return nil, err
	}
	for _, s := range subjects {
		votes[s.ID] = slices.DeleteFunc(votes[s.ID], func(v rule.Vote) bool { // they may have become involved since
			_, ok := s.involves(voter{v.Approver, people[v.Approver]})
			return ok
		})
		for _, p := range policies {
			asks := asked(p)
			if !isFor(p, s) || !asks.AppliesTo(s.ChangeType, risks[s.ID]) {
				continue
			}
			r := Requirement{Policy: p, Needed: p.Approvals, Given: asks.Given(votes[s.ID]), risk: risks[s.ID]}
			if p.TeamID != nil {
				t := teams[*p.TeamID]
				r.team = t.name
				for _, m := range t.members {
					_, ok := s.Involved[m.ID]
					if ok || slices.ContainsFunc(votes[s.ID], func(v rule.Vote) bool { return people[v.Approver] == m.ID && asks.Counts(v) }) {
						continue
					}
					r.Candidates = append(r.Candidates, m.Name)
				}
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
	rows, err := c.Approval.Query().Where(approval.RecordIDIn(idsOf(subjects)...), approval.DecisionNEQ(domain.Voided), approval.ApproverIDNotNil()).
		Order(ent.Asc(approval.FieldID)).All(ctx)
	votes := map[ident.ID][]rule.Vote{}
	for _, row := range rows {
		votes[row.RecordID] = append(votes[row.RecordID], rule.Vote{Approver: *row.ApproverID, Decision: row.Decision, Teams: row.Teams, Roles: row.Roles})
	}
	return votes, err
}

// votersOf returns the persons who voted, by their accounts.
func votersOf(ctx context.Context, c *ent.Client, votes map[ident.ID][]rule.Vote) (map[ident.ID]ident.ID, error) {
	var accounts []ident.ID
	for _, on := range votes {
		for _, v := range on {
			accounts = append(accounts, v.Approver)
		}
	}
	if len(accounts) == 0 {
		return nil, nil
	}
	slices.Sort(accounts)
	return auth.People(ctx, c, slices.Compact(accounts))
}

type roster struct {
	name    string
	members []*ent.Person // by name
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
	memberships, err := c.Membership.Query().Where(membership.TeamIDIn(ids...)).All(ctx)
	if err != nil {
		return nil, err
	}
	people := make([]ident.ID, len(memberships))
	for i, m := range memberships {
		people[i] = m.PersonID
	}
	found, err := c.Person.Query().Where(person.IDIn(people...)).All(ctx)
	byID := make(map[ident.ID]*ent.Person, len(found))
	for _, p := range found {
		byID[p.ID] = p
	}
	for _, t := range teams {
		all[t.ID] = roster{name: t.Name}
	}
	for _, m := range memberships {
		if r, p := all[m.TeamID], byID[m.PersonID]; p != nil {
			r.members = append(r.members, p)
			all[m.TeamID] = r
		}
	}
	for _, r := range all {
		slices.SortFunc(r.members, func(a, b *ent.Person) int { return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	}
	return all, err
}

// standing returns what a voter is when they vote: the teams of their person, and all roles that theirs stand for.
func standing(ctx context.Context, c *ent.Client, voter voter) (teams []ident.ID, roles []string, err error) {
	actor, _ := auth.From(ctx)
	for _, role := range auth.AllRoles {
		if actor.Has(role) {
			roles = append(roles, string(role))
		}
	}
	if voter.person == 0 {
		return []ident.ID{}, roles, nil
	}
	teams, err = auth.TeamsOf(ctx, c, voter.person)
	return teams, roles, err
}
