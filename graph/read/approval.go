package read

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/approvalpolicy"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/approval"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// ApprovalPolicy says which changes need how many approvals, and of whom.
type ApprovalPolicy struct {
	*ent.ApprovalPolicy
	in *batch[*ApprovalPolicy]
}

// IsNode marks records with a global id.
func (*ApprovalPolicy) IsNode() {}

func (r *Reader) wrapPolicies(rows []*ent.ApprovalPolicy) []*ApprovalPolicy {
	b := newBatch(r, make([]*ApprovalPolicy, len(rows)))
	for i, row := range rows {
		b.Rows[i] = &ApprovalPolicy{row, b}
	}
	return b.Rows
}

// ShowApprovalPolicy shows a policy that a verb returned.
func (r *Reader) ShowApprovalPolicy(row *ent.ApprovalPolicy) *ApprovalPolicy {
	return r.wrapPolicies([]*ent.ApprovalPolicy{row})[0]
}

func loadPolicies(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*ApprovalPolicy, error) {
	rows, err := r.store.Show.ApprovalPolicy.Query().Where(having(approvalpolicy.FieldID, ids)).All(ctx)
	return index(r.wrapPolicies(rows), func(p *ApprovalPolicy) ident.ID { return p.ID }), store.Translate(err)
}

// ChangeTypes returns the types of changes it holds for. If it holds for all that need approval, it returns none.
func (p *ApprovalPolicy) ChangeTypes() []domain.ChangeType { return p.ApprovalPolicy.ChangeTypes }

// Team returns the team whose members approve. If anybody may approve, it returns nil.
func (p *ApprovalPolicy) Team(ctx context.Context) (*Team, error) {
	return one(ctx, p.in, p, "team", func(p *ApprovalPolicy) *ident.ID { return p.TeamID }, loadTeams)
}

// Role returns the role that approvers have. If they may have any, it returns nil.
func (p *ApprovalPolicy) Role() *auth.Role { return (*auth.Role)(p.ApprovalPolicy.Role) }

// ApprovalPolicies lists approval policies by name.
func (r *Reader) ApprovalPolicies(ctx context.Context, p page.Args) (*page.Connection[*ApprovalPolicy], error) {
	return page.List[*ent.ApprovalPolicy, *ApprovalPolicy]{
		Name: "approval policies", Wrap: r.wrapPolicies,
		Order: []page.Term[*ent.ApprovalPolicy]{
			page.By(approvalpolicy.FieldName, func(e *ent.ApprovalPolicy) string { return e.Name }),
			page.By(approvalpolicy.FieldID, func(e *ent.ApprovalPolicy) ident.ID { return e.ID }),
		},
		Query: func(ctx context.Context, modify func(*sql.Selector)) ([]*ent.ApprovalPolicy, error) {
			q := r.store.Show.ApprovalPolicy.Query()
			q.Modify(modify)
			return translated(q.All(ctx))
		},
	}.Page(ctx, p)
}

// ApprovalRequirement is the approvals that a change needs.
type ApprovalRequirement struct {
	approval.Requirement
	Policy *ApprovalPolicy // nil: no policy applies
}

// ApprovalRequirements returns the approvals that the change needs, policy by policy.
func (c *Change) ApprovalRequirements(ctx context.Context) ([]*ApprovalRequirement, error) {
	return many(ctx, c.in, c, "approval requirements", (*Change).id, func(ctx context.Context, r *Reader, _ []ident.ID) (map[ident.ID][]*ApprovalRequirement, error) {
		rows := make([]*ent.Change, len(c.in.Rows))
		for i, row := range c.in.Rows {
			rows[i] = row.Change
		}
		found, err := change.Requirements(ctx, r.store.Show, r.snapshot(), rows, r.store.Now(ctx))
		b := newBatch[*ApprovalPolicy](r, nil)
		shown := make(map[ident.ID][]*ApprovalRequirement, len(found))
		for id, requirements := range found {
			for _, requirement := range requirements {
				one := &ApprovalRequirement{Requirement: requirement}
				if requirement.Policy != nil {
					one.Policy = &ApprovalPolicy{requirement.Policy, b}
					b.Rows = append(b.Rows, one.Policy)
				}
				shown[id] = append(shown[id], one)
			}
		}
		return shown, store.Translate(err)
	})
}

// ViewerCanVote reports whether the caller may approve or reject the change now.
func (c *Change) ViewerCanVote(ctx context.Context) (bool, error) {
	if can, err := viewerCan(ctx, c.in, c, "change.approve", (*Change).id, ownChanges(c.in.Rows)); err != nil || !can {
		return false, err
	}
	ballots, err := once(c.in, "ballots", func() (map[ident.ID]approval.Ballot, error) {
		r, rows := c.in.reader, make([]*ent.Change, len(c.in.Rows))
		for i, row := range c.in.Rows {
			rows[i] = row.Change
		}
		found, err := change.Ballots(ctx, r.store.Show, r.snapshot(), rows, r.store.Now(ctx))
		return found, store.Translate(err)
	})
	return ballots[c.ID].IsOpen, err
}

// Candidates returns by name who could give the approvals that are missing.
func (r *ApprovalRequirement) Candidates() []string {
	if r.Requirement.Candidates == nil {
		return []string{}
	}
	return r.Requirement.Candidates
}
