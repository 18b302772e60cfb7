package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/safe"
	"github.com/linchpin-cmdb/linchpin/internal/server"
	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
	"github.com/linchpin-cmdb/linchpin/internal/server/persisted"
	"github.com/linchpin-cmdb/linchpin/internal/tracing"
)

func serveCommand(env *environment) *cobra.Command {
	var demo, dev bool
	var keyAge, closeAge, verify time.Duration
	var adminListen string
	var heap *memory
	limits := guard.Default
	var mode string
	var manifests []string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Start the server with GraphiQL",
		Long: `Start the server: GraphQL at /graphql, GraphiQL at /.

The database is created and brought to the newest version when needed. Without
sign-in (--dev, the default) the server listens on loopback only, and requests
say themselves who makes them:

  Linchpin-Actor   a name; dev when it is absent
  Linchpin-Roles   any of VIEWER, OPERATOR, CHANGE_MANAGER, CATALOG_EDITOR and
                   ADMIN, with commas between them; ADMIN when it is absent

WebSockets may name them in the payload of connection_init.

No operation may hurt the server: what is beyond a limit is refused before it
runs, with a code and the field to blame. Each limit is a flag or, where the flag
is not given, a variable: LINCHPIN_LIMIT_COST=20000 is --limit-cost 20000. An
answer says what its operation cost where the request has Linchpin-Cost: 1. One
caller opens 50 WebSockets at most, each with 20 subscriptions at once, and has
1,000 subscriptions as event streams.

OpenTelemetry traces are sent over OTLP/HTTP where OTEL_EXPORTER_OTLP_ENDPOINT
names a collector; the other standard variables hold too.`,
		Example: "  linchpin serve --demo\n  linchpin serve --database postgres://linchpin@localhost/linchpin --listen 127.0.0.1:9000",
		Args:    argsOf(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if !dev {
				return usageError{cmd, errors.New("sign-in is not available yet: leave out --dev=false")}
			}
			if keyAge < time.Minute {
				return usageError{cmd, fmt.Errorf("--keep-keys is %s: a minute at least", keyAge)}
			}
			if err := fromEnvironment(cmd.Flags(), env.getenv); err != nil {
				return usageError{cmd, err}
			}
			documents, err := trustedDocuments(mode, manifests)
			if err != nil {
				return usageError{cmd, err}
			}
			if verify < 0 {
				return usageError{cmd, fmt.Errorf("--verify is %s: a length of time, or 0 to never compare", verify)}
			}
			if closeAge < 0 {
				return usageError{cmd, fmt.Errorf("--close-resolved-after is %s: a length of time, or 0 to leave that to people", closeAge)}
			}
			address, err := env.address()
			if err != nil {
				return err
			}
			if err := heap.apply(cmd.Flags(), env.getenv); err != nil {
				return usageError{cmd, err}
			}
			// The address first: whoever cannot listen needs no database.
			l, err := server.Listen(ctx, env.listen, dev)
			if err != nil {
				return err
			}
			log := newLog(env)
			slog.SetDefault(log)
			tracer, flush, err := tracing.Start(ctx, env.getenv, log)
			if err != nil {
				return errors.Join(err, l.Close())
			}
			defer flush()
			a, err := app.Open(ctx, address, log)
			if err != nil {
				return errors.Join(err, l.Close())
			}
			defer func() { _ = a.Close() }()
			debug.FreeOSMemory() // what was read to load the graph is several times as large as the graph
			a.Tracer = tracer
			if demo {
				if err := loadDemo(auth.With(ctx, auth.System), env, a); err != nil {
					return errors.Join(err, l.Close())
				}
			}
			handler, admin, err := a.Handler(dev, limits, documents)
			if err != nil {
				return errors.Join(err, l.Close())
			}
			safe.AfterFunc(ctx, log, "draining", a.Drain)
			stopAdmin, err := serveAdmin(ctx, env, adminListen, dev, admin, log)
			if err != nil {
				return errors.Join(err, l.Close())
			}
			defer stopAdmin()
			safe.Go(log, "forgetting idempotency keys", func() { a.ForgetKeys(ctx, keyAge) })
			safe.Go(log, "watching service levels", func() { a.ServiceLevel.Watch(ctx, log) })
			if verify > 0 {
				a.KeepVerifying(ctx, verify)
			}
			if closeAge > 0 {
				a.Incident.KeepClosing(ctx, closeAge, log)
			}
			_, _ = fmt.Fprintf(env.stdout, "GraphiQL   http://%s/\nGraphQL    http://%s/graphql\nDatabase   %s\nEveryone who reaches this address may be an admin. Stop with Ctrl-C.\n",
				l.Addr(), l.Addr(), redacted(address))
			if err := server.Serve(ctx, l, handler, max(limits.QueryTime, limits.MutationTime), log); err != nil {
				return err
			}
			_, _ = fmt.Fprintln(env.stdout, "Stopped.")
			return nil
		},
	}
	cmd.Flags().BoolVar(&demo, "demo", false, "load a demo estate, the online shop Harbour & Pine, into an empty database")
	limitFlags(cmd.Flags(), &limits)
	heap = memoryFlags(cmd.Flags())
	cmd.Flags().StringVar(&mode, "trusted-documents", string(persisted.Off), "off; prefer: answer the documents of the manifests by their ids too; only: answer nothing else")
	cmd.Flags().StringArrayVar(&manifests, "manifest", nil, "a file of trusted documents, made by Relay, Apollo or graphql-codegen; may be repeated")
	cmd.Flags().BoolVar(&dev, "dev", true, "nobody signs in: requests name their caller and its roles, an admin by default; loopback only")
	cmd.Flags().StringVar(&adminListen, "admin-listen", "", "address for operators, HOST:PORT: /metrics, /debug/pprof, /healthz, /readyz, without sign-in; off by default")
	cmd.Flags().DurationVar(&keyAge, "keep-keys", 24*time.Hour, "how long an Idempotency-Key and its answer are remembered, at least")
	cmd.Flags().DurationVar(&verify, "verify", time.Hour, "how often to compare the graph with the tables, and build it anew where it differs; 0 never does")
	cmd.Flags().DurationVar(&closeAge, "close-resolved-after", 7*24*time.Hour, "close incidents that nobody has opened again for so long after they were resolved; 0 leaves it to people")
	return cmd
}

// serveAdmin serves operators, where they are given an address. It goes on while the server drains, so that they see that it
// is not ready, and ends when what it returns is called.
func serveAdmin(ctx context.Context, env *environment, address string, dev bool, handler http.Handler, log *slog.Logger) (stop func(), err error) {
	if address == "" {
		return func() {}, nil
	}
	l, err := server.Listen(ctx, address, dev)
	if err != nil {
		return nil, fmt.Errorf("--admin-listen: %w", err)
	}
	_, _ = fmt.Fprintf(env.stdout, "Metrics    http://%s/metrics\n", l.Addr())
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	safe.Go(log, "the address for operators", func() {
		defer close(ended)
		if err := server.Serve(serving, l, handler, time.Minute, log); err != nil {
			log.Error("the address for operators is served no longer", "error", err)
		}
	})
	return func() { cancel(); <-ended }, nil
}

// trustedDocuments reads the manifests.
func trustedDocuments(mode string, manifests []string) (*persisted.Documents, error) {
	m := persisted.Mode(mode)
	switch {
	case m != persisted.Off && m != persisted.Prefer && m != persisted.Only:
		return nil, fmt.Errorf("--trusted-documents is off, prefer or only, not %q", mode)
	case m == persisted.Off && len(manifests) > 0:
		return nil, errors.New("a manifest needs --trusted-documents prefer or only")
	case m != persisted.Off && len(manifests) == 0:
		return nil, errors.New("--trusted-documents needs a --manifest")
	}
	var all []map[string]string
	for _, path := range manifests {
		documents, err := persisted.Read(path)
		if err != nil {
			return nil, err
		}
		all = append(all, documents)
	}
	return persisted.New(m, all...), nil
}

// newLog writes lines for people on a terminal, JSON otherwise.
func newLog(env *environment) *slog.Logger {
	if isTerminal(env.stderr) {
		return slog.New(slog.NewTextHandler(env.stderr, nil))
	}
	return slog.New(slog.NewJSONHandler(env.stderr, nil))
}

// isTerminal reports whether what is written is seen by a person at once.
func isTerminal(w any) bool {
	f, is := w.(*os.File)
	return is && term.IsTerminal(int(f.Fd()))
}

// loadDemo puts the demo estate into a database that has none.
func loadDemo(ctx context.Context, env *environment, a *app.App) error {
	loaded, err := a.LoadDemo(ctx, progressBar(env))
	if err != nil {
		return fmt.Errorf("load the demo estate: %w", err)
	}
	if loaded {
		_, _ = fmt.Fprintln(env.stdout, "The demo estate is loaded.")
	}
	return nil
}
