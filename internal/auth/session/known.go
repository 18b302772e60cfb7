package session

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Known is whom an issuer names: an account by its id or, if that is 0, by issuer and subject; and the groups that it
// told.
type Known struct {
	Account         ident.ID
	Issuer, Subject string
	Groups          []string
}

// FindKnown returns the actor that is known so, by one statement. It reports false if there is no such account, or if
// it may not act.
func FindKnown(ctx context.Context, s *store.Store, k Known, via domain.Via, pass auth.Pass) (a auth.Actor, ok bool, err error) {
	groups, err := json.Marshal(k.Groups)
	if err != nil {
		return a, false, err
	}
	which, args := "a.id = $2", []any{s.Now(ctx), int64(k.Account)}
	if k.Account == 0 {
		which, args = "a.issuer = $2 AND a.subject = $3", []any{s.Now(ctx), k.Issuer, k.Subject}
	}
	rows, err := s.Read.QueryContext(ctx, `SELECT a.id, a.name, a.kind, a.state, a.person_id, b.role, b.team_id, b.sources, b.group_name
		FROM account a `+joinBindings+` WHERE `+which, args...)
	if err != nil {
		return a, false, store.Translate(err)
	}
	defer func() { _ = rows.Close() }()
	var r *row
	for rows.Next() {
		if r == nil {
			r = &row{}
		}
		var b binding
		if err := rows.Scan(&r.account, &r.name, &r.kind, &r.state, &r.person, &b.role, &b.team, &b.sources, &b.group); err != nil {
			return a, false, store.Translate(err)
		}
		if err := r.add(b, groups); err != nil {
			return a, false, err
		}
	}
	if err := store.Translate(errors.Join(rows.Err(), rows.Close())); err != nil || r == nil || r.state != string(domain.AccountActive) {
		return a, false, err
	}
	return r.actor(via, pass), true, nil
}

// GroupsOf returns the groups that the provider told with the newest session of an account. If it told none, it returns
// nil.
func GroupsOf(ctx context.Context, s *store.Store, of ident.ID) (groups []string, err error) {
	rows, err := s.Read.QueryContext(ctx, `SELECT groups FROM x_secret WHERE account_id = $1 AND kind = $2 AND expires_at > $3
		ORDER BY expires_at DESC LIMIT 1`, int64(of), string(secret.Session), s.Now(ctx))
	if err != nil {
		return nil, store.Translate(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text []byte
		if err := rows.Scan(&text); err != nil {
			return nil, store.Translate(err)
		}
		if len(text) > 0 {
			if err := json.Unmarshal(text, &groups); err != nil {
				return nil, err
			}
		}
	}
	return groups, store.Translate(errors.Join(rows.Err(), rows.Close()))
}
