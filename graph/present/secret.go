package present

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/practice/identity"
)

// InvitedAccountPayload answers inviteAccount.
type InvitedAccountPayload struct {
	Account    *read.Account
	Secret     *string
	UserErrors []*UserError
}

// Warnings returns what is worth a second look of what the mutation around ctx has written.
func (*InvitedAccountPayload) Warnings(ctx context.Context) []domain.Warning { return warnings(ctx) }

// InvitedAccount presents an account with the link of its invitation.
func InvitedAccount(r *read.Reader) func(identity.Made[*ent.Account], error) (*InvitedAccountPayload, error) {
	return func(made identity.Made[*ent.Account], err error) (*InvitedAccountPayload, error) {
		shown, err := Record(r.ShowAccount)(made.Record, err)
		if err != nil {
			return nil, err
		}
		answer := &InvitedAccountPayload{Account: shown.Record, UserErrors: shown.UserErrors}
		if made.Secret != nil {
			link := identity.LinkPath(*made.Secret)
			answer.Secret = &link
		}
		return answer, nil
	}
}

// CreatedTokenPayload answers createApiToken.
type CreatedTokenPayload struct {
	APIToken   *read.ApiToken
	Secret     *string
	UserErrors []*UserError
}

// Warnings returns what is worth a second look of what the mutation around ctx has written.
func (*CreatedTokenPayload) Warnings(ctx context.Context) []domain.Warning { return warnings(ctx) }

// CreatedToken presents an API token with its secret.
func CreatedToken(r *read.Reader) func(identity.Made[*ent.APIToken], error) (*CreatedTokenPayload, error) {
	return func(made identity.Made[*ent.APIToken], err error) (*CreatedTokenPayload, error) {
		shown, err := Record(r.ShowAPIToken)(made.Record, err)
		if err != nil {
			return nil, err
		}
		return &CreatedTokenPayload{shown.Record, made.Secret, shown.UserErrors}, nil
	}
}
