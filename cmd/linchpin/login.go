package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/server/signin"
)

func loginCommand(env *environment) *cobra.Command {
	var given []string
	cmd := &cobra.Command{
		Use:   "login URL",
		Short: "Be let in to a server, so that commands can ask it",
		Long: `Be let in to a server: it shows a code, which you type on a page of the server where
you have signed in, whichever way. The command line then has an API token of yours
with the roles that you name, for 30 days. It is kept, for you alone, in
linchpin/tokens.json of your configuration folder, and used for this server by each
command with --server or LINCHPIN_URL. LINCHPIN_TOKEN comes before it.

Nobody else ever needs the code: whoever asks you to type one wants to act in your
name.`,
		Example: "  linchpin login https://cmdb.example.org\n  linchpin impact orders-db --server https://cmdb.example.org",
		Args:    argsOf(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			u, err := serverURL(args[0])
			if err != nil {
				return usageError{cmd, err}
			}
			roles := auth.Roles(strings.Join(given, ","))
			if len(roles) == 0 || len(roles) != len(given) {
				return usageError{cmd, fmt.Errorf("--role %s: name roles as linchpin policy spells them", strings.Join(given, ","))}
			}
			return login(cmd.Context(), env, u.Scheme+"://"+u.Host, roles)
		},
	}
	cmd.Flags().StringSliceVar(&given, "role", []string{string(auth.Viewer)}, "a role that commands will have, of those that you have; may be repeated")
	return cmd
}

func logoutCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "logout [URL]",
		Short: "End the token that login got of a server, and forget it",
		Args:  argsOf(cobra.MaximumNArgs(1)),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		kept, err := env.keptTokens()
		if err != nil {
			return err
		}
		at := env.getenv("LINCHPIN_URL")
		if len(args) > 0 {
			at = args[0]
		}
		if at == "" {
			if at, err = kept.only(); err != nil {
				return usageError{cmd, err}
			}
		}
		u, err := serverURL(at)
		if err != nil {
			return usageError{cmd, err}
		}
		return logout(cmd.Context(), env, kept, u.Scheme+"://"+u.Host)
	}
	return cmd
}

func whoamiCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "whoami",
		Short: "Say as whom commands ask a server",
		Args:  argsOf(cobra.NoArgs),
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		at, err := env.serverAddress(cmd)
		if err != nil {
			return err
		}
		if at == "" {
			kept, err := env.keptTokens()
			if err != nil {
				return err
			}
			if at, err = kept.only(); err != nil {
				return usageError{cmd, err}
			}
		}
		a, err := onServer(env, at)
		if err != nil {
			return err
		}
		me, err := a.viewer(cmd.Context())
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(env.stdout, "%s\nServer   %s\nComes    %s\nRoles    %s\n", me.Name, a.url, me.door(), strings.Join(me.Roles, ", "))
		if me.ExpiresAt != nil {
			_, _ = fmt.Fprintf(env.stdout, "Until    %s\n", me.ExpiresAt.UTC().Format("2006-01-02 15:04 UTC"))
		}
		return nil
	}
	serverFlag(cmd, env)
	return cmd
}

// me is who a server says asks it.
type me struct {
	Name, Via string
	TokenName *string
	Roles     []string
	ExpiresAt *time.Time
}

// door says how one comes.
func (m me) door() string {
	if m.TokenName != nil {
		return fmt.Sprintf("by the token %q", *m.TokenName)
	}
	return "by " + m.Via
}

func (a *answerer) viewer(ctx context.Context) (me, error) {
	var found struct{ Viewer me }
	err := a.ask(ctx, &found, `{ viewer { name via tokenName roles expiresAt } }`, nil)
	return found.Viewer, err
}

// device is what a server tells a command line that asks to be let in, spelled as RFC 8628 spells it.
type device struct {
	Code      string `json:"user_code"`
	Token     string `json:"device_code"`
	ExpiresIn int    `json:"expires_in"`
	Interval  int    `json:"interval"`
	Error     string `json:"error"`
	Says      string `json:"error_description"`
}

// login asks to be let in, waits for it, and keeps the token.
func login(ctx context.Context, env *environment, at string, roles []auth.Role) error {
	kept, err := env.keptTokens()
	if err != nil {
		return err
	}
	a, err := onServer(env, at)
	if err != nil {
		return err
	}
	a.token = ""
	host, err := os.Hostname()
	if err != nil {
		host = "a machine without a name"
	}
	named := make([]string, len(roles))
	for i, role := range roles {
		named[i] = string(role)
	}
	var d device
	status, err := a.form(ctx, "/begin", url.Values{"host": {host}, "role": named}, &d)
	switch {
	case err != nil:
		return err
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed:
		return fmt.Errorf("%s lets no command lines in: nobody signs in there, or --device-sign-in is false", at)
	case d.Code == "" || d.Token == "":
		return fmt.Errorf("%s lets no command line in now: %s", at, said(d, status))
	}
	_, _ = fmt.Fprintf(env.stdout, "Open %s%s, sign in, and type this code within %d minutes:\n\n    %s\n\n", at, signin.DevicePath, d.ExpiresIn/60, d.Code)
	if err := a.await(ctx, &d); err != nil {
		return err
	}
	before := kept.Servers[at]
	a.token = d.Token
	me, err := a.viewer(ctx)
	if err != nil {
		return err
	}
	kept.Servers[at] = d.Token
	if err := kept.write(); err != nil {
		return err
	}
	if before != "" { // nobody would know any more that it holds
		_, _ = (&answerer{client: a.client, url: at, token: before}).form(ctx, "/end", nil, &struct{}{})
	}
	until := ""
	if me.ExpiresAt != nil {
		until = " until " + me.ExpiresAt.UTC().Format(time.DateOnly)
	}
	_, _ = fmt.Fprintf(env.stdout, "%s acts as %s with %s%s.\n", host, me.Name, strings.Join(me.Roles, ", "), until)
	return nil
}

func said(d device, status int) string {
	if d.Says != "" {
		return d.Says
	}
	if d.Error != "" {
		return d.Error
	}
	return "it answers " + http.StatusText(status)
}

// await asks until the command line is let in, or no more.
func (a *answerer) await(ctx context.Context, d *device) error {
	end := time.Now().Add(time.Duration(d.ExpiresIn) * time.Second)
	pause := time.Duration(max(d.Interval, 1)) * time.Second
	for time.Now().Before(end) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		var answer device
		status, err := a.form(ctx, "/token", url.Values{"device_code": {d.Token}}, &answer)
		switch {
		case err == nil && status == http.StatusOK:
			return nil
		case err == nil && answer.Error == "expired_token":
			return errors.New("nobody was let in: the code was refused, or its time is over")
		case ctx.Err() != nil:
			return ctx.Err()
		}
		// It waits still, or the server is away for a moment.
	}
	return errors.New("nobody was let in: the time of the code is over")
}

// form sends a form to the pages of command lines, and reads what is answered.
func (a *answerer) form(ctx context.Context, path string, form url.Values, v any) (status int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url+signin.DevicePath+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if a.token != "" {
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	response, err := a.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, mostOfAnswer))
	if err == nil && len(text) > 0 && strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		err = json.Unmarshal(text, v)
	}
	return response.StatusCode, err
}

// logout ends the token of a server, and forgets it. If the server does not answer, it is forgotten all the same.
func logout(ctx context.Context, env *environment, kept *keptTokens, at string) error {
	token, ok := kept.Servers[at]
	if !ok {
		return fmt.Errorf("no token of %s is kept here", at)
	}
	a, err := onServer(env, at)
	if err != nil {
		return err
	}
	a.token = token
	status, ended := a.form(ctx, "/end", nil, &struct{}{})
	delete(kept.Servers, at)
	if err := kept.write(); err != nil {
		return err
	}
	switch {
	case ended != nil:
		return fmt.Errorf("the token is forgotten here, and holds at %s until it is revoked there: %w", at, ended)
	case status != http.StatusNoContent && status != http.StatusUnauthorized:
		return fmt.Errorf("the token is forgotten here, and holds at %s until it is revoked there: it answers %s", at, http.StatusText(status))
	}
	_, _ = fmt.Fprintf(env.stdout, "Nobody acts by the token of %s any more.\n", at)
	return nil
}
