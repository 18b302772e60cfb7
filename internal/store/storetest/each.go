// Package storetest runs a test on every database Linchpin supports, and holds the conformance suite that decides
// whether they behave alike.
package storetest

import (
	"context"
	"hash/crc32"
	"path/filepath"
	"testing"

	_ "github.com/linchpin-cmdb/linchpin/internal/propertytest" // the gate draws the same cases
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
)

// Each runs test on a fresh, migrated SQLite file and on a fresh, migrated PostgreSQL database. In short mode under the
// race detector it runs it on one of them, chosen by the test's name: what runs at once is the same code.
func Each(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	chosen := crc32.ChecksumIEEE([]byte(t.Name())) % 2
	for i, database := range []struct {
		name string
		open func(testing.TB) *store.Store
	}{{"sqlite", SQLite}, {"postgres", Postgres}} {
		if !raceDetector || !testing.Short() || chosen == uint32(i) {
			t.Run(database.name, func(t *testing.T) { test(t, database.open(t)) })
		}
	}
}

// SQLite opens a fresh, migrated SQLite file.
func SQLite(t testing.TB) *store.Store {
	t.Helper()
	return open(t, "sqlite:"+filepath.Join(t.TempDir(), "linchpin.db"))
}

// Postgres opens a fresh, migrated PostgreSQL database. If the machine has no PostgreSQL, it skips the test.
func Postgres(t testing.TB) *store.Store {
	t.Helper()
	return open(t, PostgresAddress(t))
}

// PostgresAddress returns the address of a fresh, migrated PostgreSQL database.
func PostgresAddress(t testing.TB) string {
	t.Helper()
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
