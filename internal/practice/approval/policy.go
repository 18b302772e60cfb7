package approval

import (
	"context"
	"reflect"
	"slices"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/approvalpolicy"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

const (
	mostPolicies  = 100 // all are read at once
	mostApprovals = 20
	highestRisk   = 100
)

// CreatePolicy is a new approval policy.
type CreatePolicy struct {
	Name        string
	ChangeTypes []domain.ChangeType
	RiskAbove   *int
	Approvals   int
	Team        *ident.ID
	Role        *auth.Role
}

// UpdatePolicy is changes to an approval policy: what is absent stays, null clears.
type UpdatePolicy struct {
	ID              ident.ID
	ExpectedVersion *int
	Name            graphql.Omittable[*string]
	ChangeTypes     graphql.Omittable[[]domain.ChangeType]
	RiskAbove       graphql.Omittable[*int]
	Approvals       graphql.Omittable[*int]
	Team            graphql.Omittable[*ident.ID]
	Role            graphql.Omittable[*auth.Role]
}

// DeletePolicy names an approval policy that is no longer needed.
type DeletePolicy struct {
	ID              ident.ID
	ExpectedVersion *int
}

// CreatePolicy asks for approvals from now on, also of changes whose approval was asked for before.
func (p *Practice) CreatePolicy(ctx context.Context, in CreatePolicy) (*ent.ApprovalPolicy, error) {
	return auth.Write(ctx, p.store, "approval_policy.create", func(ctx context.Context, tx *store.Tx) (*ent.ApprovalPolicy, error) {
		next := &ent.ApprovalPolicy{RecordType: domain.ChangeSubject, Name: in.Name, ChangeTypes: in.ChangeTypes, RiskAbove: in.RiskAbove, Approvals: in.Approvals, TeamID: in.Team, Role: roleName(in.Role)}
		if err := checkPolicy(ctx, tx, next); err != nil {
			return nil, err
		}
		n, err := tx.ApprovalPolicy.Query().Count(ctx)
		if err != nil {
			return nil, err
		}
		if n >= mostPolicies {
			return nil, errs.New(errs.Invalid, "there are %d approval policies already, and no more may be: delete those that nobody needs", n)
		}
		return tx.ApprovalPolicy.Create().SetRecordType(next.RecordType).SetName(next.Name).SetChangeTypes(next.ChangeTypes).SetNillableRiskAbove(next.RiskAbove).SetApprovals(next.Approvals).
			SetNillableTeamID(next.TeamID).SetNillableRole(next.Role).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
	})
}

// UpdatePolicy changes what an approval policy asks for. Changes that are scheduled already stay so.
func (p *Practice) UpdatePolicy(ctx context.Context, in UpdatePolicy) (*ent.ApprovalPolicy, error) {
	return auth.Write(ctx, p.store, "approval_policy.update", func(ctx context.Context, tx *store.Tx) (*ent.ApprovalPolicy, error) {
		was, err := lockPolicy(ctx, tx, in.ID, in.ExpectedVersion)
		if err != nil {
			return nil, err
		}
		next := *was
		next.Name, next.Approvals = form.Kept(in.Name, was.Name, ""), form.Kept(in.Approvals, was.Approvals, 0)
		if types, ok := in.ChangeTypes.ValueOK(); ok {
			next.ChangeTypes = types
		}
		if risk, ok := in.RiskAbove.ValueOK(); ok {
			next.RiskAbove = risk
		}
		if team, ok := in.Team.ValueOK(); ok {
			next.TeamID = team
		}
		if role, ok := in.Role.ValueOK(); ok {
			next.Role = roleName(role)
		}
		if err := checkPolicy(ctx, tx, &next); err != nil {
			return nil, err
		}
		if next.Name == was.Name && next.Approvals == was.Approvals && slices.Equal(next.ChangeTypes, was.ChangeTypes) &&
			reflect.DeepEqual([]any{next.RiskAbove, next.TeamID, next.Role}, []any{was.RiskAbove, was.TeamID, was.Role}) {
			return was, nil
		}
		u := tx.ApprovalPolicy.UpdateOne(was).SetName(next.Name).SetChangeTypes(next.ChangeTypes).SetApprovals(next.Approvals)
		store.SetNillable(was.RiskAbove, next.RiskAbove, u.SetRiskAbove, u.ClearRiskAbove)
		store.SetNillable(was.Role, next.Role, u.SetRole, u.ClearRole)
		store.SetNillable(was.TeamID, next.TeamID, u.SetTeamID, u.ClearTeamID)
		return u.AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
	})
}

// DeletePolicy takes an approval policy back.
func (p *Practice) DeletePolicy(ctx context.Context, in DeletePolicy) (ident.ID, error) {
	return auth.Write(ctx, p.store, "approval_policy.delete", func(ctx context.Context, tx *store.Tx) (ident.ID, error) {
		was, err := lockPolicy(ctx, tx, in.ID, in.ExpectedVersion)
		if err != nil {
			return 0, err
		}
		return was.ID, tx.ApprovalPolicy.DeleteOne(was).Exec(ctx)
	})
}

// checkPolicy refuses what asks for nothing that could be given, and a name that another has.
func checkPolicy(ctx context.Context, tx *store.Tx, p *ent.ApprovalPolicy) error {
	var f form.Form
	p.Name = f.Text("name", p.Name, 1, ticket.LongestWord)
	f.Number("approvals", p.Approvals, 1, mostApprovals)
	if p.RiskAbove != nil {
		f.Number("riskAbove", *p.RiskAbove, 0, highestRisk-1)
	}
	ticket.Reference(ctx, tx, &f, "team", ident.Team, p.TeamID)
	types := make([]domain.ChangeType, 0, len(p.ChangeTypes))
	for i, of := range p.ChangeTypes {
		if of == domain.Standard {
			f.Fault(errs.New(errs.Invalid, "STANDARD changes are approved beforehand: no policy is for them").At("changeTypes", strconv.Itoa(i)))
		}
		types = append(types, form.OneOf(&f, "changeTypes", of))
	}
	slices.Sort(types)
	p.ChangeTypes = slices.Compact(types)
	if err := f.Err(); err != nil {
		return err
	}
	taken, err := tx.ApprovalPolicy.Query().Where(approvalpolicy.Name(p.Name), approvalpolicy.IDNEQ(p.ID)).Exist(ctx)
	if taken {
		return errs.New(errs.AlreadyExists, "there is an approval policy %q already", p.Name).At("name")
	}
	return err
}

// lockPolicy reads a policy and keeps others from writing it until the transaction ends.
func lockPolicy(ctx context.Context, tx *store.Tx, id ident.ID, expected *int) (*ent.ApprovalPolicy, error) {
	found, err := form.Lock(ctx, tx, tx.ApprovalPolicy.Query().Where(approvalpolicy.ID(id)), ident.ApprovalPolicy, id, "id")
	if err != nil {
		return nil, err
	}
	return found, valid.Stale(expected, found.Version)
}

func roleName(r *auth.Role) *string {
	if r == nil {
		return nil
	}
	name := string(*r)
	return &name
}
