package main

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/pflag"

	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/server/admission"
	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
	"github.com/linchpin-cmdb/linchpin/internal/server/persisted"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// serveFlags are what the command line says about a server.
type serveFlags struct {
	set         *pflag.FlagSet
	demo, dev   bool
	adminListen string
	readFrom    string // the address of a standby
	memory      *memory
	limits      guard.Limits
	refuse      bool // what it could not do in time
	trusted     trusted
	chores      app.Chores
	schedules   string // a file
	drainDelay  time.Duration
	front       front
	oidc        oidc
}

// newServeFlags adds the flags to a set.
func newServeFlags(set *pflag.FlagSet) *serveFlags {
	f := &serveFlags{set: set, memory: memoryFlags(set), limits: guard.Default}
	set.BoolVar(&f.demo, "demo", false, "load a demo estate, the online shop Harbour & Pine, into an empty database; another estate is refused")
	set.BoolVar(&f.dev, "dev", false, "nobody signs in: requests name their caller and its roles, an admin by default; --demo says it too, and a database with accounts refuses it")
	set.StringVar(&f.adminListen, "admin-listen", "", "address for operators, HOST:PORT: /metrics, /debug/pprof, /healthz, /readyz, without sign-in on loopback, elsewhere by TLS and the API token of an admin; off by default")
	set.StringVar(&f.readFrom, "read-database", "", "postgres:// address of a hot standby of the database, which answers are read from while it keeps up; writes go to --database")
	set.DurationVar(&f.chores.KeepKeys, "keep-keys", 24*time.Hour, "how long an Idempotency-Key and its answer are remembered, at least")
	set.DurationVar(&f.chores.Verify, "verify", time.Hour, "how often to compare the graph with the tables, and build it anew where it differs; 0 never does")
	set.DurationVar(&f.chores.CloseResolved, "close-resolved-after", 7*24*time.Hour, "close incidents that nobody has opened again for so long after they were resolved; 0 leaves it to people")
	set.StringVar(&f.schedules, "schedules", "", "a file that says what to import again and again; of any number of servers with it one does")
	set.DurationVar(&f.drainDelay, "drain-delay", 5*time.Second, "how long to answer after being told to stop, so that a balancer that asks /readyz sends nothing more; 0 at once, as --dev does unless this is given")
	set.BoolVar(&f.refuse, "refuse-overload", true, "refuse at once what could not be done in time, with 503 and OVERLOADED; without, everything that comes is begun")
	limitFlags(set, &f.limits)
	f.trusted.flags(set)
	f.front.flags(set)
	f.oidc.flags(set)
	return f
}

// seats returns the rules by which operations begin; nil lets all of them.
func (f *serveFlags) seats() *admission.Rules {
	if !f.refuse {
		return nil
	}
	rules := admission.For(runtime.GOMAXPROCS(0))
	return &rules
}

// options returns how the database is opened.
func (f *serveFlags) options() []store.Option {
	if f.readFrom == "" {
		return nil
	}
	return []store.Option{store.ReadFrom(f.readFrom)}
}

// isDev reports whether nobody signs in.
func (f *serveFlags) isDev() bool { return f.dev || f.demo }

// check returns an error if a value cannot be meant. It sets what depends on other flags, or is stated by the
// environment alone.
func (f *serveFlags) check(getenv func(string) string) error {
	switch {
	case f.chores.KeepKeys < time.Minute:
		return fmt.Errorf("--keep-keys is %s: a minute at least", f.chores.KeepKeys)
	case f.chores.Verify < 0:
		return fmt.Errorf("--verify is %s: a length of time, or 0 to never compare", f.chores.Verify)
	case f.chores.CloseResolved < 0:
		return fmt.Errorf("--close-resolved-after is %s: a length of time, or 0 to leave that to people", f.chores.CloseResolved)
	case f.drainDelay < 0:
		return fmt.Errorf("--drain-delay is %s: a length of time, or 0 to stop at once", f.drainDelay)
	}
	if f.schedules != "" {
		var err error
		if f.chores.Schedules, err = app.Schedules(f.schedules); err != nil {
			return err
		}
	}
	if f.isDev() && !f.set.Changed("drain-delay") {
		f.drainDelay = 0
	}
	if err := fromEnvironment(f.set, getenv); err != nil {
		return err
	}
	if err := f.front.check(getenv); err != nil {
		return err
	}
	if err := f.oidc.check(); err != nil {
		return err
	}
	return f.trusted.check()
}

// trusted are the documents that clients name instead of sending them.
type trusted struct {
	mode      persisted.Mode
	manifests []string // their paths
}

// flags adds the flags of trusted documents to a set.
func (t *trusted) flags(set *pflag.FlagSet) {
	set.StringVar((*string)(&t.mode), "trusted-documents", string(persisted.Off), "off; prefer: answer the documents of the manifests by their ids too; only: answer nothing else")
	set.StringArrayVar(&t.manifests, "manifest", nil, "a file of trusted documents, made by Relay, Apollo or graphql-codegen; may be repeated")
}

// check returns an error if mode and manifests do not fit each other.
func (t *trusted) check() error {
	switch isOff := t.mode == persisted.Off; {
	case !isOff && t.mode != persisted.Prefer && t.mode != persisted.Only:
		return fmt.Errorf("--trusted-documents is off, prefer or only, not %q", t.mode)
	case isOff && len(t.manifests) > 0:
		return errors.New("a manifest needs --trusted-documents prefer or only")
	case !isOff && len(t.manifests) == 0:
		return errors.New("--trusted-documents needs a --manifest")
	}
	return nil
}

// read reads the manifests.
func (t *trusted) read() (*persisted.Documents, error) {
	var all []map[string]string
	for _, path := range t.manifests {
		documents, err := persisted.Read(path)
		if err != nil {
			return nil, err
		}
		all = append(all, documents)
	}
	return persisted.New(t.mode, all...), nil
}
