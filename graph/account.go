package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/present"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/practice/identity"
)

func (r *queryResolver) Accounts(ctx context.Context, filter *read.AccountFilter, first *int, after *string, last *int, before *string) (*page.Connection[*read.Account], error) {
	return r.r.read.Accounts(ctx, filter, page.Args{First: first, After: after, Last: last, Before: before})
}

func (r *queryResolver) Policy(context.Context) ([]*read.PolicyRule, error) {
	return read.Policy(), nil
}

func (r *queryResolver) SignIns(ctx context.Context) ([]*read.SignIn, error) {
	return r.r.read.SignIns(ctx)
}

func (r *mutationResolver) LinkAccount(ctx context.Context, input identity.LinkAccount) (*present.AccountPayload, error) {
	return present.Record(r.r.read.ShowAccount)(r.r.Identity.Link(ctx, input))
}

func (r *mutationResolver) CreateServiceAccount(ctx context.Context, input identity.CreateServiceAccount) (*present.AccountPayload, error) {
	return present.Record(r.r.read.ShowAccount)(r.r.Identity.CreateServiceAccount(ctx, input))
}

func (r *mutationResolver) InviteAccount(ctx context.Context, input identity.InviteAccount) (*present.InvitedAccountPayload, error) {
	return present.InvitedAccount(r.r.read)(r.r.Identity.Invite(ctx, input))
}

func (r *mutationResolver) DisableAccount(ctx context.Context, input identity.DisableAccount) (*present.AccountPayload, error) {
	return present.Record(r.r.read.ShowAccount)(r.r.Identity.Disable(ctx, input))
}

func (r *mutationResolver) EnableAccount(ctx context.Context, input identity.EnableAccount) (*present.AccountPayload, error) {
	return present.Record(r.r.read.ShowAccount)(r.r.Identity.Enable(ctx, input))
}

func (r *mutationResolver) EraseAccount(ctx context.Context, input identity.EraseAccount) (*present.AccountPayload, error) {
	return present.Record(r.r.read.ShowAccount)(r.r.Identity.Erase(ctx, input))
}

func (r *mutationResolver) BindRole(ctx context.Context, input identity.BindRole) (*present.RoleBindingPayload, error) {
	return present.Record(r.r.read.ShowRoleBinding)(r.r.Identity.BindRole(ctx, input))
}

func (r *mutationResolver) UnbindRole(ctx context.Context, input identity.UnbindRole) (*present.DeletedPayload, error) {
	return present.Deleted(r.r.Identity.UnbindRole(ctx, input))
}

func (r *mutationResolver) CreateAPIToken(ctx context.Context, input identity.CreateToken) (*present.CreatedTokenPayload, error) {
	return present.CreatedToken(r.r.read)(r.r.Identity.CreateToken(ctx, input))
}

func (r *mutationResolver) RevokeAPIToken(ctx context.Context, input identity.RevokeToken) (*present.ApiTokenPayload, error) {
	return present.Record(r.r.read.ShowAPIToken)(r.r.Identity.RevokeToken(ctx, input))
}

func (r *mutationResolver) EndSessions(ctx context.Context, input identity.EndSessions) (*present.AccountPayload, error) {
	return present.Record(r.r.read.ShowAccount)(r.r.Identity.EndSessions(ctx, input))
}
