package issuer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Bounds of tokens.
const (
	longest    = 16 << 10 // characters
	leeway     = 30 * time.Second
	farthest   = 24 * time.Hour // how far ahead a token of a workload or a proxy expires
	mostGroups = 10_000
)

// algorithms are those that may sign; none is among them, and no shared secret.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.EdDSA}

// ErrRefused says that a token is not one of a trusted issuer for this server, or no longer.
var ErrRefused = errors.New("the token is not one of a trusted issuer for this server, or no longer")

// Caller is who a token is about.
type Caller struct {
	Profile         Profile
	Issuer, Subject string
	Account         ident.ID // of a workload: the one that it is bound to
	Scope           []string // of an access token: the words of its scope
	Name, Email     string   // of a person, shown and compared with nothing
	Groups          []string // nil if the token tells none
	SignedIn        time.Time
	Expires         time.Time
}

// claims are what a token says.
type claims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  audience `json:"aud"`
	Expires   *float64 `json:"exp"`
	NotBefore float64  `json:"nbf"`
	IssuedAt  *float64 `json:"iat"`
	AuthTime  float64  `json:"auth_time"`
	ClientID  string   `json:"client_id"`
	Scope     string   `json:"scope"`
	Name      string   `json:"name"`
	Email     string   `json:"email"`
}

// audience is one text or a list of them.
type audience []string

func (a *audience) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(a))
}

// IsToken reports whether a bearer looks like a signed token, and not like one of this server.
func IsToken(text string) bool { return strings.HasPrefix(text, "ey") && strings.Count(text, ".") == 2 }

// Know returns who a token is about that a bearer brings or, if header is not empty, a proxy in that header. Failures:
// ErrRefused, with what is behind it for the log. Cost: one signature; an unknown key asks the issuer, once in 30 s.
func (i *Issuers) Know(ctx context.Context, text, header string, now time.Time) (Caller, error) {
	refuse := func(format string, args ...any) (Caller, error) {
		return Caller{}, errors.Join(ErrRefused, fmt.Errorf(format, args...))
	}
	if i == nil || len(text) > longest {
		return refuse("a token of %d characters", len(text))
	}
	signed, err := jose.ParseSignedCompact(text, algorithms)
	if err != nil || len(signed.Signatures) != 1 {
		return refuse("it cannot be read: %w", err)
	}
	head := signed.Signatures[0].Protected
	var said claims
	if err := json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &said); err != nil {
		return refuse("its claims: %w", err)
	}
	kind, _ := head.ExtraHeaders[jose.HeaderType].(string)
	t := i.of(said.Issuer, profileOf(kind, header), header)
	if t == nil {
		return refuse("no issuer %.100q is trusted for a token of the type %.20q", said.Issuer, kind)
	}
	if !t.hasSigned(ctx, signed, head.KeyID) {
		return refuse("no key of %s has signed it", t.Issuer)
	}
	if err := t.judge(&said, now); err != nil {
		return refuse("%w", err)
	}
	c := Caller{Profile: t.Profile, Issuer: said.Issuer, Subject: said.Subject, Name: said.Name, Email: said.Email, Expires: moment(*said.Expires)}
	switch t.Profile {
	case Workload:
		at := slices.IndexFunc(t.Bindings, func(b Binding) bool { return b.Subject == said.Subject })
		if at < 0 {
			return refuse("the subject %.200q is bound to no account", said.Subject)
		}
		c.Account = t.Bindings[at].Account
	case AccessToken:
		c.Scope = strings.Fields(said.Scope)
	case Proxy:
		if c.Groups = t.groups(signed); said.AuthTime > 0 {
			c.SignedIn = moment(said.AuthTime)
		}
	}
	return c, nil
}

// profileOf returns the profile that a token of a type would be of, by how it comes.
func profileOf(kind, header string) Profile {
	switch kind = strings.TrimPrefix(strings.ToLower(kind), "application/"); {
	case header != "":
		return Proxy
	case kind == "at+jwt":
		return AccessToken
	case kind == "" || kind == "jwt":
		return Workload
	default:
		return ""
	}
}

func (i *Issuers) of(issuer string, profile Profile, header string) *Trusted {
	for _, t := range i.all {
		if t.Issuer == issuer && t.Profile == profile && http.CanonicalHeaderKey(t.Header) == http.CanonicalHeaderKey(header) {
			return t
		}
	}
	return nil
}

func (t *Trusted) hasSigned(ctx context.Context, signed *jose.JSONWebSignature, name string) bool {
	return slices.ContainsFunc(t.keys.candidates(ctx, name), func(k jose.JSONWebKey) bool {
		_, err := signed.Verify(k.Key)
		return err == nil && (k.Algorithm == "" || k.Algorithm == signed.Signatures[0].Protected.Algorithm)
	})
}

// judge returns an error if signed claims are not for this server and this time.
func (t *Trusted) judge(said *claims, now time.Time) error {
	switch {
	case !slices.Contains(said.Audience, t.Audience):
		return fmt.Errorf("it is for %.200q and not for %s", []string(said.Audience), t.Audience)
	case said.Subject == "" || said.Expires == nil:
		return errors.New("sub or exp is missing")
	case now.After(moment(*said.Expires).Add(leeway)):
		return errors.New("it has expired")
	case now.Add(leeway).Before(moment(said.NotBefore)):
		return errors.New("it does not hold yet")
	case said.IssuedAt != nil && now.Add(leeway).Before(moment(*said.IssuedAt)):
		return errors.New("it is of a later time")
	case t.Profile == AccessToken && (said.ClientID == "" || said.IssuedAt == nil):
		return errors.New("client_id or iat is missing")
	case t.Profile != AccessToken && moment(*said.Expires).After(now.Add(farthest)):
		return fmt.Errorf("it expires more than %.0f hours ahead", farthest.Hours())
	}
	return nil
}

// groups returns the groups that a signed token tells. If it tells none, it returns nil.
func (t *Trusted) groups(signed *jose.JSONWebSignature) (groups []string) {
	all := map[string]any{}
	if t.GroupsClaim == "" || json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &all) != nil {
		return nil
	}
	list, ok := all[t.GroupsClaim].([]any)
	if !ok || len(list) > mostGroups {
		return nil
	}
	groups = []string{}
	for _, g := range list {
		if name, ok := g.(string); ok {
			groups = append(groups, name)
		}
	}
	return groups
}

// moment reads a time of a token: seconds since 1970. A time that no calendar has is the far past.
func moment(seconds float64) time.Time {
	if !(seconds >= 0 && seconds < 253_402_300_800) {
		return time.Time{}
	}
	return time.UnixMicro(int64(seconds * 1e6))
}
