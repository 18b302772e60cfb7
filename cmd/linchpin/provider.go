package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/issuer"
	"github.com/linchpin-cmdb/linchpin/internal/auth/provider"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
	"github.com/linchpin-cmdb/linchpin/internal/practice/identity"
	"github.com/linchpin-cmdb/linchpin/internal/server/signin"
)

// agreed is a provider as the flags or the file name it.
type agreed struct {
	Alias       string `json:"alias"`
	Issuer      string `json:"issuer"`
	ClientID    string `json:"clientId"`
	SecretFile  string `json:"clientSecretFile"`
	GroupsClaim string `json:"groupsClaim"`
	PersonClaim string `json:"personClaim"`
	AdminGroup  string `json:"adminGroup"`

	secret string
}

// oidc are the flags of the providers by which people sign in.
type oidc struct {
	one         agreed
	file        string
	all         []agreed
	issuersFile string
	devices     bool          // people let command lines in
	tokens      time.Duration // for how long one holds at most
	local       string        // who signs in by a password
}

// flags adds the flags to a set.
func (o *oidc) flags(set *pflag.FlagSet) {
	set.StringVar(&o.one.Issuer, "oidc-issuer", "", "an OpenID provider by which people sign in, such as https://id.example.org; its callback is /auth/callback of the public URL")
	set.StringVar(&o.one.ClientID, "oidc-client-id", "", "the name by which the provider knows this server")
	set.StringVar(&o.one.SecretFile, "oidc-client-secret-file", "", "a file with the secret that the server shares with the provider")
	set.StringVar(&o.one.GroupsClaim, "oidc-groups-claim", "groups", "the claim that has a person's groups")
	set.StringVar(&o.one.PersonClaim, "oidc-person-claim", "", "a claim that never changes, such as employee_id, by which people of the source oidc:default are known")
	set.StringVar(&o.file, "oidc-providers", "", "a file that names several providers (docs/deploying.md)")
	set.StringVar(&o.issuersFile, "trusted-issuers", "", "a file that names who else signs for callers: authorization servers, clusters and CI systems, proxies (docs/deploying.md)")
	set.BoolVar(&o.devices, "device-sign-in", true, "people let command lines in, by linchpin login and a code that they type")
	set.StringVar(&o.local, "local-sign-in", string(identity.LocalOn), "who signs in by a password that this server keeps: on, admins or off; links that linchpin account link makes lead in with all three")
	set.DurationVar(&o.tokens, "token-max-age", identity.LongestTerm, "for how long a token that is made from now on holds at most: whole days, 24h to 8784h")
	set.StringVar(&o.one.AdminGroup, "admin-group", "", "a group of the provider whose members are admins")
}

// check returns an error if the values cannot be meant. It reads the file of providers, and the secrets.
func (o *oidc) check() error {
	if o.tokens < identity.ShortestTerm || o.tokens > identity.LongestTerm || o.tokens%identity.ShortestTerm != 0 {
		return fmt.Errorf("--token-max-age is %v: whole days, 24h to 8784h", o.tokens)
	}
	if o.one.Issuer != "" {
		if err := o.one.check(); err != nil {
			return fmt.Errorf("--oidc-issuer: %w", err)
		}
		o.all = append(o.all, o.one)
	} else if o.one.ClientID != "" || o.one.SecretFile != "" || o.one.AdminGroup != "" || o.one.PersonClaim != "" {
		return errors.New("--oidc-client-id, --oidc-client-secret-file, --oidc-person-claim and --admin-group need --oidc-issuer")
	}
	if o.file != "" {
		if err := o.read(); err != nil {
			return fmt.Errorf("--oidc-providers %s: %w", o.file, err)
		}
	}
	switch identity.LocalSignIn(o.local) {
	case identity.LocalOn:
	case identity.LocalAdmins, identity.LocalOff:
		if len(o.all) == 0 {
			return fmt.Errorf("--local-sign-in %s needs --oidc-issuer or --oidc-providers, by which everybody else signs in", o.local)
		}
	default:
		return fmt.Errorf("--local-sign-in is %q: on, admins or off", o.local)
	}
	return nil
}

var aliases = regexp.MustCompile(`^[a-z][a-z0-9-]{0,29}$`)

// read reads the file of providers.
func (o *oidc) read() error {
	text, err := os.ReadFile(o.file)
	if err != nil {
		return err
	}
	from := json.NewDecoder(bytes.NewReader(text))
	from.DisallowUnknownFields()
	var list []agreed
	if err := from.Decode(&list); err != nil {
		return fmt.Errorf(`%w: it holds a list, such as [{"alias": "staff", "issuer": "https://id.example.org", "clientId": "linchpin", "clientSecretFile": "/etc/linchpin/oidc-secret"}]`, err)
	}
	if from.More() {
		return errors.New("there is something behind the list")
	}
	for i, n := range list {
		n.GroupsClaim = cmp.Or(n.GroupsClaim, "groups")
		err := n.check()
		switch {
		case err != nil:
		case !aliases.MatchString(n.Alias) || n.Alias == "default":
			err = fmt.Errorf("the alias %q: it is 1 to 30 of a-z, 0-9 and -, begins with a letter, and is not default", n.Alias)
		case slices.ContainsFunc(o.all, func(other agreed) bool { return other.Alias == n.Alias || other.Issuer == n.Issuer }):
			err = fmt.Errorf("the alias %q or its issuer is named before", n.Alias)
		}
		if err != nil {
			return fmt.Errorf("entry %d: %w", i+1, err)
		}
		o.all = append(o.all, n)
	}
	return nil
}

// check returns an error if a provider cannot be meant, and reads its secret.
func (n *agreed) check() error {
	if err := n.config("").Check(); err != nil {
		return err
	}
	if n.SecretFile == "" {
		return nil
	}
	text, err := os.ReadFile(n.SecretFile)
	if err != nil {
		return fmt.Errorf("the file of the client's secret: %w", err)
	}
	n.secret = strings.TrimSpace(string(text))
	return nil
}

// config returns what is agreed with the provider, for a server at an address.
func (n *agreed) config(at string) provider.Config {
	return provider.Config{
		Alias: n.Alias, Issuer: n.Issuer, ClientID: n.ClientID, ClientSecret: n.secret, GroupsClaim: n.GroupsClaim, PersonClaim: n.PersonClaim,
		Redirect: at + signin.CallbackPath(n.Alias), Home: at + "/auth/sign-in",
	}
}

// trust lets a server at an address know callers by the tokens of trusted issuers, and bounds its own.
func (o *oidc) trust(a *app.App, at string) (err error) {
	a.Identity.LongestToken, a.Identity.Local = o.tokens, identity.LocalSignIn(o.local)
	var signIn []string
	for _, n := range o.all {
		signIn = append(signIn, n.Issuer)
	}
	if o.issuersFile != "" {
		a.Identity.Issuers, err = issuer.Read(o.issuersFile, at, signIn...)
	}
	if err != nil {
		return fmt.Errorf("--trusted-issuers: %w", err)
	}
	return nil
}

// open returns the providers for a server at an address, and binds their groups of admins.
func (o *oidc) open(ctx context.Context, a *app.App, keys *secret.Keys, at string) (all []*provider.Provider, err error) {
	for _, n := range o.all {
		if n.AdminGroup != "" {
			if _, err := a.Identity.BindGroup(auth.With(ctx, operator()), n.Issuer, n.AdminGroup, auth.Admin); err != nil {
				return nil, err
			}
		}
		all = append(all, provider.New(n.config(at), keys))
	}
	return all, nil
}
