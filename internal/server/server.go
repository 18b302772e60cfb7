// Package server is HTTP: routes, the GraphQL transport, limits, who is calling, health, and GraphiQL. It refuses to
// know what a query means.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/server/ui"
)

// Bounds of a connection.
const (
	bodyLimit      = 1 << 20
	headerLimit    = 32 << 10
	headerTime     = 5 * time.Second
	bodyTime       = 30 * time.Second
	idleTime       = 2 * time.Minute
	drainTime      = 25 * time.Second
	queryTime      = 15 * time.Second
	mutationTime   = 60 * time.Second
	answerTime     = mutationTime + 10*time.Second
	actorHeader    = "Linchpin-Actor"
	requestHeader  = "X-Request-Id"
	defaultDevName = "dev"
)

// Config is what a server needs.
type Config struct {
	Schema  graphql.ExecutableSchema
	SDL     []byte                      // the contract, as served at /schema.graphql
	IsReady func(context.Context) error // nil when requests can be answered
	Log     *slog.Logger
	// IsDev signs everyone in as an admin. Such a server listens on loopback only.
	IsDev bool
}

// New makes the handler of all routes.
func New(c Config) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/graphql", limitBody(newGraphQL(c)))
	mux.HandleFunc("GET /schema.graphql", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write(c.SDL)
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := c.IsReady(r.Context()); err != nil {
			c.Log.Warn("not ready", "error", err)
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ready")
	})
	mux.Handle("/", ui.Handler())
	return identify(c, recovered(c.Log, signIn(c, mux)))
}

// limitBody refuses bodies over the limit while they are read.
func limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
		next.ServeHTTP(w, r)
	})
}

// signIn says who is calling. In dev mode everyone is an admin, by the name they give themselves.
func signIn(c Config, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.IsDev {
			name := defaultDevName
			if given := r.Header.Get(actorHeader); given != "" && len(given) <= 100 && printable(given) {
				name = given
			}
			r = r.WithContext(auth.With(r.Context(), auth.Actor{Name: name, Roles: []auth.Role{auth.Admin}}))
		}
		next.ServeHTTP(w, r)
	})
}

func printable(s string) bool {
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return false
		}
	}
	return true
}

// Listen opens the address. Without sign-in only loopback is allowed.
func Listen(ctx context.Context, address string, isDev bool) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("listen address %q: it is HOST:PORT, such as 127.0.0.1:8080", address)
	}
	if isDev && !isLoopback(ctx, host) {
		return nil, fmt.Errorf("listen address %q is reachable from other machines, and nobody has to sign in: use 127.0.0.1 or [::1]", address)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if at, is := l.Addr().(*net.TCPAddr); isDev && (!is || !at.IP.IsLoopback()) {
		return nil, errors.Join(fmt.Errorf("listen address %q turned out to be no loopback address", address), l.Close())
	}
	return l, nil
}

func isLoopback(ctx context.Context, host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	found, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil || len(found) == 0 {
		return false
	}
	for _, a := range found {
		if !a.IP.IsLoopback() {
			return false
		}
	}
	return true
}

// Serve answers on l until ctx ends, then finishes what is in flight.
func Serve(ctx context.Context, l net.Listener, handler http.Handler, log *slog.Logger) error {
	s := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTime, ReadTimeout: bodyTime, WriteTimeout: answerTime, IdleTimeout: idleTime,
		MaxHeaderBytes: headerLimit, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if err := s.Shutdown(drain); err != nil {
		return fmt.Errorf("some requests did not finish in %s: %w", drainTime, err)
	}
	return nil
}
