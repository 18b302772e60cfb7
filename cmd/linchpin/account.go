package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/account"
	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/identity"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// keys reads the keys of an installation from --key-file. Without it, those of an SQLite database lie beside its file,
// and are made at the first start; PostgreSQL is refused.
func (env *environment) keys(database string) (*secret.Keys, error) {
	if env.keyFile != "" {
		return secret.Read(env.keyFile)
	}
	path, isFile := strings.CutPrefix(database, "sqlite:")
	if !isFile {
		return nil, errors.New("a PostgreSQL database needs --key-file, which all its servers share: openssl rand -base64 32 writes one; or say --dev, and nobody signs in")
	}
	return secret.ReadOrMake(path + ".key")
}

// knownKeys reads the keys of an installation as keys does, but makes none. If there are none, it returns nil.
func (env *environment) knownKeys(database string) (*secret.Keys, error) {
	path, isFile := strings.CutPrefix(database, "sqlite:")
	if env.keyFile == "" && !isFile {
		return nil, nil
	}
	keys, err := secret.Read(cmp.Or(env.keyFile, path+".key"))
	if env.keyFile == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return keys, err
}

// onAccounts runs do on the database itself, in the name of the command: cli and the user of the system.
func onAccounts(env *environment, do func(ctx context.Context, a *app.App, words []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, words []string) error {
		if env.server != "" {
			return usageError{cmd, fmt.Errorf("no token does this: it is done on the database itself, or by mutations of a person who has signed in at %s", env.server)}
		}
		database, err := env.address()
		if err != nil {
			return err
		}
		a, err := app.Open(cmd.Context(), database, newLog(env))
		if err != nil {
			return err
		}
		keys, err := env.keys(database)
		if err == nil {
			err = a.Trust(keys)
		}
		if err == nil {
			err = do(auth.With(cmd.Context(), operator()), a, words)
		}
		return errors.Join(err, a.Close())
	}
}

// accountOf returns the account that a word means: its id, the name that it signs in with, or the one with a name.
func accountOf(ctx context.Context, a *app.App, word string) (*ent.Account, error) {
	q := a.Store.Read.Account.Query()
	if id, err := ident.Parse(word); err == nil && id.Kind() == ident.Account {
		q.Where(account.ID(id))
	} else {
		q.Where(account.Or(account.LocalName(store.Folded(word)), account.Name(word)))
	}
	found, err := q.Limit(2).All(ctx)
	switch {
	case err != nil:
		return nil, store.Translate(err)
	case len(found) == 0:
		return nil, fmt.Errorf("there is no account %q: linchpin account list shows all", word)
	case len(found) > 1:
		return nil, fmt.Errorf("several accounts are %q: name one by its id, as linchpin account list shows it", word)
	}
	return found[0], nil
}

func accountCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{Use: "account", Short: "Look after accounts on the database itself, or list those of a server", Args: argsOf(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	persistentServerFlag(cmd, env)
	var given, sources []string
	service := &cobra.Command{
		Use: "service NAME", Short: "Make the account of a program, which acts by tokens", Args: argsOf(cobra.ExactArgs(1)),
		Example: "  linchpin account service importer --role INTEGRATOR --source kubernetes",
		RunE: onAccounts(env, func(ctx context.Context, a *app.App, words []string) error {
			made, err := a.Identity.CreateServiceAccount(ctx, identity.CreateServiceAccount{Name: words[0], Roles: auth.Roles(strings.Join(given, ",")), Sources: sources})
			if err == nil {
				_, _ = fmt.Fprintf(env.stdout, "%s  %s\n", made.ID, made.Name)
			}
			return err
		}),
	}
	var issuer string
	group := &cobra.Command{
		Use: "group GROUP", Short: "Give roles to the members of a group of an OpenID provider", Args: argsOf(cobra.ExactArgs(1)),
		Example: "  linchpin account group cmdb-editors --issuer https://id.example.org --role CATALOG_EDITOR",
		RunE: onAccounts(env, func(ctx context.Context, a *app.App, words []string) error {
			roles := auth.Roles(strings.Join(given, ","))
			if issuer == "" || len(roles) == 0 || len(roles) != len(given) {
				return errors.New("name the --issuer of the group, and a --role for its members, as linchpin policy spells them")
			}
			for _, role := range roles {
				bound, err := a.Identity.BindGroup(ctx, issuer, words[0], role)
				if err != nil {
					return err
				}
				_, _ = fmt.Fprintf(env.stdout, "%s  %s  %s\n", bound.ID, words[0], role)
			}
			return nil
		}),
	}
	group.Flags().StringVar(&issuer, "issuer", "", "the provider, as --oidc-issuer names it")
	group.Flags().StringSliceVar(&given, "role", nil, "a role that its members have; may be repeated")
	service.Flags().StringSliceVar(&sources, "source", nil, "a source whose reports it brings in, of an INTEGRATOR; may be repeated")
	service.Flags().StringSliceVar(&given, "role", nil, "a role that it has; may be repeated")
	cmd.AddCommand(
		listAccountsCommand(env), service, group,
		&cobra.Command{
			Use: "link ACCOUNT", Short: "Make a link by which a person sets a new password", Args: argsOf(cobra.ExactArgs(1)),
			Long: "Make a link by which the person of an account sets a new password within 10 minutes. It works whatever else does.",
			RunE: onAccounts(env, func(ctx context.Context, a *app.App, words []string) error {
				of, err := accountOf(ctx, a, words[0])
				if err != nil {
					return err
				}
				made, err := a.Identity.BreakGlass(ctx, of.ID)
				if err == nil {
					_, _ = fmt.Fprintf(env.stdout, "%s%s\n", env.serverURL(), identity.LinkPath(*made.Secret))
				}
				return err
			}),
		},
		&cobra.Command{Use: "disable ACCOUNT", Short: "Keep an account from doing anything", Args: argsOf(cobra.ExactArgs(1)), RunE: onAccounts(env, func(ctx context.Context, a *app.App, words []string) error {
			of, err := accountOf(ctx, a, words[0])
			if err == nil {
				_, err = a.Identity.Disable(ctx, identity.DisableAccount{ID: of.ID})
			}
			return err
		})},
		&cobra.Command{Use: "enable ACCOUNT", Short: "Let a disabled account act again", Args: argsOf(cobra.ExactArgs(1)), RunE: onAccounts(env, func(ctx context.Context, a *app.App, words []string) error {
			of, err := accountOf(ctx, a, words[0])
			if err == nil {
				_, err = a.Identity.Enable(ctx, identity.EnableAccount{ID: of.ID})
			}
			return err
		})},
		accountErase(env),
	)
	return cmd
}

func accountErase(env *environment) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "erase ACCOUNT", Short: "Take the name of an account and of its person out of all that is kept of them, for good", Args: argsOf(cobra.ExactArgs(1)),
		Long: `Take the name and the address of an account and of its person out of both records
and their past, and out of what the account wrote or signed, for good. What was
done, when, and by which account stays, and the chain of the journal holds. Texts
that people wrote stay: linchpin journal redact takes comments out one by one. So
does what sources report: take the person out of them first. Backups and exports
keep what they have. On PostgreSQL the owner of the tables runs it.`,
		Example: "  linchpin account erase olga --reason 'asked for it on 2026-11-30'",
		RunE: onAccounts(env, func(ctx context.Context, a *app.App, words []string) error {
			of, err := accountOf(ctx, a, words[0])
			if err != nil {
				return err
			}
			if _, err = a.Identity.Erase(ctx, identity.EraseAccount{ID: of.ID, Reason: reason}); err == nil {
				_, _ = fmt.Fprintf(env.stdout, "%s is erased.\n", of.ID)
			}
			return err
		}),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, as the journal keeps it; it names nobody")
	return cmd
}

func tokenCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{Use: "token", Short: "Look after API tokens on the database itself, or list those of a server", Args: argsOf(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	persistentServerFlag(cmd, env)
	var given []string
	var days int
	create := &cobra.Command{
		Use: "create ACCOUNT NAME", Short: "Make a token of a service account, and print it once", Args: argsOf(cobra.ExactArgs(2)),
		Example: "  linchpin token create importer nightly --role INTEGRATOR",
		RunE: onAccounts(env, func(ctx context.Context, a *app.App, words []string) error {
			of, err := accountOf(ctx, a, words[0])
			if err != nil {
				return err
			}
			lasts := time.Duration(min(days, 10_000)) * 24 * time.Hour
			made, err := a.Identity.CreateToken(ctx, identity.CreateToken{Account: &of.ID, Name: words[1], Roles: auth.Roles(strings.Join(given, ",")), ExpiresIn: &lasts})
			if err == nil {
				_, _ = fmt.Fprintln(env.stdout, *made.Secret)
			}
			return err
		}),
	}
	create.Flags().StringSliceVar(&given, "role", nil, "a role that it has, of those of the account; may be repeated")
	create.Flags().IntVar(&days, "days", 90, "how long it holds: 1 to 366")
	cmd.AddCommand(create, listTokensCommand(env), &cobra.Command{
		Use: "revoke TOKEN", Short: "End a token, named by its id", Args: argsOf(cobra.ExactArgs(1)),
		RunE: onAccounts(env, func(ctx context.Context, a *app.App, words []string) error {
			id, err := ident.Parse(words[0])
			if err != nil {
				return err
			}
			_, err = a.Identity.RevokeToken(ctx, identity.RevokeToken{ID: id})
			return err
		}),
	})
	return cmd
}

// serverURL returns where people find the server: as the environment says, or on this machine.
func (env *environment) serverURL() string {
	if public := env.getenv("LINCHPIN_PUBLIC_URL"); public != "" {
		return strings.TrimSuffix(public, "/")
	}
	return "http://" + env.listen
}
