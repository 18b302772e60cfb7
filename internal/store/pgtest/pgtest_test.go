package pgtest_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lib/pq"

	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
)

// open returns a pool on dsn that is closed before the database is dropped.
func open(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func do(t testing.TB, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func ask[T any](t testing.TB, db *sql.DB, query string, args ...any) (v T) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// prepareRacks makes a table and leaves its connection open, as a careless migration would.
func prepareRacks(dsn string) error {
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return err
	}
	_, err = db.Exec(`CREATE TABLE rack (name text); INSERT INTO rack VALUES ('from the template')`)
	return err
}

func TestTwoDatabasesFromOneTemplateAreApart(t *testing.T) {
	a := open(t, pgtest.Database(t, "racks", prepareRacks))
	b := open(t, pgtest.Database(t, "racks", prepareRacks))
	do(t, a, `INSERT INTO rack VALUES ('mine')`)
	if n := ask[int](t, a, `SELECT count(*) FROM rack`); n != 2 {
		t.Errorf("the first has %d rows, want 2", n)
	}
	if n := ask[int](t, b, `SELECT count(*) FROM rack`); n != 1 {
		t.Errorf("the second has %d rows, want the template's 1", n)
	}
}

func TestConcurrentTestsShareOneTemplate(t *testing.T) {
	var prepared atomic.Int32
	key := fmt.Sprintf("counted %p", &prepared) // a new one each time that the test runs
	prepare := func(dsn string) error {
		prepared.Add(1)
		return prepareRacks(dsn)
	}
	t.Run("group", func(t *testing.T) {
		for i := range 12 {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				db := open(t, pgtest.Database(t, key, prepare))
				do(t, db, `INSERT INTO rack SELECT 'more' FROM generate_series(1, $1::int)`, i)
				if n := ask[int](t, db, `SELECT count(*) FROM rack`); n != i+1 {
					t.Errorf("%d rows, want %d", n, i+1)
				}
			})
		}
	})
	if n := prepared.Load(); n != 1 {
		t.Errorf("prepared %d times, want once", n)
	}
}

func TestADatabaseIsDroppedWithItsTest(t *testing.T) {
	var dsn string
	t.Run("owner", func(t *testing.T) {
		dsn = pgtest.Database(t, "", nil)
		db, err := sql.Open("postgres", dsn) // not closed: dropping must not wait for it
		if err != nil {
			t.Fatal(err)
		}
		do(t, db, `SELECT 1`)
	})
	_, err := open(t, dsn).ExecContext(t.Context(), `SELECT 1`)
	var pqErr *pq.Error
	if !errors.As(err, &pqErr) || pqErr.Code != "3D000" { // invalid_catalog_name
		t.Errorf("using it afterwards: %v, want 3D000", err)
	}
}

func TestTheClusterIsPrivateAndUTF8(t *testing.T) {
	db := open(t, pgtest.Database(t, "", nil))
	for setting, want := range map[string]string{
		"listen_addresses": "", "lc_collate": "C.UTF-8", "server_encoding": "UTF8", "fsync": "off",
		"max_connections": "200", "TimeZone": "UTC", "autovacuum": "off",
	} {
		if got := ask[string](t, db, `SELECT current_setting($1)`, setting); got != want {
			t.Errorf("%s = %q, want %q", setting, got, want)
		}
	}
	info, err := os.Stat(ask[string](t, db, `SELECT current_setting('unix_socket_directories')`))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("the directory of the socket is %v, want 0700", info.Mode())
	}
}

func TestADurableClusterKeepsFsync(t *testing.T) {
	db := open(t, pgtest.Database(t, "", nil, pgtest.Durable, pgtest.Parameter("work_mem", "7MB")))
	for setting, want := range map[string]string{"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "work_mem": "7MB"} {
		if got := ask[string](t, db, `SELECT current_setting($1)`, setting); got != want {
			t.Errorf("%s = %q, want %q", setting, got, want)
		}
	}
}

func TestAKilledClusterComesBackWithWhatWasCommitted(t *testing.T) {
	c := pgtest.Start(t, pgtest.Durable)
	db := open(t, c.Database(t, "racks", prepareRacks))
	for round := range 3 {
		do(t, db, `INSERT INTO rack VALUES ('acknowledged')`)
		open := db.Stats().OpenConnections
		down := c.Kill
		if round == 2 {
			down = c.Stop
		}
		if err := down(); err != nil {
			t.Fatal(err)
		}
		if c.Running() {
			t.Fatal("it says that it runs")
		}
		if err := db.PingContext(t.Context()); err == nil {
			t.Fatal("a server that is down answers")
		}
		if err := c.Restart(); err != nil {
			t.Fatalf("round %d with %d connections: %v", round, open, err)
		}
		if n := ask[int](t, db, `SELECT count(*) FROM rack`); n != round+2 {
			t.Fatalf("round %d: %d rows after the restart, want %d", round, n, round+2)
		}
	}
}

func TestAStartedClusterLeavesNothing(t *testing.T) {
	var dir string
	t.Run("owner", func(t *testing.T) {
		c := pgtest.Start(t)
		dir = ask[string](t, open(t, c.DSN("postgres")), `SELECT current_setting('unix_socket_directories')`)
	})
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", filepath.Base(dir), err)
	}
}

func BenchmarkDatabase(b *testing.B) {
	pgtest.Database(b, "racks", prepareRacks)
	for b.Loop() {
		pgtest.Database(b, "racks", prepareRacks)
	}
}

// TestManyGoroutinesStartOneCluster asks for one key from many goroutines before the cluster exists.
func TestManyGoroutinesStartOneCluster(t *testing.T) {
	var wg sync.WaitGroup
	dirs := make([]string, 8)
	for i := range dirs {
		wg.Go(func() {
			db := open(t, pgtest.Database(t, "", nil, pgtest.Parameter("work_mem", "5MB")))
			dirs[i] = ask[string](t, db, `SELECT current_setting('data_directory')`)
		})
	}
	wg.Wait()
	for _, d := range dirs {
		if d != dirs[0] {
			t.Errorf("two clusters: %s and %s", d, dirs[0])
		}
	}
}
