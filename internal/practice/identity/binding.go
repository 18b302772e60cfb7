package identity

import (
	"context"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/rolebinding"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

const (
	mostSources   = 20
	longestSource = 100
)

// BindRole gives a role to an account.
type BindRole struct {
	Account   ident.ID
	Role      auth.Role
	Team      *ident.ID  // within which it holds
	Sources   []string   // of an INTEGRATOR
	ExpiresAt *time.Time // when it ends
}

// UnbindRole names the binding to take back.
type UnbindRole struct{ ID ident.ID }

// Bound is a role as it is given.
type Bound struct {
	Role    auth.Role
	Team    *ident.ID
	Sources []string
	Expires *time.Time
}

// BindRole gives an account a role, everywhere or within a team. An account that has it keeps its binding.
func (p *Practice) BindRole(ctx context.Context, in BindRole) (*ent.RoleBinding, error) {
	return auth.Write(ctx, p.store, "account.bind_role", func(ctx context.Context, tx *store.Tx) (*ent.RoleBinding, error) {
		was, err := lock(ctx, tx, in.Account, "account")
		if err != nil {
			return nil, err
		}
		var f form.Form
		ticket.Reference(ctx, tx, &f, "team", ident.Team, in.Team)
		if in.Team != nil && in.Role != auth.Operator && in.Role != auth.ChangeManager {
			f.Fault(errs.New(errs.Invalid, "%s does not hold within a team: %s and %s do", in.Role, auth.Operator, auth.ChangeManager).At("team"))
		}
		sources := sourcesOf(&f, in.Sources, in.Role == auth.Integrator)
		if in.ExpiresAt != nil && !in.ExpiresAt.After(tx.Now) {
			f.Fault(errs.New(errs.Invalid, "the binding would have ended already").At("expiresAt"))
		}
		if err := f.Err(); err != nil {
			return nil, err
		}
		return bind(ctx, tx, was.ID, Bound{in.Role, in.Team, sources, moment(in.ExpiresAt)})
	})
}

// moment returns t as databases keep it.
func moment(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	m := t.UTC().Truncate(time.Microsecond)
	return &m
}

// sourcesOf reads the sources of an INTEGRATOR, who has none but those.
func sourcesOf(f *form.Form, given []string, isIntegrator bool) []string {
	switch {
	case isIntegrator && len(given) == 0:
		f.Fault(errs.New(errs.Required, "%s is for sources: name those whose reports it brings in, such as kubernetes", auth.Integrator).At("sources"))
	case !isIntegrator && len(given) > 0:
		f.Fault(errs.New(errs.Invalid, "sources are for %s alone", auth.Integrator).At("sources"))
	}
	if !f.Most("sources", len(given), mostSources) {
		return nil
	}
	sources := make([]string, len(given))
	for i, source := range given {
		sources[i] = f.Text("sources", source, 1, longestSource)
	}
	slices.Sort(sources)
	return slices.Compact(sources)
}

// bind gives a role to an account, unless the account has it so.
func bind(ctx context.Context, tx *store.Tx, of ident.ID, b Bound) (*ent.RoleBinding, error) {
	q := tx.RoleBinding.Query().Where(rolebinding.AccountID(of), rolebinding.Role(string(b.Role)), rolebinding.ExpiresAtIsNil()).Order(ent.Asc(rolebinding.FieldID))
	if b.Team == nil {
		q.Where(rolebinding.TeamIDIsNil())
	} else {
		q.Where(rolebinding.TeamID(*b.Team))
	}
	found, err := q.All(ctx)
	if err != nil {
		return nil, err
	}
	for _, one := range found {
		if slices.Equal(one.Sources, b.Sources) && b.Expires == nil {
			return one, nil
		}
	}
	return tx.RoleBinding.Create().SetAccountID(of).SetRole(string(b.Role)).SetNillableTeamID(b.Team).SetSources(b.Sources).SetNillableExpiresAt(b.Expires).SetCreatedAt(tx.Now).Save(ctx)
}
