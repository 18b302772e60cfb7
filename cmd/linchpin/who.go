package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
)

// listedAccount is an account as it is asked for. A field that the actor may not see is nil.
type listedAccount struct {
	ID, Name, Kind           string
	State, LocalName, Issuer *string
	RoleBindings             []struct {
		Role    string
		Team    *struct{ ID string }
		Sources []string
	}
	Tokens []listedToken
}

type listedToken struct {
	ID, Name, LastFour   string
	Roles                []string
	ExpiresAt, CreatedAt time.Time
	RevokedAt            *time.Time
}

const (
	askAccounts = `query($first: Int, $after: String) { accounts(first: $first, after: $after) { pageInfo { hasNextPage endCursor } nodes {
		id name kind state localName issuer roleBindings { role team { id } sources } } } }`
	askTokens = `query($first: Int, $after: String) { accounts(first: $first, after: $after) { pageInfo { hasNextPage endCursor } nodes {
		id name kind tokens { id name lastFour roles expiresAt createdAt revokedAt } } } }`
	askPolicy = `{ policy { verb mutation role inTeam owners bySource proof } }`
)

// accounts lists all accounts, by name, as a question asks for them.
func (a *answerer) accounts(ctx context.Context, question string) (all []listedAccount, err error) {
	for after := (*string)(nil); ; {
		var found struct {
			Accounts struct {
				Nodes    []listedAccount
				PageInfo pageInfo
			}
		}
		if err := a.ask(ctx, &found, question, map[string]any{"first": pageSize, "after": after}); err != nil {
			return nil, err
		}
		all = append(all, found.Accounts.Nodes...)
		if after = found.Accounts.PageInfo.EndCursor; !found.Accounts.PageInfo.HasNextPage {
			return all, nil
		}
	}
}

func listAccountsCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List accounts", Args: argsOf(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAnswerer(cmd, env, func(ctx context.Context, a *answerer) error {
				all, err := a.accounts(ctx, askAccounts)
				if err != nil {
					return err
				}
				t := table{header: []string{"ID", "KIND", "STATE", "NAME", "SIGNS IN", "ROLES"}}
				for _, of := range all {
					t.add(of.ID, of.Kind, orDash(of.State), of.Name, of.signsIn(), of.roles())
				}
				t.write(env.stdout, env.screen())
				return nil
			})
		},
	}
}

// orDash returns a text, or a dash if it is not told.
func orDash(text *string) string {
	if text == nil {
		return "-"
	}
	return *text
}

// signsIn says how an account is known.
func (of listedAccount) signsIn() string {
	switch {
	case of.LocalName != nil:
		return "as " + *of.LocalName
	case of.Issuer != nil:
		return "by " + *of.Issuer
	}
	return "-"
}

// roles says which roles an account is given.
func (of listedAccount) roles() string {
	all := make([]string, len(of.RoleBindings))
	for i, b := range of.RoleBindings {
		all[i] = b.Role
		if b.Team != nil {
			all[i] += " in " + b.Team.ID
		}
		if len(b.Sources) > 0 {
			all[i] += " of " + strings.Join(b.Sources, " and ")
		}
	}
	return cmp.Or(strings.Join(all, ", "), "-")
}

func listTokensCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the tokens that hold, those first that end first", Args: argsOf(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAnswerer(cmd, env, func(ctx context.Context, a *answerer) error {
				all, err := a.accounts(ctx, askTokens)
				if err != nil {
					return err
				}
				listTokens(env, all)
				return nil
			})
		},
	}
}

func listTokens(env *environment, accounts []listedAccount) {
	type held struct {
		listedToken
		by string
	}
	var all []held
	for _, of := range accounts {
		for _, t := range of.Tokens {
			if t.RevokedAt == nil && t.ExpiresAt.After(time.Now()) {
				all = append(all, held{t, of.Name})
			}
		}
	}
	slices.SortFunc(all, func(a, b held) int {
		return cmp.Or(a.ExpiresAt.Compare(b.ExpiresAt), a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	t := table{header: []string{"ID", "SECRET", "NAME", "ACCOUNT", "ROLES", "UNTIL"}}
	for _, h := range all {
		t.add(h.ID, "…"+h.LastFour, h.Name, h.by, strings.Join(h.Roles, ", "), h.ExpiresAt.UTC().Format(time.DateOnly))
	}
	t.write(env.stdout, env.screen())
}

func policyCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use: "policy", Short: "Print which role may do what, by this program or a server", Args: argsOf(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := env.serverAddress(cmd)
			if err != nil {
				return err
			}
			if at == "" {
				_, err := fmt.Fprint(env.stdout, auth.Policy())
				return err
			}
			a, err := onServer(env, at)
			if err != nil {
				return err
			}
			var found struct{ Policy []auth.Rule }
			if err := a.ask(cmd.Context(), &found, askPolicy, nil); err != nil {
				return err
			}
			_, err = fmt.Fprint(env.stdout, auth.Print(found.Policy))
			return err
		},
	}
	serverFlag(cmd, env)
	return cmd
}
