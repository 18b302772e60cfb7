// Package pgtest gives a test its own PostgreSQL database on a private cluster that ends with the test process. It
// needs nothing but PostgreSQL's programs on the machine: no running server, no configuration, no network, and it also
// works as root (the server then runs as "postgres" or "nobody").
//
// Clusters that are not [Durable] are tuned for speed: a crash of the machine loses them, and autovacuum is
// off, so that plans change only when a test says ANALYZE.
package pgtest

import (
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Guard is the name of the one goroutine that each running cluster keeps. Give it to goleak.IgnoreAnyFunction.
const Guard = "github.com/linchpin-cmdb/linchpin/internal/store/pgtest.guard"

// Option changes the cluster that a test gets. Tests with the same options share one.
type Option func(*settings)

type settings struct {
	durable    bool
	parameters []string // name=value, in the order given
}

// Durable keeps fsync, full page writes and synchronous commits on.
func Durable(s *settings) { s.durable = true }

// Parameter sets a server parameter, such as wal_level to logical.
func Parameter(name, value string) Option {
	return func(s *settings) { s.parameters = append(s.parameters, name+"="+value) }
}

func settingsOf(options []Option) settings {
	var s settings
	for _, o := range options {
		o(&s)
	}
	return s
}

// errNotInstalled says that the machine has no PostgreSQL: a reason to skip, not to fail.
var errNotInstalled = errors.New("PostgreSQL's initdb and postgres were not found on PATH, through pg_config, " +
	"or in /usr/lib/postgresql/*/bin; install them (Debian: apt-get install postgresql) to run this test")

// Database makes a database for t on the cluster that the tests of this process share, drops it when t ends,
// and returns its postgres:// URL. Its content is what prepare made the first time that this process asked for
// key; a nil prepare means empty. Callers with one key must mean the same prepare.
//
// If the machine has no PostgreSQL, the test is skipped, or fails if LINCHPIN_REQUIRE, a list of names, has
// "postgresql".
func Database(t testing.TB, key string, prepare func(dsn string) error, options ...Option) (dsn string) {
	t.Helper()
	return shared(t, settingsOf(options)).Database(t, key, prepare)
}

type sharing struct {
	once    sync.Once
	cluster *Cluster
	err     error
}

var (
	sharedMu sync.Mutex
	sharings = map[string]*sharing{}
)

// shared returns the cluster for s, which it starts once in this process. The cluster ends with the process.
func shared(t testing.TB, s settings) *Cluster {
	t.Helper()
	key := strings.Join(s.parameters, "\x00")
	if s.durable {
		key = "durable\x00" + key
	}
	sharedMu.Lock()
	one := sharings[key]
	if one == nil {
		one = &sharing{}
		sharings[key] = one
	}
	sharedMu.Unlock()

	one.once.Do(func() {
		one.err = errors.New("starting the shared cluster panicked")
		one.cluster, one.err = open(s)
	})
	refuse(t, one.err)
	return one.cluster
}

// refuse ends a test that cannot have a cluster.
func refuse(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, errNotInstalled) && !slices.Contains(strings.Split(os.Getenv("LINCHPIN_REQUIRE"), ","), "postgresql"):
		t.Skip(err)
	default:
		t.Fatalf("pgtest: %v", err)
	}
}
