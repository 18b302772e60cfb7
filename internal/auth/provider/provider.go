// Package provider signs people in by an OpenID provider: the code flow with PKCE. It refuses whatever the provider has
// not signed for this server and this browser, and to know what anybody may do.
package provider

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
)

// Bounds of what a provider may take.
const (
	patience  = 5 * time.Second // for an answer
	mostBytes = 1 << 20         // of an answer
	// Window is how long a person may take to sign in at the provider.
	Window = 10 * time.Minute
	// longAgo is how long ago a person may have signed in at the provider to come in here, and askedAnew how long if
	// they are in already and come to sign in once more.
	longAgo    = 12 * time.Hour
	askedAnew  = 15 * time.Minute
	clockDrift = 30 * time.Second
	// logoutWindow is how old what a provider says of a session's end may be.
	logoutWindow = 5 * time.Minute
)

// algorithms are those that may sign; none is among them, and no shared secret.
var algorithms = []string{oidc.RS256, oidc.PS256, oidc.ES256, oidc.EdDSA}

// ErrRefused says that an answer is not one to this browser, or not the provider's.
var ErrRefused = errors.New("the answer of the provider does not belong to this browser")

// ErrDown says that the provider does not answer.
var ErrDown = errors.New("the provider does not answer")

// Config is what is agreed with a provider.
type Config struct {
	Alias                          string // by which it is told from others here; "" if it needs none
	Issuer, ClientID, ClientSecret string
	PersonClaim                    string // of what never changes of a person; "" if nobody is known by one
	GroupsClaim                    string // of the ID token, or of userinfo
	Redirect                       string // where the provider sends browsers back to
	Home                           string // where it sends them after they have signed out
}

// Check returns an error if an issuer cannot be asked: it has to be one, and encrypted unless it is on this machine.
func (c Config) Check() error {
	u, err := url.Parse(c.Issuer)
	switch {
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("the issuer %q: it is a URL, such as https://id.example.org", c.Issuer)
	case strings.Contains(c.Issuer, "{") || slices.Contains(strings.Split(u.Path, "/"), "common") || slices.Contains(strings.Split(u.Path, "/"), "organizations"):
		return fmt.Errorf("the issuer %q is that of many organisations: name the one of yours", c.Issuer)
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return fmt.Errorf("the issuer %q: it begins with https://", c.Issuer)
	case c.ClientID == "":
		return errors.New("the provider knows this server by a client id: give it")
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Provider is an OpenID provider. It is asked about itself when the first person comes.
type Provider struct {
	config Config
	keys   *secret.Keys
	client *http.Client

	mu    sync.Mutex
	found *oidc.Provider
}

// New returns the provider of a config that has been checked. Keys seal what a browser keeps between the two steps.
func New(c Config, keys *secret.Keys) *Provider {
	return &Provider{config: c, keys: keys, client: &http.Client{
		Timeout: patience, Transport: bounded{&http.Transport{Proxy: http.ProxyFromEnvironment}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("a provider does not redirect") },
	}}
}

// bounded cuts answers off.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		response.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(response.Body, mostBytes), response.Body}
	}
	return response, err
}

// Alias returns by what the provider is told from others here.
func (p *Provider) Alias() string { return p.config.Alias }

// Issuer returns who the provider is.
func (p *Provider) Issuer() string { return p.config.Issuer }

// Origin returns the origin of the provider's pages, to which signing out may lead.
func (p *Provider) Origin() string {
	u, err := url.Parse(p.config.Issuer)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// about returns what the provider says of itself, and asks it once.
func (p *Provider) about(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	// The context of keys lives as long as the provider.
	found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.client), p.config.Issuer)
	if err != nil {
		return nil, errors.Join(ErrDown, err)
	}
	p.found = found
	return found, nil
}

func (p *Provider) exchange(found *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, RedirectURL: p.config.Redirect, Endpoint: found.Endpoint(), Scopes: []string{oidc.ScopeOpenID, "profile", "email"}}
}

// begun is what a browser keeps, sealed, between the two steps.
type begun struct {
	Issuer, State, Nonce, Verifier, Return string
	Until                                  time.Time
}

// Begin returns where to send a browser to, and what it keeps until it comes back. The provider is asked to have the
// person sign in anew if that was long ago, for one who is in already if it was not just now, and has to tell when it
// was.
func (p *Provider) Begin(ctx context.Context, back string, isIn bool) (to, kept string, err error) {
	found, err := p.about(ctx)
	if err != nil {
		return "", "", err
	}
	b := begun{p.config.Issuer, rand.Text(), rand.Text(), oauth2.GenerateVerifier(), back, time.Now().Add(Window)}
	plain, err := json.Marshal(b)
	if err != nil {
		return "", "", err
	}
	age := longAgo
	if isIn {
		age = askedAnew
	}
	maxAge := oauth2.SetAuthURLParam("max_age", strconv.Itoa(int(age.Seconds())))
	return p.exchange(found).AuthCodeURL(b.State, oidc.Nonce(b.Nonce), oauth2.S256ChallengeOption(b.Verifier), maxAge), p.keys.Seal(plain), nil
}

// Person is who has signed in, as the provider says.
type Person struct {
	Issuer, Subject string // who it is
	Name, Email     string // shown, and compared with nothing
	Groups          []string
	HasGroups       bool               // the provider told them: absent is not none
	SID             string             // the provider's name of the session
	Known           domain.ExternalKey // of the person, by the claim that never changes; of none, its key is ""
	SignedIn        time.Time          // at the provider; zero if it does not tell
}

// Finish returns who has signed in, and where to go on: from the query of the callback and what the browser kept.
// Failures: ErrRefused and ErrDown, with what is behind them for the log.
func (p *Provider) Finish(ctx context.Context, query url.Values, kept string) (who Person, back string, err error) {
	plain, ok := p.keys.Unseal(kept)
	var b begun
	if !ok || json.Unmarshal(plain, &b) != nil || time.Now().After(b.Until) || b.Issuer != p.config.Issuer {
		return who, "", errors.Join(ErrRefused, errors.New("no sign-in was begun in this browser, or too long ago"))
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(b.State)) != 1:
		return who, "", errors.Join(ErrRefused, errors.New("another state"))
	case query.Has("iss") && query.Get("iss") != p.config.Issuer:
		return who, "", errors.Join(ErrRefused, errors.New("another issuer"))
	case query.Get("code") == "":
		return who, "", errors.Join(ErrRefused, fmt.Errorf("no code: %.100q", query.Get("error")))
	}
	found, err := p.about(ctx)
	if err != nil {
		return who, "", err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	tokens, err := p.exchange(found).Exchange(ctx, query.Get("code"), oauth2.VerifierOption(b.Verifier))
	if refused := (*oauth2.RetrieveError)(nil); errors.As(err, &refused) {
		return who, "", errors.Join(ErrRefused, fmt.Errorf("the provider refuses the code: %.100q", refused.ErrorCode))
	} else if err != nil {
		return who, "", errors.Join(ErrDown, err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	id, err := found.VerifierContext(ctx, &oidc.Config{ClientID: p.config.ClientID, SupportedSigningAlgs: algorithms}).Verify(ctx, raw)
	if err != nil {
		return who, "", errors.Join(ErrRefused, err)
	}
	claims := map[string]any{}
	if err := id.Claims(&claims); err != nil {
		return who, "", errors.Join(ErrRefused, err)
	}
	switch azp, hasParty := claims["azp"].(string); {
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(b.Nonce)) != 1:
		return who, "", errors.Join(ErrRefused, errors.New("another nonce"))
	case hasParty && azp != p.config.ClientID, len(id.Audience) > 1 && !hasParty:
		return who, "", errors.Join(ErrRefused, errors.New("for another client"))
	case id.Subject == "":
		return who, "", errors.Join(ErrRefused, errors.New("no subject"))
	}
	if at, ok := claims["auth_time"]; ok {
		if seconds, isNumber := at.(float64); !isNumber || seconds > float64(time.Now().Add(clockDrift).Unix()) {
			return who, "", errors.Join(ErrRefused, fmt.Errorf("signed in at %.40v", at))
		}
	}
	who = p.person(id.Subject, claims)
	if (!who.HasGroups || who.Name == "") && found.UserInfoEndpoint() != "" { // many tell no more than the subject at first
		if info, err := found.UserInfo(ctx, oauth2.StaticTokenSource(tokens)); err == nil && info.Subject == id.Subject {
			more := map[string]any{}
			if info.Claims(&more) == nil {
				for name, value := range more {
					if _, ok := claims[name]; !ok {
						claims[name] = value
					}
				}
				who = p.person(id.Subject, claims)
			}
		}
	}
	return who, b.Return, nil
}

// person reads who the claims are about. Groups that stand elsewhere, as providers say of too many, are not told.
func (p *Provider) person(subject string, claims map[string]any) Person {
	text := func(name string) string { s, _ := claims[name].(string); return s }
	who := Person{Issuer: p.config.Issuer, Subject: subject, Email: text("email"), SID: text("sid")}
	if at, ok := claims["auth_time"].(float64); ok {
		who.SignedIn = time.Unix(int64(at), 0)
	}
	for _, name := range []string{"name", "preferred_username", "nickname"} {
		if who.Name == "" {
			who.Name = text(name)
		}
	}
	if p.config.PersonClaim != "" {
		who.Known = domain.ExternalKey{Source: Source(p.config.Alias), ExternalID: strings.TrimSpace(text(p.config.PersonClaim))}
	}
	if list, ok := claims[p.config.GroupsClaim].([]any); ok && p.config.GroupsClaim != "" {
		who.HasGroups, who.Groups = true, []string{}
		for _, g := range list {
			if name, ok := g.(string); ok {
				who.Groups = append(who.Groups, name)
			}
		}
	}
	return who
}

// Source returns the source whose keys are the people of a provider: its reports say whose an account is.
func Source(alias string) string { return "oidc:" + cmp.Or(alias, "default") }

// Ended is a session that a provider says has ended: one, or all of a person.
type Ended struct {
	Subject, SID string
	At           time.Time
}

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// Logout reads the token by which the provider says that a session has ended. Failures: ErrRefused and ErrDown.
func (p *Provider) Logout(ctx context.Context, token string) (e Ended, err error) {
	found, err := p.about(ctx)
	if err != nil {
		return e, err
	}
	head, _, _ := strings.Cut(token, ".")
	if kind := typeOf(head); kind != "" && !strings.EqualFold(kind, "logout+jwt") {
		return e, errors.Join(ErrRefused, fmt.Errorf("a token of the type %.40q", kind))
	}
	ctx = oidc.ClientContext(ctx, p.client)
	said, err := found.VerifierContext(ctx, &oidc.Config{ClientID: p.config.ClientID, SupportedSigningAlgs: algorithms, SkipExpiryCheck: true}).Verify(ctx, token)
	if err != nil {
		return e, errors.Join(ErrRefused, err)
	}
	var claims struct {
		Events map[string]any `json:"events"`
		Nonce  *string        `json:"nonce"`
		SID    string         `json:"sid"`
	}
	if err := said.Claims(&claims); err != nil {
		return e, errors.Join(ErrRefused, err)
	}
	_, ok := claims.Events[logoutEvent]
	if age := time.Since(said.IssuedAt); !ok || claims.Nonce != nil || said.Subject == "" && claims.SID == "" || age > logoutWindow || age < -logoutWindow {
		return e, errors.Join(ErrRefused, errors.New("no token of a logout, or an old one"))
	}
	return Ended{said.Subject, claims.SID, said.IssuedAt}, nil
}

// SignOutURL returns where a browser signs out of the provider too. If the provider has no such page, it returns "".
func (p *Provider) SignOutURL(ctx context.Context) string {
	found, err := p.about(ctx)
	if err != nil {
		return ""
	}
	var more struct {
		End string `json:"end_session_endpoint"`
	}
	if err := found.Claims(&more); err != nil || more.End == "" {
		return ""
	}
	u, err := url.Parse(more.End)
	if err != nil {
		return ""
	}
	query := u.Query()
	query.Set("client_id", p.config.ClientID)
	query.Set("post_logout_redirect_uri", p.config.Home)
	u.RawQuery = query.Encode()
	return u.String()
}
