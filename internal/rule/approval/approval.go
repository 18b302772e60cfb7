// Package approval decides whether a change has the approvals that policies ask for. It sees votes and policies as they
// are given and refuses to know who could vote.
package approval

import (
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Policy asks for approvals of certain changes. An empty field sets no condition.
type Policy struct {
	Types     []domain.ChangeType
	RiskAbove *int
	Approvals int
	Team      ident.ID
	Role      string
}

// Vote is the vote of one approver, with the role and teams they had when they gave it.
type Vote struct {
	Approver ident.ID // the account
	Decision domain.Decision
	Teams    []ident.ID
	Roles    []string
}

// IsFor reports whether a policy asks for approvals of changes of a type, if they are risky enough. STANDARD changes
// are approved beforehand.
func (p Policy) IsFor(of domain.ChangeType) bool {
	return of != domain.Standard && (len(p.Types) == 0 || slices.Contains(p.Types, of))
}

// AppliesTo reports whether a policy asks for approvals of changes of a type and risk.
func (p Policy) AppliesTo(of domain.ChangeType, risk int) bool {
	return p.IsFor(of) && (p.RiskAbove == nil || risk > *p.RiskAbove)
}

// Counts reports whether a vote counts as an approval that the policy asks for.
func (p Policy) Counts(v Vote) bool {
	return v.Decision == domain.Approved && (p.Team == 0 || slices.Contains(v.Teams, p.Team)) &&
		(p.Role == "" || slices.Contains(v.Roles, p.Role))
}

// Given returns how many votes count, each approver once.
func (p Policy) Given(votes []Vote) int {
	seen := map[ident.ID]bool{}
	for _, v := range votes {
		if p.Counts(v) {
			seen[v.Approver] = true
		}
	}
	return len(seen)
}

// Somebody is the policy that holds if no other applies: one approval, of anybody who may vote.
var Somebody = Policy{Approvals: 1}
