// Package session knows callers by the secrets they bring: it finds what a secret stands for, keeps new ones by their
// codes, and ends them. It refuses to remember who was found: each request asks anew, so that what is taken away is
// gone at once, on every server.
package session

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// How long what is kept holds.
const (
	Length    = 12 * time.Hour // of a session
	Idle      = 4 * time.Hour  // of a session that is not used
	seenEvery = time.Hour      // how often it is written that one is used
)

// Method is how a person signed in, or what a link is for.
type Method string

// The methods.
const (
	Password   Method = "PASSWORD"
	SetUp      Method = "SET_UP"
	Invitation Method = "INVITATION"
	BreakGlass Method = "BREAK_GLASS" // a link made on the command line
	OIDC       Method = "OIDC"        // an OpenID provider
	View       Method = "VIEW_AS"     // an admin who looks at what the account sees
	Device     Method = "DEVICE"      // a command line that the person has let in
)

// Kept is what a new secret stands for.
type Kept struct {
	Kind    secret.Kind
	Code    []byte // of a secret that is made already; a new one is made if it is nil
	Account *ident.ID
	Token   *ident.ID
	Method  Method
	Expires time.Time
	Groups  []string // that the provider told; nil if it told none
	SID     string   // the provider's name of the session
	// SignedIn is when the person signed in, if that was elsewhere and before; else it is now.
	SignedIn time.Time
}

// Keep makes a secret, unless its code is there already, and keeps the code. It is not journalled, and the secret that
// it returns stands nowhere else.
func Keep(ctx context.Context, tx *store.Tx, keys *secret.Keys, k Kept) (string, error) {
	made, code := "", k.Code
	if code == nil {
		made = secret.New(k.Kind)
		code = keys.Code(made)
	}
	var groups any
	if k.Groups != nil {
		text, err := json.Marshal(k.Groups)
		if err != nil {
			return "", err
		}
		groups = string(text)
	}
	signedIn := tx.Now
	if k.SignedIn.Before(signedIn) && !k.SignedIn.IsZero() {
		signedIn = k.SignedIn.UTC().Truncate(time.Microsecond)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO x_secret (mac, kind, account_id, token_id, method, signed_in_at, seen_at, expires_at, groups, provider_sid) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		code, string(k.Kind), optional(k.Account), optional(k.Token), string(k.Method), signedIn, tx.Now, k.Expires.UTC().Truncate(time.Microsecond), groups, k.SID)
	return made, err
}

func optional(id *ident.ID) any {
	if id == nil {
		return nil
	}
	return int64(*id)
}

// Ended chooses which secrets end.
type Ended struct {
	Account *ident.ID
	Token   *ident.ID
	Kind    secret.Kind // of an account; all where it is empty
}

// End ends secrets, so that the next request by one is nobody's, and open sockets are told.
func End(ctx context.Context, tx *store.Tx, e Ended) error {
	column, id := "account_id", e.Account
	if e.Token != nil {
		column, id = "token_id", e.Token
	}
	if id == nil {
		return errors.New("no secrets are named to end")
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM x_secret WHERE "+column+" = $1 AND ($2 = '' OR kind = $2)", int64(*id), string(e.Kind))
	return errors.Join(err, Taken(ctx, tx))
}

// Taken notes that something is taken away from an account: sockets and streams ask again who calls. Verbs that take it
// first stand in line with each other.
func Taken(ctx context.Context, tx *store.Tx) error {
	_, err := tx.ExecContext(ctx, "UPDATE head SET access = access + 1")
	return err
}

// Access returns the number of the last change that took something away.
func Access(ctx context.Context, c *ent.Client) (n int64, err error) {
	rows, err := c.QueryContext(ctx, "SELECT access FROM head")
	if err != nil {
		return 0, store.Translate(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			return 0, store.Translate(err)
		}
	}
	return n, store.Translate(errors.Join(rows.Err(), rows.Close()))
}

// row is what the tables say of a secret.
type row struct {
	account                  ident.ID
	name, kind, state        string
	person, token            sql.NullInt64
	tokenName                sql.NullString
	narrowed                 []byte
	signedIn, seen, expires  time.Time
	tokenExpires, tokenEnded sql.NullTime
	roles                    []auth.Role
	inTeams                  []auth.InTeam
	sources                  []string
}

// actor returns the account as an actor.
func (r *row) actor(via domain.Via, pass auth.Pass) auth.Actor {
	a := auth.Actor{Account: &r.account, Name: r.name, IsService: r.kind == string(domain.ServiceAccount), Roles: r.roles, InTeams: r.inTeams, Sources: r.sources, Via: via, Pass: pass}
	if r.person.Valid {
		person := ident.ID(r.person.Int64)
		a.Person = &person
	}
	return a
}

// binding is a row of role_binding, or nothing if an account has none.
type binding struct {
	role    sql.NullString
	team    sql.NullInt64
	sources []byte
	group   sql.NullString
}

// add gives the account what a binding gives: that of a group only if it is among groups, a list as JSON.
func (r *row) add(b binding, groups []byte) error {
	if b.group.Valid && !among(groups, b.group.String) {
		return nil
	}
	switch {
	case b.team.Valid:
		r.inTeams = append(r.inTeams, auth.InTeam{Role: auth.Role(b.role.String), Team: ident.ID(b.team.Int64)})
	case b.role.Valid:
		r.roles = append(r.roles, auth.Role(b.role.String))
	}
	if len(b.sources) == 0 {
		return nil
	}
	var more []string
	err := json.Unmarshal(b.sources, &more)
	r.sources = append(r.sources, more...)
	return err
}

// Find returns who brings a secret of a kind, by one statement. It reports false for a secret that was never made, has
// expired or was ended, and for an account that may not act.
func Find(ctx context.Context, s *store.Store, keys *secret.Keys, kind secret.Kind, text string) (a auth.Actor, ok bool, err error) {
	if !secret.IsWhole(kind, text) {
		return a, false, nil
	}
	now := s.Now(ctx)
	r, err := read(ctx, s, keys.Codes(text), kind, now)
	if err != nil || r == nil || r.state != string(domain.AccountActive) || !now.Before(r.expires) {
		return a, false, err
	}
	a = r.actor(domain.ViaSession, auth.Pass{SignedIn: r.signedIn, Expires: r.expires})
	switch kind {
	case secret.Session:
		if idle := r.seen.Add(Idle); idle.Before(a.Pass.Expires) {
			a.Pass.Expires = idle
		}
		if !now.Before(a.Pass.Expires) {
			return auth.Actor{}, false, nil
		}
	case secret.Token:
		if !r.token.Valid || r.tokenEnded.Valid || !now.Before(r.tokenExpires.Time) {
			return auth.Actor{}, false, nil
		}
		token := ident.ID(r.token.Int64)
		a.Via, a.Pass = domain.ViaToken, auth.Pass{Token: &token, TokenName: r.tokenName.String, Narrowed: []auth.Role{}, Expires: r.tokenExpires.Time}
		if err := json.Unmarshal(r.narrowed, &a.Pass.Narrowed); err != nil {
			return auth.Actor{}, false, err
		}
	default:
		return auth.Actor{}, false, nil
	}
	if now.Sub(r.seen) > seenEvery {
		err = touch(ctx, s, keys.Codes(text), now)
	}
	return a, err == nil, err
}

// joinBindings joins what may give an account a role at the moment $1.
const joinBindings = `LEFT JOIN role_binding b ON (b.account_id = a.id OR b.issuer = a.issuer AND b.group_name IS NOT NULL) AND (b.expires_at IS NULL OR b.expires_at > $1)`

func read(ctx context.Context, s *store.Store, codes [][]byte, kind secret.Kind, now time.Time) (*row, error) {
	args := []any{now, string(kind)}
	in := make([]string, len(codes))
	for i, c := range codes {
		args = append(args, c)
		in[i] = "$" + strconv.Itoa(len(args))
	}
	rows, err := s.Read.QueryContext(ctx, `SELECT a.id, a.name, a.kind, a.state, a.person_id, t.id, t.name, t.roles, s.signed_in_at, s.seen_at, s.expires_at, t.expires_at, t.revoked_at, b.role, b.team_id, b.sources, b.group_name, s.groups
		FROM x_secret s JOIN account a ON a.id = s.account_id
		LEFT JOIN api_token t ON t.id = s.token_id AND t.account_id = a.id
		`+joinBindings+`
		WHERE s.kind = $2 AND s.mac IN (`+strings.Join(in, ", ")+`)`, args...)
	if err != nil {
		return nil, store.Translate(err)
	}
	defer func() { _ = rows.Close() }()
	var r *row
	for rows.Next() {
		if r == nil {
			r = &row{}
		}
		var b binding
		var groups []byte
		if err := rows.Scan(&r.account, &r.name, &r.kind, &r.state, &r.person, &r.token, &r.tokenName, &r.narrowed, &r.signedIn, &r.seen, &r.expires, &r.tokenExpires, &r.tokenEnded, &b.role, &b.team, &b.sources, &b.group, &groups); err != nil {
			return nil, store.Translate(err)
		}
		if err := r.add(b, groups); err != nil {
			return nil, err
		}
	}
	return r, store.Translate(errors.Join(rows.Err(), rows.Close()))
}

// among reports whether a list, as JSON, has a text.
func among(list []byte, text string) bool {
	var all []string
	return json.Unmarshal(list, &all) == nil && slices.Contains(all, text)
}

// touch writes that a secret is used.
func touch(ctx context.Context, s *store.Store, codes [][]byte, now time.Time) error {
	_, err := store.Write(ctx, s, auth.System.By("session.seen"), func(ctx context.Context, tx *store.Tx) (int, error) {
		for _, c := range codes {
			if _, err := tx.ExecContext(ctx, "UPDATE x_secret SET seen_at = $1 WHERE mac = $2", now, c); err != nil {
				return 0, err
			}
		}
		return 0, nil
	})
	return err
}

// Link is what a link stands for.
type Link struct {
	Account ident.ID // 0: the one that it sets up
	Method  Method
}

// TakeLink ends a link and returns what it stands for. It reports false if there is no such link, or no longer.
func TakeLink(ctx context.Context, tx *store.Tx, keys *secret.Keys, text string) (l Link, ok bool, err error) {
	if !secret.IsWhole(secret.Link, text) {
		return l, false, nil
	}
	for _, c := range keys.Codes(text) {
		rows, err := tx.QueryContext(ctx, "DELETE FROM x_secret WHERE kind = $1 AND mac = $2 AND expires_at > $3 RETURNING account_id, method", string(secret.Link), c, tx.Now)
		if err != nil {
			return l, false, err
		}
		if l, ok, err = linkOf(rows); err != nil || ok {
			return l, ok && err == nil, err
		}
	}
	return l, false, nil
}

// linkOf reads a link from its row. If there is no row, it reports false.
func linkOf(rows *sql.Rows) (l Link, ok bool, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	var account sql.NullInt64
	if ok = rows.Next(); ok {
		err = rows.Scan(&account, &l.Method)
		l.Account = ident.ID(account.Int64)
	}
	return l, ok, errors.Join(err, rows.Err())
}

// KeepSignIns is how long it is remembered who came in and who was refused.
const KeepSignIns = 180 * 24 * time.Hour

// Forget deletes what has expired: secrets, sign-ins, and attempts that no longer count.
func Forget(ctx context.Context, s *store.Store) error {
	_, err := store.Write(ctx, s, auth.System.By("session.forget"), func(ctx context.Context, tx *store.Tx) (int, error) {
		_, secrets := tx.ExecContext(ctx, "DELETE FROM x_secret WHERE expires_at < $1", tx.Now)
		_, signIns := tx.ExecContext(ctx, "DELETE FROM x_sign_in WHERE hour < $1", tx.Now.Add(-KeepSignIns))
		_, attempts := tx.ExecContext(ctx, "DELETE FROM x_attempt WHERE since < $1 AND until < $1", tx.Now.Add(-time.Hour))
		_, devices := tx.ExecContext(ctx, "DELETE FROM x_device WHERE expires_at < $1", tx.Now)
		return 0, errors.Join(secrets, signIns, attempts, devices)
	})
	return err
}

// EndOf ends the sessions of an account that began by some moment: all, or the one that its provider names.
func EndOf(ctx context.Context, tx *store.Tx, of ident.ID, sid string, begunBy time.Time) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM x_secret WHERE account_id = $1 AND kind = $2 AND ($3 = '' OR provider_sid = $3) AND signed_in_at <= $4", int64(of), string(secret.Session), sid, begunBy)
	return errors.Join(err, Taken(ctx, tx))
}

// EndNamed ends the sessions that a provider calls so, whoever's they are, that began by some moment.
func EndNamed(ctx context.Context, tx *store.Tx, issuer, sid string, begunBy time.Time) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM x_secret WHERE provider_sid = $1 AND kind = $2 AND signed_in_at <= $3 AND account_id IN (SELECT id FROM account WHERE issuer = $4)", sid, string(secret.Session), begunBy, issuer)
	return errors.Join(err, Taken(ctx, tx))
}

// Open is a session that somebody has open.
type Open struct {
	Method                  Method
	SignedIn, Seen, Expires time.Time
}

// OfAccount lists the sessions of an account that hold, the newest first.
func OfAccount(ctx context.Context, s *store.Store, of ident.ID) (open []Open, err error) {
	now := s.Now(ctx)
	rows, err := s.Read.QueryContext(ctx, `SELECT method, signed_in_at, seen_at, expires_at FROM x_secret
		WHERE account_id = $1 AND kind = $2 AND expires_at > $3 ORDER BY signed_in_at DESC LIMIT 100`, int64(of), string(secret.Session), now)
	if err != nil {
		return nil, store.Translate(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var o Open
		if err := rows.Scan(&o.Method, &o.SignedIn, &o.Seen, &o.Expires); err != nil {
			return nil, store.Translate(err)
		}
		if idle := o.Seen.Add(Idle); idle.Before(o.Expires) {
			o.Expires = idle
		}
		if o.Expires.After(now) {
			open = append(open, o)
		}
	}
	return open, store.Translate(errors.Join(rows.Err(), rows.Close()))
}

// SignIn counts the times that an account came in, or was refused, from a network within an hour.
type SignIn struct {
	Hour    time.Time
	Outcome string
	Account ident.ID // 0: the name was nobody's
	Method  Method
	Network string
	Count   int
}

// SignIns lists who came in and who was refused, the newest first.
func SignIns(ctx context.Context, s *store.Store, most int) (all []SignIn, err error) {
	rows, err := s.Read.QueryContext(ctx, `SELECT hour, outcome, account_id, method, network, count FROM x_sign_in
		ORDER BY hour DESC, outcome, account_id, method, network LIMIT $1`, most)
	if err != nil {
		return nil, store.Translate(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var one SignIn
		if err := rows.Scan(&one.Hour, &one.Outcome, &one.Account, &one.Method, &one.Network, &one.Count); err != nil {
			return nil, store.Translate(err)
		}
		all = append(all, one)
	}
	return all, store.Translate(errors.Join(rows.Err(), rows.Close()))
}
