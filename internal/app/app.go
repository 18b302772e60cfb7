// Package app assembles the product from its parts; it is the only package that knows all of them.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	root "github.com/linchpin-cmdb/linchpin/graph"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/practice/catalog"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/schedule"
	"github.com/linchpin-cmdb/linchpin/internal/practice/servicelevel"
	"github.com/linchpin-cmdb/linchpin/internal/safe"
	"github.com/linchpin-cmdb/linchpin/internal/server"
	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
	"github.com/linchpin-cmdb/linchpin/internal/server/persisted"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
	"github.com/linchpin-cmdb/linchpin/schema"
)

// App is the product over one database.
type App struct {
	Store        *store.Store
	Graph        *topology.Graph
	CMDB         *cmdb.Practice
	Catalog      *catalog.Practice
	Incident     *incident.Practice
	Change       *change.Practice
	ServiceLevel *servicelevel.Practice
	Schedule     *schedule.Practice
	Reader       *read.Reader
	// Tracer begins the traces of requests; nil for none.
	Tracer trace.Tracer
	// Migrated is how many migrations Open applied.
	Migrated int

	feed     *journal.Feed
	draining atomic.Bool
	stop     context.CancelFunc
	log      *slog.Logger
}

// Open opens a database, brings it to the newest version, seeds it where it is empty, and lets the graph follow it.
func Open(ctx context.Context, database string, log *slog.Logger) (_ *App, err error) {
	s, err := store.Open(ctx, database)
	if err != nil {
		return nil, err
	}
	a := &App{Store: s, Graph: topology.New(), log: log}
	defer func() {
		if err != nil {
			_ = a.Close()
		}
	}()
	if a.Migrated, err = s.Migrate(ctx); err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	if err = cmdb.Seed(ctx, s); err != nil {
		return nil, fmt.Errorf("seed: %w", err)
	}
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	a.stop = stop
	if a.feed, err = journal.Follow(following, s, a.Graph, log); err != nil {
		return nil, fmt.Errorf("load the graph: %w", err)
	}
	a.CMDB, a.Catalog = cmdb.New(s), catalog.New(s)
	a.Incident, a.Change = incident.New(s, a.Graph), change.New(s, a.Graph)
	a.ServiceLevel, a.Schedule = servicelevel.New(s), schedule.New(s)
	a.Reader = read.New(s, a.Graph, a.Incident, a.feed)
	return a, nil
}

// KeepVerifying compares the graph with the tables about once every so long, until ctx ends, and mends it where it is wrong.
func (a *App) KeepVerifying(ctx context.Context, every time.Duration) {
	safe.Every(ctx, a.log, "comparing the graph with the tables", func() time.Duration { return every/2 + rand.N(every) }, a.feed.Verify)
}

// Close stops following and closes the database.
func (a *App) Close() error {
	if a.stop != nil {
		a.stop()
	}
	if a.feed != nil {
		<-a.feed.Done()
	}
	a.Graph.Settle()
	return a.Store.Close()
}

// readyLag is how long the graph may be behind before the server says that it is not ready.
const readyLag = 2 * time.Second

// Handler answers HTTP: the public, and operators on another address. In dev mode everyone is an admin. Trusted documents
// that could not run are an error.
func (a *App) Handler(isDev bool, limits guard.Limits, documents *persisted.Documents) (public, admin http.Handler, err error) {
	sdl, err := schema.SDL()
	if err != nil {
		return nil, nil, err
	}
	metrics := a.newMetrics()
	resolver := root.New(a.Reader, a.CMDB, a.Catalog, a.Incident, a.Change, a.ServiceLevel, a.Schedule)
	if err := documents.Check(guard.New(resolver.Schema().Schema(), limits)); err != nil {
		return nil, nil, err
	}
	c := server.Config{
		Schema: resolver.Schema(), SDL: sdl, Log: a.log, IsReady: a.isReady,
		Store: a.Store, Feed: a.feed, Metrics: metrics, Tracer: a.Tracer,
		Begin: func(ctx context.Context) context.Context { return sight.Once(ctx, a.Store.Read) },
		IsDev: isDev, IsLocal: isDev, Limits: limits, Documents: documents,
	}
	return server.New(c), server.Admin(c, metrics), nil
}

// Drain makes the server say that it is not ready, for good: it finishes what it has begun.
func (a *App) Drain() { a.draining.Store(true) }

// isReady is nil when the database answers, the graph is not behind it, and more requests are welcome.
func (a *App) isReady(ctx context.Context) error {
	if a.draining.Load() {
		return errors.New("the server is being stopped")
	}
	ctx, cancel := context.WithTimeout(ctx, readyLag)
	defer cancel()
	revision, err := a.Store.Revision(ctx)
	if err != nil {
		return err
	}
	_, err = a.Graph.Wait(ctx, revision)
	return err
}
