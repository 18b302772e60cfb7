// Package storetest runs a test on every database Linchpin supports, and holds the conformance suite that decides
// whether they behave alike.
package storetest

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
)

// Each runs test on a fresh, migrated SQLite file and on a fresh, migrated PostgreSQL database.
func Each(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t)) })
}

// Seed lets property tests draw the same cases in each run where LINCHPIN_RAPID_SEED says from which number: a gate has
// to give the same verdict twice. Elsewhere each run draws cases of its own. Opening a store here does it by itself.
func Seed(t testing.TB) {
	t.Helper()
	if err := seed(); err != nil {
		t.Fatal(err)
	}
}

var seed = sync.OnceValue(func() error {
	given := os.Getenv("LINCHPIN_RAPID_SEED")
	if given == "" || flag.Lookup("rapid.seed") == nil {
		return nil
	}
	return flag.Set("rapid.seed", given)
})

// SQLite opens a fresh, migrated SQLite file.
func SQLite(t testing.TB) *store.Store {
	t.Helper()
	return open(t, "sqlite:"+filepath.Join(t.TempDir(), "linchpin.db"))
}

// Postgres opens a fresh, migrated PostgreSQL database; the test is skipped where there is no PostgreSQL.
func Postgres(t testing.TB) *store.Store {
	t.Helper()
	return open(t, PostgresAddress(t))
}

// PostgresAddress is the address of a fresh, migrated PostgreSQL database.
func PostgresAddress(t testing.TB) string {
	t.Helper()
	Seed(t)
	return pgtest.Database(t, "linchpin", func(address string) error {
		s, err := store.Open(context.Background(), address)
		if err != nil {
			return err
		}
		if _, err := s.Migrate(context.Background()); err != nil {
			return err
		}
		return s.Close()
	})
}

func open(t testing.TB, address string) *store.Store {
	t.Helper()
	Seed(t)
	s, err := store.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}
