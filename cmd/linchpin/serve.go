package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/provider"
	"github.com/linchpin-cmdb/linchpin/internal/demo"
	"github.com/linchpin-cmdb/linchpin/internal/practice/identity"
	"github.com/linchpin-cmdb/linchpin/internal/safe"
	"github.com/linchpin-cmdb/linchpin/internal/server"
	"github.com/linchpin-cmdb/linchpin/internal/server/persisted"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/tracing"
)

func serveCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Start the server with GraphiQL",
		Long: `Start the server: GraphQL at /graphql, GraphiQL at /.

The database is created and brought to the newest version when needed. The server
listens on loopback. Beyond, it starts where connections are encrypted: with
--public-url and either --tls-cert and --tls-key, or --trusted-proxy, behind a
proxy that ends TLS. docs/deploying.md shows both. People sign in by name and password, and programs by
API tokens, in the header Authorization: Bearer. A database without accounts is
set up by the link that the start prints. The root key, by which secrets are kept
as codes, is in --key-file or beside the SQLite file, and belongs into its backup.

With --dev, which --demo says too, nobody signs in, and requests say themselves
who makes them:

  Linchpin-Actor   a name; dev when it is absent
  Linchpin-Roles   any of VIEWER, OPERATOR, CHANGE_MANAGER, CATALOG_EDITOR and
                   ADMIN, with commas between them; ADMIN when it is absent

WebSockets whose upgrade has neither may name them in the payload of
connection_init, which sets no other header.

No operation may hurt the server: what is beyond a limit is refused before it
runs, with a code and the field to blame. Each limit is a flag or, where the flag
is not given, a variable: LINCHPIN_LIMIT_COST=20000 is --limit-cost 20000. An
answer says what its operation cost where the request has Linchpin-Cost: 1. One
caller opens 50 WebSockets at most, each with 20 subscriptions at once, and has
1,000 subscriptions as event streams; one network opens 20 WebSockets that have
not said yet who calls. What could not be begun in time is refused at once with 503
and OVERLOADED, and one caller has at most half of what runs; --refuse-overload=false
lets everything begin.

When it is told to stop, /readyz says so at once, and requests are answered for
--drain-delay, until the balancer sends them elsewhere. Then nothing new is
accepted, and what runs ends within 25 s. A second signal ends it at once.

OpenTelemetry traces are sent over OTLP/HTTP where OTEL_EXPORTER_OTLP_ENDPOINT
names a collector; the other standard variables hold too.`,
		Example: "  linchpin serve --demo\n  linchpin serve --database postgres://linchpin@localhost/linchpin --listen 127.0.0.1:9000",
		Args:    argsOf(cobra.NoArgs),
	}
	flags := newServeFlags(cmd.Flags())
	completeFlag(cmd, "trusted-documents", cobra.FixedCompletions([]string{string(persisted.Off), string(persisted.Prefer), string(persisted.Only)}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := flags.check(env.getenv); err != nil {
			return usageError{cmd, err}
		}
		documents, err := flags.trusted.read()
		if err != nil {
			return usageError{cmd, err}
		}
		if err := flags.memory.apply(cmd.Flags(), env.getenv); err != nil {
			return usageError{cmd, err}
		}
		return runServe(cmd.Context(), env, flags, documents)
	}
	return cmd
}

// runServe opens the database and answers until ctx ends.
func runServe(ctx context.Context, env *environment, flags *serveFlags, documents *persisted.Documents) error {
	address, err := env.address()
	if err != nil {
		return err
	}
	// The address first: a server that cannot listen needs no database.
	log := newLog(env)
	slog.SetDefault(log)
	l, err := flags.front.listen(ctx, env.listen, flags.isDev(), log)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	tracer, flush, err := tracing.Start(ctx, env.getenv, log)
	if err != nil {
		return err
	}
	defer flush()
	a, err := app.Open(ctx, address, log, flags.options()...)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	debug.FreeOSMemory() // what was read to load the graph is several times as large as the graph
	isDev := flags.isDev()
	link, by, err := flags.doors(ctx, env, a, address, flags.front.url(l.Addr()))
	if err != nil {
		return err
	}
	if flags.demo {
		if err := loadDemo(auth.With(ctx, auth.System), env, a, address); err != nil {
			return err
		}
	}
	public, admin, err := a.Handler(app.Serving{Front: flags.front.Front, Providers: by, NoDevices: !flags.oidc.devices, IsDev: isDev, Limits: flags.limits, Seats: flags.seats(), Documents: documents, Tracer: tracer})
	if err != nil {
		return err
	}
	safe.AfterFunc(ctx, log, "draining", a.Drain)
	stopAdmin, err := serveAdmin(ctx, env, flags, admin, log)
	if err != nil {
		return err
	}
	defer stopAdmin()
	a.Start(ctx, flags.chores)
	greet(env, flags.front.url(l.Addr()), l.Addr().String(), address, isDev, link)
	tell := func(state string) {
		if err := notify(env.getenv, state); err != nil {
			log.Warn("the manager of services was not told", "state", state, "error", err)
		}
	}
	tell("READY=1")
	safe.AfterFunc(ctx, log, "telling of the end", func() { tell("STOPPING=1") })
	if err := server.Serve(ctx, l, public, flags.limits.MutationTime+flags.limits.QueryTime, flags.drainDelay, log); err != nil {
		return err
	}
	if err := signOff(ctx, a); err != nil {
		log.Warn("the last writes are in no checkpoint", "error", err)
	}
	_, _ = fmt.Fprintln(env.stdout, "Stopped.")
	return nil
}

// signOff signs the journal once nothing is written any more. Nobody waits long for a database that is away.
func signOff(ctx context.Context, a *app.App) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return a.Checkpoint(ctx)
}

// greet says where everything is, and how to sign in.
func greet(env *environment, at, listens, database string, isDev bool, link string) {
	if link != "" {
		_, _ = fmt.Fprintf(env.stdout, "Setup      %s%s\nOpen it within an hour to choose a name and a password: it makes the first admin.\n", at, identity.LinkPath(link))
	}
	_, _ = fmt.Fprintf(env.stdout, `GraphiQL   %s/
GraphQL    %[1]s/graphql
Database   %s
`, at, store.Redact(database))
	if !strings.HasSuffix(at, listens) {
		_, _ = fmt.Fprintf(env.stdout, "Listens    %s\n", listens)
	}
	if isDev {
		_, _ = fmt.Fprint(env.stdout, "Everyone who reaches this address may be an admin. ")
	}
	_, _ = fmt.Fprintln(env.stdout, "Stop with Ctrl-C.")
}

// doors lets people and programs sign in, on a server at an address, and returns the secret of the link that sets the
// installation up, if nobody has, and the providers, if there are any. In dev mode it refuses a database with accounts,
// whose owners count on being asked.
func (f *serveFlags) doors(ctx context.Context, env *environment, a *app.App, database, at string) (link string, by []*provider.Provider, err error) {
	if f.isDev() {
		has, err := identity.HasAccounts(ctx, a.Store.Read)
		if err == nil && has {
			err = fmt.Errorf("--dev with %s: it has accounts, and without sign-in everyone would be an admin: leave out --dev and --demo, or name another database", store.Redact(database))
		}
		return "", nil, err
	}
	keys, err := env.keys(database)
	if err != nil {
		return "", nil, err
	}
	if err := a.Trust(keys); err != nil {
		return "", nil, err
	}
	if err := f.oidc.trust(a, at); err != nil {
		return "", nil, err
	}
	if by, err = f.oidc.open(ctx, a, keys, at); err != nil {
		return "", nil, err
	}
	link, err = a.Identity.SetUpLink(ctx)
	return link, by, err
}

// serveAdmin serves operators if they are given an address. It goes on while the server drains, so that they see that
// it is not ready, until stop is called.
func serveAdmin(ctx context.Context, env *environment, flags *serveFlags, handler http.Handler, log *slog.Logger) (stop func(), err error) {
	if flags.adminListen == "" {
		return func() {}, nil
	}
	l, err := flags.front.listenForOperators(ctx, flags.adminListen, flags.isDev(), log)
	if err != nil {
		return nil, fmt.Errorf("--admin-listen: %w", err)
	}
	_, _ = fmt.Fprintf(env.stdout, "Metrics    http://%s/metrics\n", l.Addr())
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	safe.Go(log, "the address for operators", func() {
		defer close(ended)
		if err := server.Serve(serving, l, handler, time.Minute, 0, log); err != nil {
			log.Error("the address for operators is served no longer", "error", err)
		}
	})
	return func() { cancel(); <-ended }, nil
}

// loadDemo loads the demo estate into an empty database, or completes it. It returns an error if another estate is
// there.
func loadDemo(ctx context.Context, env *environment, a *app.App, address string) error {
	loaded, err := demo.Load(ctx, a.Store, a.Change, a.Incident, progressBar(env))
	if errors.Is(err, demo.ErrOccupied) {
		return fmt.Errorf("--demo with %s: %w; leave out --demo, or name an empty database, such as --database sqlite:demo.db", store.Redact(address), err)
	}
	if err != nil {
		return fmt.Errorf("load the demo estate: %w", err)
	}
	if loaded {
		_, _ = fmt.Fprintln(env.stdout, "The demo estate is loaded.")
	}
	return nil
}
