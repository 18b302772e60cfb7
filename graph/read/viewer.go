package read

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/account"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/session"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Viewer is the caller, as the server sees it.
type Viewer struct {
	auth.Actor
	in *Reader
}

// Viewer returns who calls.
func (r *Reader) Viewer(ctx context.Context) *Viewer {
	actor, _ := auth.From(ctx)
	return &Viewer{actor, r}
}

// Account returns the caller's account. Where nobody signs in, it is that of the name the caller gave.
func (v *Viewer) Account(ctx context.Context) (*Account, error) {
	q := v.in.store.Show.Account.Query()
	switch {
	case v.Actor.Account != nil:
		q.Where(account.ID(*v.Actor.Account))
	case v.Via == domain.ViaDev:
		q.Where(account.Issuer(store.NameIssuer), account.Subject(store.Folded(v.Name)))
	default:
		return nil, nil
	}
	row, err := q.Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, store.Translate(err)
	}
	return v.in.ShowAccount(row), nil
}

// Roles returns what the caller may do now.
func (v *Viewer) Roles() []auth.Role { return v.Effective() }

// Person returns the person whose account it is.
func (v *Viewer) Person(ctx context.Context) (*Person, error) {
	of, err := auth.PersonOf(ctx, v.in.store.Show, v.Actor)
	if err != nil || of == nil {
		return nil, store.Translate(err)
	}
	found, err := loadPeople(ctx, v.in, []ident.ID{*of})
	return found[*of], err
}

// Teams returns the teams that the caller is in, by name.
func (v *Viewer) Teams(ctx context.Context) ([]*Team, error) {
	of, err := auth.PersonOf(ctx, v.in.store.Show, v.Actor)
	if err != nil || of == nil {
		return []*Team{}, store.Translate(err)
	}
	ids, err := auth.TeamsOf(ctx, v.in.store.Show, *of)
	if err != nil {
		return nil, store.Translate(err)
	}
	found, err := loadTeams(ctx, v.in, ids)
	teams := slices.SortedFunc(maps.Values(found), func(a, b *Team) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return append([]*Team{}, teams...), err
}

// Grant is a role that the caller has now.
type Grant struct {
	Role    auth.Role
	Sources []string
	team    *ident.ID
	in      *batch[*Grant]
}

// Team returns the team within which the role holds. If it holds everywhere, it returns nil.
func (g *Grant) Team(ctx context.Context) (*Team, error) {
	return one(ctx, g.in, g, "team", func(g *Grant) *ident.ID { return g.team }, loadTeams)
}

// Grants returns the roles that the caller has now, those everywhere first.
func (v *Viewer) Grants() []*Grant {
	b := newBatch[*Grant](v.in, nil)
	for _, role := range v.Effective() {
		g := &Grant{Role: role, Sources: []string{}, in: b}
		if role == auth.Integrator {
			g.Sources = append(g.Sources, v.Sources...)
		}
		b.Rows = append(b.Rows, g)
	}
	for _, role := range auth.AllRoles {
		for _, team := range v.TeamsWith(role) {
			b.Rows = append(b.Rows, &Grant{Role: role, Sources: []string{}, team: &team, in: b})
		}
	}
	return b.Rows
}

// Session is a session of the caller.
type Session struct{ session.Open }

// Method returns how the person signed in.
func (s *Session) Method() string { return string(s.Open.Method) }

// SignedInAt returns when it began.
func (s *Session) SignedInAt() time.Time { return s.SignedIn }

// SeenAt returns when it was last used, to the hour.
func (s *Session) SeenAt() time.Time { return s.Seen }

// ExpiresAt returns when it ends, if it is not used.
func (s *Session) ExpiresAt() time.Time { return s.Expires }

// Sessions returns the sessions of the caller's account, the newest first.
func (v *Viewer) Sessions(ctx context.Context) ([]*Session, error) {
	all := []*Session{}
	if v.Actor.Account == nil {
		return all, nil
	}
	open, err := session.OfAccount(ctx, v.in.store, *v.Actor.Account)
	for _, o := range open {
		all = append(all, &Session{o})
	}
	return all, err
}

// Tokens returns the API tokens of the caller's account, the newest first.
func (v *Viewer) Tokens(ctx context.Context) ([]*ApiToken, error) {
	a, err := v.Account(ctx)
	if a == nil || err != nil {
		return []*ApiToken{}, err
	}
	return a.Tokens(ctx)
}

// TokenName returns the name of the API token by which the caller came.
func (v *Viewer) TokenName() *string { return absent(v.Pass.TokenName) }

// ExpiresAt returns when the session or the token ends by which the caller came.
func (v *Viewer) ExpiresAt() *time.Time {
	if v.Pass.Expires.IsZero() {
		return nil
	}
	return &v.Pass.Expires
}

// IsFresh reports whether the caller signed in not long ago.
func (v *Viewer) IsFresh(ctx context.Context) bool { return v.Actor.IsFresh(v.in.store.Now(ctx)) }
