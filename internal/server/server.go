// Package server owns HTTP: routes, the GraphQL transport, limits, who is calling, health, and GraphiQL. It refuses to
// know what a query means.
package server

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/linchpin-cmdb/linchpin/internal/importer/ndjson"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/safe"
	"github.com/linchpin-cmdb/linchpin/internal/server/admission"
	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
	"github.com/linchpin-cmdb/linchpin/internal/server/persisted"
	"github.com/linchpin-cmdb/linchpin/internal/server/ui"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Bounds of a connection.
const (
	headerLimit    = 32 << 10
	drainTime      = 25 * time.Second
	answerMargin   = 10 * time.Second // to read an answer, beyond the longest operation
	actorHeader    = "Linchpin-Actor"
	rolesHeader    = "Linchpin-Roles"
	requestHeader  = "X-Request-Id"
	costHeader     = "Linchpin-Cost"
	viewAsHeader   = "Linchpin-View-As"
	defaultDevName = "dev"
)

// Config holds the parts and settings of a server.
type Config struct {
	Schema  graphql.ExecutableSchema
	SDL     []byte                      // the contract, as served at /schema.graphql
	IsReady func(context.Context) error // returns nil if requests can be answered
	Log     *slog.Logger                // nil for none
	Store   *store.Store                // where idempotency keys are kept; without it there are none
	Metrics prometheus.Registerer       // where operations are counted; nil for nowhere
	Tracer  trace.Tracer                // begins traces; nil for none
	Feed    *journal.Feed               // revision tokens wait for it; without it there are none
	// Begin returns the context of each operation; nil leaves it as it is.
	Begin func(context.Context) context.Context
	// Doors knows who calls; without it the context of a request says so, or nobody.
	Doors Doors
	// Auth are the pages where people sign in, below /auth/; nil if there are none.
	Auth http.Handler
	// IsDev signs everyone in, by default as an admin. Such a server listens on loopback only.
	IsDev bool
	// IsLocal refuses requests that name another host than this machine or the front's.
	IsLocal bool
	// Front is how clients reach the server.
	Front Front
	// Limits of operations; guard.Default if there are none.
	Limits guard.Limits
	// Seats say how many operations run at once; nil lets all of them.
	Seats *admission.Rules
	// Documents are those that clients name instead of sending them; nil if there are no manifests.
	Documents *persisted.Documents

	pace    pace
	watch   *watch
	bearers *bearers
}

// New returns the handler of all routes.
func New(c Config) http.Handler {
	if c.pace == (pace{}) {
		c.pace = steady
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Limits == (guard.Limits{}) {
		c.Limits = guard.Default
	}
	if c.Documents == nil {
		c.Documents = persisted.New(persisted.Off)
	}
	c.watch, c.bearers = newWatch(c.Doors, c.Log), newBearers()
	mux := http.NewServeMux()
	mux.Handle("/graphql", traced(c.Tracer, "/graphql", limitBody(c.Limits.Body, newGraphQL(c))))
	mux.HandleFunc("GET /ingest/schema.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/schema+json")
		_, _ = w.Write(ndjson.Schema)
	})
	mux.Handle("POST /ingest/{source}", traced(c.Tracer, "/ingest", newIngest(c)))
	mux.HandleFunc("GET /schema.graphql", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write(c.SDL)
	})
	health(c, mux)
	if c.Auth != nil {
		mux.Handle("/auth/", c.Auth)
	}
	mux.Handle("/", welcome(c, ui.Handler()))
	return identify(c, recovered(c.Log, strict(c, hosted(c, behind(c, shared(c, signIn(c, mux)))))))
}

// health adds the routes that say whether the process lives, and whether it can answer.
func health(c Config, mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := c.IsReady(r.Context()); err != nil {
			c.Log.Warn("not ready", "error", err)
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ready")
	})
}

// patience is how long a server waits for a peer that is slow.
type patience struct {
	header time.Duration // until a request's header has come
	body   time.Duration // until its body has come
	idle   time.Duration // for the next request of a connection
	linger time.Duration // for balancers to hear that the server stops
}

var usual = patience{header: 5 * time.Second, body: 30 * time.Second, idle: 2 * time.Minute}

// Serve serves on l until ctx ends, and for the time linger after it, in which it closes each connection after its next
// answer. Then it finishes the requests in flight. No operation takes longer than longest.
func Serve(ctx context.Context, l net.Listener, handler http.Handler, longest, linger time.Duration, log *slog.Logger) error {
	waits := usual
	waits.linger = linger
	return serve(ctx, l, handler, longest, waits, log)
}

func serve(ctx context.Context, l net.Listener, handler http.Handler, longest time.Duration, waits patience, log *slog.Logger) error {
	streams := newDrain(log)
	s := &http.Server{
		BaseContext: streams.base,
		Handler:     parting(ctx, handler), ReadHeaderTimeout: waits.header, ReadTimeout: waits.body, WriteTimeout: waits.body + longest + answerMargin, IdleTimeout: waits.idle,
		MaxHeaderBytes: headerLimit, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	safe.Go(log, "a listener", func() { failed <- safe.Call(func() error { return s.Serve(l) }) })
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-failed:
		return err
	case <-time.After(waits.linger):
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	streams.begin()
	if err := s.Shutdown(drain); err != nil {
		return fmt.Errorf("some requests did not finish in %s: %w", drainTime, err)
	}
	streams.wait(drain)
	return nil
}

// parting closes connections after their next answer once ctx has ended. Those that are idle stay open: a proxy may be
// sending on them.
func parting(ctx context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ctx.Err() != nil && r.Header.Get("Upgrade") == "" {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
