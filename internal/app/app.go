// Package app assembles the product from its parts; it is the only package that knows all of them.
package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	root "github.com/linchpin-cmdb/linchpin/graph"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/audit"
	"github.com/linchpin-cmdb/linchpin/internal/auth/provider"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/consent"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	schedules "github.com/linchpin-cmdb/linchpin/internal/importer/schedule"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/practice/approval"
	"github.com/linchpin-cmdb/linchpin/internal/practice/catalog"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/identity"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/schedule"
	"github.com/linchpin-cmdb/linchpin/internal/practice/servicelevel"
	"github.com/linchpin-cmdb/linchpin/internal/practice/source"
	"github.com/linchpin-cmdb/linchpin/internal/server"
	"github.com/linchpin-cmdb/linchpin/internal/server/admission"
	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
	"github.com/linchpin-cmdb/linchpin/internal/server/persisted"
	"github.com/linchpin-cmdb/linchpin/internal/server/signin"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
	"github.com/linchpin-cmdb/linchpin/schema"
)

// App is the product over one database.
type App struct {
	root.Practices

	Store    *store.Store
	Graph    *topology.Graph
	Reader   *read.Reader
	Migrated int // how many migrations Open applied

	feed      *journal.Feed
	scheduled *schedules.Runner
	signer    *audit.Signer // of checkpoints; nil: nobody signs in, and there is no root key
	signed    atomic.Int64  // the newest revision that is known to be signed
	draining  atomic.Bool
	stop      context.CancelFunc
	log       *slog.Logger
}

// Open opens a database, brings it to the newest version, seeds it where it is empty, and lets the graph follow it.
func Open(ctx context.Context, database string, log *slog.Logger, options ...store.Option) (_ *App, err error) {
	s, err := store.Open(ctx, database, options...)
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
	return a, a.follow(ctx)
}

// OpenReading opens a database that exists, for questions alone: it creates, migrates and seeds nothing.
func OpenReading(ctx context.Context, database string, log *slog.Logger) (*App, error) {
	s, err := store.OpenReading(ctx, database)
	if err != nil {
		return nil, err
	}
	a := &App{Store: s, Graph: topology.New(), log: log}
	if err := a.follow(ctx); err != nil {
		_ = a.Close()
		return nil, err
	}
	return a, nil
}

// follow lets the graph follow the database, and makes what reads and writes it.
func (a *App) follow(ctx context.Context) (err error) {
	s := a.Store
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	a.stop = stop
	if a.feed, err = journal.Follow(following, s, a.Graph, a.log); err != nil {
		return fmt.Errorf("load the graph: %w", err)
	}
	consent.Guard(s, a.feed)
	a.Practices = root.Practices{
		CMDB: cmdb.New(s), Catalog: catalog.New(s), Incident: incident.New(s, a.Graph), Change: change.New(s, a.Graph),
		Approval: approval.New(s), Identity: identity.New(s, nil), ServiceLevel: servicelevel.New(s), Schedule: schedule.New(s),
		Source: source.New(s), Import: importer.New(s),
	}
	a.Reader = read.New(s, a.Graph, a.Incident, a.feed)
	host, _ := os.Hostname() // it is for people alone
	a.scheduled = &schedules.Runner{Store: s, Holder: fmt.Sprintf("%s/%d", host, os.Getpid()), Open: openScheduled, Log: a.log}
	return nil
}

// Trust lets people and programs sign in, by secrets whose codes the keys make.
// It signs checkpoints of the journal from then on.
func (a *App) Trust(keys *secret.Keys) (err error) {
	a.Identity = identity.New(a.Store, keys)
	a.signer, _, err = audit.Signers(keys.JournalSeeds())
	return err
}

// Checkpoint signs the last link of the journal, unless that has happened, and logs it.
func (a *App) Checkpoint(ctx context.Context) error {
	if a.signer == nil {
		return nil
	}
	revision, note, err := audit.Keep(ctx, a.Store, a.signer)
	if err != nil {
		return err
	}
	a.signed.Store(revision)
	if note != "" {
		a.log.Info("checkpoint", "event", "journal_checkpoint", "revision", revision, "note", note)
	}
	return nil
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

// Serving holds the options for answering requests.
type Serving struct {
	Front     server.Front         // how clients reach it
	Providers []*provider.Provider // by which people sign in beside passwords
	NoDevices bool                 // people let no command lines in
	IsDev     bool                 // nobody signs in: by default everyone is an admin
	Limits    guard.Limits         // of requests; guard.Default if there are none
	Seats     *admission.Rules     // how many operations run at once; nil lets all of them
	Documents *persisted.Documents // the documents that clients may name instead of sending them; nil for none
	Tracer    trace.Tracer         // begins the traces of requests; nil for none
}

// Handler returns the handlers of the public, and of operators on another address. It returns an error if a trusted
// document could not run.
func (a *App) Handler(s Serving) (public, admin http.Handler, err error) {
	sdl, err := schema.SDL()
	if err != nil {
		return nil, nil, err
	}
	s.Limits = cmp.Or(s.Limits, guard.Default)
	answers := root.New(a.Reader, a.Practices).Schema()
	if s.Documents != nil {
		if err := s.Documents.Check(guard.New(answers.Schema(), s.Limits)); err != nil {
			return nil, nil, err
		}
	}
	metrics := a.newMetrics()
	c := server.Config{
		Schema: answers, SDL: sdl, Log: a.log, IsReady: a.isReady,
		Store: a.Store, Feed: a.feed, Metrics: metrics, Tracer: s.Tracer,
		Begin: func(ctx context.Context) context.Context { return sight.Once(ctx, a.Store.Read) },
		IsDev: s.IsDev, IsLocal: true, Front: s.Front, Limits: s.Limits, Seats: s.Seats, Documents: s.Documents,
	}
	if !s.IsDev {
		c.Doors, c.Auth = a.Identity, signin.New(signin.Pages{Doors: a.Identity, Own: server.OwnPages(s.Front), Providers: s.Providers, Devices: !s.NoDevices, Local: a.Identity.Local, Log: a.log})
	}
	return server.New(c), server.Admin(c, metrics), nil
}

// Drain makes the server say that it is not ready, for good: it finishes what it has begun.
func (a *App) Drain() { a.draining.Store(true) }

// isReady returns nil if the database answers, the graph is not behind it, and more requests are welcome.
func (a *App) isReady(ctx context.Context) error {
	if a.draining.Load() {
		return errors.New("the server is being stopped")
	}
	if err := a.Store.Check(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readyLag)
	defer cancel()
	pulse, err := a.Store.Pulse(ctx)
	if err != nil {
		return err
	}
	_, err = a.Graph.Wait(ctx, pulse.Revision)
	return err
}
