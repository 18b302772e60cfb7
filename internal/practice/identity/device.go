package identity

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"time"
	"unicode"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
	"github.com/linchpin-cmdb/linchpin/internal/auth/session"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// DeviceWindow is how long a command line waits to be let in.
const DeviceWindow = 10 * time.Minute

const (
	deviceTerm    = 30 * 24 * time.Hour // of the token that it gets
	freeOfDevices = 30                  // command lines of a network that ask within attemptWindow
	freeOfCodes   = 5                   // wrong codes of an account
	codeLetters   = "BCDFGHJKLMNPQRSTVWXZ"
	codeSize      = 8
	longestHost   = 60
)

// ErrNoDevice says that no command line waits under a code.
var ErrNoDevice = errs.New(errs.NotFound, "no command line waits under this code: it was mistyped, or answered, or its time is over")

// Device is a command line that asks to be let in.
type Device struct {
	Host    string // as it says, and nobody has looked
	Network string // from which it asks
	Roles   []auth.Role
	AskedAt time.Time
}

// AskedDevice is what a command line is told: the code that a person types, and the token that it will have. Until
// then the token is nobody's.
type AskedDevice struct{ Code, Token string }

// AskIn keeps that a command line asks to be let in. A network that asks too often waits: TooManyError.
func (p *Practice) AskIn(ctx context.Context, d Device) (asked AskedDevice, err error) {
	if err := p.begin(ctx, []bucket{{p.bucketOf("device\n" + d.Network), freeOfDevices}}); err != nil {
		return asked, err
	}
	given := roles(d.Roles)
	if len(given) == 0 {
		return asked, errs.New(errs.Required, "a token without a role may do nothing: name one").At("roles")
	}
	named, err := json.Marshal(given)
	if err != nil {
		return asked, err
	}
	asked = AskedDevice{newCode(), secret.New(secret.Token)}
	return store.Write(ctx, p.store, auth.System.By("account.ask_in"), func(ctx context.Context, tx *store.Tx) (AskedDevice, error) {
		_, forgotten := tx.ExecContext(ctx, "DELETE FROM x_device WHERE expires_at < $1", tx.Now)
		_, kept := tx.ExecContext(ctx, `INSERT INTO x_device (code, mac, last_four, host, network, roles, asked_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			p.keys.Code(asked.Code), p.keys.Code(asked.Token), secret.LastFour(asked.Token), hostOf(d.Host), d.Network, string(named), tx.Now, tx.Now.Add(DeviceWindow))
		return asked, errors.Join(forgotten, kept)
	})
}

// newCode returns letters that make no words and are read without mistakes.
func newCode() string {
	text := make([]byte, codeSize)
	for i := range text {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(codeLetters))))
		if err != nil {
			panic(err) // it never fails
		}
		text[i] = codeLetters[n.Int64()]
	}
	return string(text)
}

// typed returns a code as a person has typed it: in any case, with what stands between the letters.
func typed(code string) string {
	return strings.Map(func(r rune) rune {
		if r = unicode.ToUpper(r); strings.ContainsRune(codeLetters, r) {
			return r
		}
		if r == '-' || unicode.IsSpace(r) {
			return -1
		}
		return '?'
	}, code)
}

// hostOf returns the name that a machine says it has, in characters that can be seen.
func hostOf(said string) string {
	said = strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(said, "")))
	if letters := []rune(said); len(letters) > longestHost {
		said = string(letters[:longestHost])
	}
	if said == "" {
		return "a machine without a name"
	}
	return said
}

// Device returns the command line that waits under a code. It is for who may let it in. Failures: ErrNoDevice,
// TooManyError after some wrong codes, and those of auth.Require.
func (p *Practice) Device(ctx context.Context, code string) (d Device, err error) {
	actor, err := auth.Require(ctx, "account.create_token")
	if err != nil {
		return d, err
	}
	tries := bucket{p.bucketOf("code\n" + actor.Key()), freeOfCodes}
	if err := p.begin(ctx, []bucket{tries}); err != nil {
		return d, err
	}
	for _, c := range p.keys.Codes(typed(code)) {
		found, ok, err := p.waiting(ctx, "code", c)
		if err != nil {
			return d, err
		}
		if !ok {
			continue
		}
		_, err = store.Write(ctx, p.store, auth.System.By("account.try"), func(ctx context.Context, tx *store.Tx) (int, error) {
			_, err := tx.ExecContext(ctx, "DELETE FROM x_attempt WHERE bucket = $1", tries.key)
			return 0, err
		})
		return found, err
	}
	return d, ErrNoDevice
}

// waiting returns the command line whose column has a code.
func (p *Practice) waiting(ctx context.Context, column string, code []byte) (d Device, ok bool, err error) {
	rows, err := p.store.Read.QueryContext(ctx, "SELECT host, network, roles, asked_at FROM x_device WHERE "+column+" = $1 AND expires_at > $2", code, p.store.Now(ctx))
	if err != nil {
		return d, false, store.Translate(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		ok = true
		var named []byte
		if err := rows.Scan(&d.Host, &d.Network, &named, &d.AskedAt); err != nil {
			return d, false, store.Translate(err)
		}
		if err := json.Unmarshal(named, &d.Roles); err != nil {
			return d, false, err
		}
	}
	return d, ok, store.Translate(errors.Join(rows.Err(), rows.Close()))
}

// LetIn lets the command line in that waits under a code: the token that it has already becomes one of the actor's, who
// has signed in not long ago. Failures: those of Device, and those of CreateToken.
func (p *Practice) LetIn(ctx context.Context, code string) (*ent.APIToken, error) {
	d, err := p.Device(ctx, code)
	if err != nil {
		return nil, err
	}
	return auth.Write(ctx, p.store, "account.create_token", func(ctx context.Context, tx *store.Tx) (*ent.APIToken, error) {
		for _, c := range p.keys.Codes(typed(code)) {
			var w ready
			rows, err := tx.QueryContext(ctx, "DELETE FROM x_device WHERE code = $1 AND expires_at > $2 RETURNING mac, last_four", c, tx.Now)
			if err != nil {
				return nil, err
			}
			ok := rows.Next()
			if ok {
				err = rows.Scan(&w.code, &w.lastFour)
			}
			if err := errors.Join(err, rows.Err(), rows.Close()); err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
			lasts := min(deviceTerm, p.LongestToken)
			token, err := p.token(ctx, tx, CreateToken{Name: "CLI on " + d.Host, Roles: d.Roles, ExpiresIn: &lasts}, w)
			if err != nil {
				return nil, err
			}
			return token, noteSignIn(ctx, tx, "OK", token.AccountID, session.Device, d.Network)
		}
		return nil, ErrNoDevice
	})
}

// Refuse lets a command line wait no longer. Failures: those of Device.
func (p *Practice) Refuse(ctx context.Context, code string) error {
	if _, err := p.Device(ctx, code); err != nil {
		return err
	}
	_, err := store.Write(ctx, p.store, auth.System.By("account.refuse"), func(ctx context.Context, tx *store.Tx) (int, error) {
		for _, c := range p.keys.Codes(typed(code)) {
			if _, err := tx.ExecContext(ctx, "DELETE FROM x_device WHERE code = $1", c); err != nil {
				return 0, err
			}
		}
		return 0, nil
	})
	return err
}

// IsIn reports whether a command line has been let in, by the token that it was told. If it still waits, isWaiting is
// true.
func (p *Practice) IsIn(ctx context.Context, token string) (a auth.Actor, isIn, isWaiting bool, err error) {
	if !secret.IsWhole(secret.Token, token) {
		return a, false, false, nil
	}
	for _, c := range p.keys.Codes(token) {
		if _, isWaiting, err = p.waiting(ctx, "mac", c); isWaiting || err != nil {
			return a, false, isWaiting, err
		}
	}
	a, isIn, err = p.Find(ctx, secret.Token, token)
	return a, isIn, false, err
}

// EndOwnToken ends the token by which the actor comes: that any token may do, since it takes nothing from others.
func (p *Practice) EndOwnToken(ctx context.Context) error {
	actor, ok := auth.From(ctx)
	if !ok || actor.Pass.Token == nil {
		return errs.New(errs.Unauthenticated, "no token is brought that could be ended")
	}
	_, err := store.Write(ctx, p.store, actor.By("account.revoke_token"), func(ctx context.Context, tx *store.Tx) (*ent.APIToken, error) {
		was, err := lockToken(ctx, tx, *actor.Pass.Token)
		if err != nil {
			return nil, err
		}
		return revoke(ctx, tx, was)
	})
	return err
}

// bucketOf returns the key of what is counted: nobody who reads the table knows what it was.
func (p *Practice) bucketOf(what string) string {
	return hex.EncodeToString(p.keys.Code("attempt\n" + what))
}
