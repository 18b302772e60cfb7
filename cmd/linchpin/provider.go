package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/issuer"
	"github.com/linchpin-cmdb/linchpin/internal/auth/provider"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
)

// oidc are the flags of the provider by which people sign in.
type oidc struct {
	provider.Config
	secretFile, adminGroup string
	issuersFile            string
	devices                bool // people let command lines in
}

// flags adds the flags to a set.
func (o *oidc) flags(set *pflag.FlagSet) {
	set.StringVar(&o.Issuer, "oidc-issuer", "", "an OpenID provider by which people sign in, such as https://id.example.org; its callback is /auth/callback of the public URL")
	set.StringVar(&o.ClientID, "oidc-client-id", "", "the name by which the provider knows this server")
	set.StringVar(&o.secretFile, "oidc-client-secret-file", "", "a file with the secret that the server shares with the provider")
	set.StringVar(&o.GroupsClaim, "oidc-groups-claim", "groups", "the claim that has a person's groups")
	set.StringVar(&o.issuersFile, "trusted-issuers", "", "a file that names who else signs for callers: authorization servers, clusters and CI systems, proxies (docs/deploying.md)")
	set.BoolVar(&o.devices, "device-sign-in", true, "people let command lines in, by linchpin login and a code that they type")
	set.StringVar(&o.adminGroup, "admin-group", "", "a group of the provider whose members are admins")
}

// check returns an error if the values cannot be meant, and reads the secret.
func (o *oidc) check() error {
	if o.Issuer == "" {
		if o.ClientID != "" || o.secretFile != "" || o.adminGroup != "" {
			return errors.New("--oidc-client-id, --oidc-client-secret-file and --admin-group need --oidc-issuer")
		}
		return nil
	}
	if err := o.Check(); err != nil {
		return fmt.Errorf("--oidc-issuer: %w", err)
	}
	if o.secretFile != "" {
		text, err := os.ReadFile(o.secretFile)
		if err != nil {
			return fmt.Errorf("--oidc-client-secret-file: %w", err)
		}
		o.ClientSecret = strings.TrimSpace(string(text))
	}
	return nil
}

// trust lets a server at an address know callers by the tokens of trusted issuers.
func (o *oidc) trust(a *app.App, at string) (err error) {
	if o.issuersFile != "" {
		a.Identity.Issuers, err = issuer.Read(o.issuersFile, at, o.Issuer)
	}
	if err != nil {
		return fmt.Errorf("--trusted-issuers: %w", err)
	}
	return nil
}

// open returns the provider for a server at an address, and binds its group of admins. If none is named, it returns
// nil.
func (o *oidc) open(ctx context.Context, a *app.App, keys *secret.Keys, at string) (*provider.Provider, error) {
	if o.Issuer == "" {
		return nil, nil
	}
	c := o.Config
	c.Redirect, c.Home = at+"/auth/callback", at+"/auth/sign-in"
	if o.adminGroup != "" {
		if _, err := a.Identity.BindGroup(auth.With(ctx, operator()), c.Issuer, o.adminGroup, auth.Admin); err != nil {
			return nil, err
		}
	}
	return provider.New(c, keys), nil
}
