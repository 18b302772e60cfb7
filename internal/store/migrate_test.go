package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// fresh runs a test with the address of an empty database of each dialect, which is not migrated.
func fresh(t *testing.T, test func(t *testing.T, address string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, "sqlite:"+filepath.Join(t.TempDir(), "linchpin.db")) })
	t.Run("postgres", func(t *testing.T) { test(t, pgtest.Database(t, "empty", nil)) })
}

func open(t *testing.T, address string) *store.Store {
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
	return s
}

func raw(t *testing.T, s *store.Store, statement string, args ...any) {
	t.Helper()
	if _, err := s.Writer().ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func TestSeveralServersMayMigrateAtOnce(t *testing.T) {
	fresh(t, func(t *testing.T, address string) {
		const servers = 4
		applied := make([]int, servers)
		g, ctx := errgroup.WithContext(t.Context())
		var files int
		for i := range servers {
			s := open(t, address)
			all, err := s.Migrations()
			if err != nil {
				t.Fatal(err)
			}
			files = len(all)
			g.Go(func() (err error) {
				applied[i], err = s.Migrate(ctx)
				return err
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		sum := 0
		for _, n := range applied {
			sum += n
		}
		if sum != files {
			t.Errorf("%v files were applied, there are %d", applied, files)
		}
		s := open(t, address)
		if r, err := s.Revision(t.Context()); r != 0 || err != nil {
			t.Errorf("revision %d, %v", r, err)
		}
		if _, err := createClass(t.Context(), s); err != nil {
			t.Error(err)
		}
	})
}

func TestADatabaseNewerThanTheProgramIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		raw(t, s, "INSERT INTO x_migration (version, name, hash, applied_at) VALUES ('99990101000000', '99990101000000_future.sql', 'x', 'x')")
		if n, err := s.Migrate(t.Context()); n != 0 || err == nil || !strings.Contains(err.Error(), "99990101000000_future.sql") {
			t.Errorf("applied %d, %v", n, err)
		}
	})
}

func TestAnEditedMigrationIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		all, err := s.Migrations()
		if err != nil {
			t.Fatal(err)
		}
		edited := slices.Clone(all)
		edited[0].SQL += " "
		if n, err := s.MigrateTo(t.Context(), edited); n != 0 || err == nil || !strings.Contains(err.Error(), all[0].Name) {
			t.Errorf("applied %d, %v", n, err)
		}
		// A file between two that were applied.
		early := slices.Insert(slices.Clone(all), 1, store.Migration{Version: all[0].Version + "1", Name: "early", SQL: "SELECT 1"})
		if n, err := s.MigrateTo(t.Context(), early); n != 0 || err == nil {
			t.Errorf("applied %d, %v", n, err)
		}
	})
}

// then returns the program's migrations and one more.
func then(t *testing.T, s *store.Store, statements string) []store.Migration {
	t.Helper()
	all, err := s.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	return append(all, store.Migration{Version: "99990101000000", Name: "99990101000000_next.sql", SQL: statements})
}

func TestAMigrationThatFailsLeavesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		all := then(t, s, "CREATE TABLE later (id integer); INSERT INTO nowhere VALUES (1)")
		if n, err := s.MigrateTo(t.Context(), all); n != 0 || err == nil {
			t.Fatalf("applied %d, %v", n, err)
		}
		all[len(all)-1].SQL = "CREATE TABLE later (id integer)"
		if n, err := s.MigrateTo(t.Context(), all); n != 1 || err != nil {
			t.Fatalf("applied %d, %v", n, err)
		}
		if _, err := createClass(t.Context(), s); err != nil {
			t.Error(err)
		}
	})
}

// TestAMigrationWaitsForAnotherAsLongAsItTakes shows that the time limits of ordinary statements do not hold for
// migrations.
func TestAMigrationWaitsForAnotherAsLongAsItTakes(t *testing.T) {
	address, err := url.Parse(storetest.PostgresAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	q := address.Query()
	q.Set("lock_timeout", "1s")
	q.Set("statement_timeout", "1s")
	bounded := *address
	bounded.RawQuery = q.Encode()
	s := open(t, bounded.String())
	conn, err := open(t, address.String()).Writer().Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(t.Context(), "SELECT pg_advisory_lock(727274)"); err != nil {
		t.Fatal(err)
	}
	release := time.AfterFunc(1500*time.Millisecond, func() { _, _ = conn.ExecContext(context.Background(), "SELECT pg_advisory_unlock(727274)") })
	defer release.Stop()
	if n, err := s.MigrateTo(t.Context(), then(t, s, "SELECT pg_sleep(1.5)")); n != 1 || err != nil {
		t.Errorf("applied %d, %v", n, err)
	}
}

// rebuild returns the statements that ent and atlas write for a change of a table that SQLite cannot make in place.
func rebuild(t *testing.T, s *store.Store, table string) string {
	t.Helper()
	var made string
	if err := s.Writer().QueryRowContext(t.Context(), "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = $1", table).Scan(&made); err != nil {
		t.Fatal(err)
	}
	copied := strings.Replace(made, table, "new_"+table, 1)
	return fmt.Sprintf("%s;\nINSERT INTO new_%[2]s SELECT * FROM %[2]s;\nDROP TABLE %[2]s;\nALTER TABLE new_%[2]s RENAME TO %[2]s;", copied, table)
}

func count(t *testing.T, db *sql.DB, query string, args ...any) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func TestARebuiltTableKeepsItsRowsItsTriggersAndWhatRefersToIt(t *testing.T) {
	s := storetest.SQLite(t)
	ctx := t.Context()
	class, err := createClass(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	one, err := createCI(ctx, s, class.ID, "web-1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.Write(ctx, s, by, func(ctx context.Context, tx *store.Tx) (any, error) {
		team := tx.Team.Create().SetName("t").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
		return tx.Owner.Create().SetCiID(one.ID).SetTeamID(team.ID).Save(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
	all := then(t, s, "DROP TRIGGER x_ci_search_delete;"+rebuild(t, s, "ci")+rebuild(t, s, "ci_class"))
	if n, err := s.MigrateTo(ctx, all); n != 1 || err != nil {
		t.Fatalf("applied %d, %v", n, err)
	}
	if n := s.Read.CI.Query().CountX(ctx) + s.Read.Owner.Query().CountX(ctx) + s.Read.CIClass.Query().CountX(ctx); n != 3 {
		t.Errorf("%d of 3 rows survived", n)
	}
	two, err := createCI(ctx, s, class.ID, "web-2")
	if err != nil || two.ID != ident.New(ident.CI, 2) {
		t.Errorf("the next CI is %v, %v", two, err)
	}
	if n := count(t, s.Writer(), "SELECT count(*) FROM x_ci_search WHERE x_ci_search MATCH 'web'"); n != 2 {
		t.Errorf("search finds %d of 2", n)
	}
	if n := count(t, s.Writer(), "SELECT count(*) FROM x_ci_property WHERE path = 'cpuCores'"); n != 2 {
		t.Errorf("filters find %d of 2", n)
	}
	if n := count(t, s.Writer(), "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND name = 'x_ci_search_delete'"); n != 0 {
		t.Error("the trigger that the migration dropped is back")
	}
	if n := count(t, s.Writer(), "PRAGMA foreign_keys"); n != 1 {
		t.Error("foreign keys stay off after a migration")
	}
	if _, err := createCI(ctx, s, ident.New(ident.CIClass, 9), "x"); err == nil {
		t.Error("a CI of no class")
	}
}

func TestARebuiltTableWithoutRowsKeepsItsNumbers(t *testing.T) {
	s := storetest.SQLite(t)
	if n, err := s.MigrateTo(t.Context(), then(t, s, rebuild(t, s, "ci_class"))); n != 1 || err != nil {
		t.Fatalf("applied %d, %v", n, err)
	}
	class, err := createClass(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if class.ID != ident.New(ident.CIClass, 1) {
		t.Errorf("the first class is %v", class.ID)
	}
}

func TestAMigrationThatLosesReferencedRowsIsRefused(t *testing.T) {
	s := storetest.SQLite(t)
	class, err := createClass(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := createCI(t.Context(), s, class.ID, "x"); err != nil {
		t.Fatal(err)
	}
	if n, err := s.MigrateTo(t.Context(), then(t, s, "DELETE FROM ci_class")); n != 0 || err == nil {
		t.Errorf("applied %d, %v", n, err)
	}
	if n := s.Read.CIClass.Query().CountX(t.Context()); n != 1 {
		t.Errorf("%d classes", n)
	}
}
