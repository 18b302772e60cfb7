package benchmark_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/lib/pq"
	_ "modernc.org/sqlite"

	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// asked returns a contender that counts by a statement, without returning the rows it found. clock is that of the
// process that runs the statement.
func asked(t *testing.T, name string, db *sql.DB, statement string, clock func() time.Duration) (*contender, error) {
	prepared, err := db.PrepareContext(t.Context(), statement)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = prepared.Close() })
	return &contender{name: name, ask: func(root topology.Vertex) (reached int, took time.Duration) {
		start := clock()
		if err := prepared.QueryRowContext(t.Context(), int64(root)).Scan(&reached); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return reached, clock() - start
	}}, nil
}

// union is the recursive statement over ids alone. With the depth in the row it would take the paths one by one.
const union = `WITH RECURSIVE reached(ci) AS (SELECT %s UNION SELECT e.dependent FROM reached r JOIN edge e ON e.cause = r.ci) SELECT count(*) FROM reached`

// frontier widens round by round in arrays of the intarray extension; its second argument is the source of a round's
// dependents.
const frontier = `CREATE FUNCTION %s(root int) RETURNS int[] LANGUAGE plpgsql STABLE AS $$
DECLARE seen int[] := ARRAY[root]; fresh int[] := ARRAY[root];
BEGIN
	LOOP
		SELECT uniq(sort(array_agg(d.ci))) INTO fresh FROM %s AS d(ci);
		fresh := fresh - seen;
		EXIT WHEN fresh IS NULL OR icount(fresh) = 0;
		seen := seen | fresh;
	END LOOP;
	RETURN seen;
END $$`

// tuned returns the settings of PostgreSQL and more.
func tuned(more ...pgtest.Option) []pgtest.Option {
	return append(more, pgtest.Parameter("shared_buffers", "1GB"), pgtest.Parameter("work_mem", "256MB"),
		pgtest.Parameter("jit", "off"), pgtest.Parameter("max_parallel_workers_per_gather", "0"))
}

func postgresReach(t *testing.T, s *topology.Snapshot) ([]*contender, error) {
	dsn := pgtest.Database(t, "", nil, tuned()...)
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	if err := fillPostgres(t, db, s); err != nil {
		return nil, err
	}
	var pid int
	if err := db.QueryRowContext(t.Context(), "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		return nil, err
	}
	start := time.Now()
	clock := func() time.Duration {
		if t, ok := processorTimeOf(pid); ok {
			return t
		}
		return time.Since(start)
	}
	var all []*contender
	add := func(name, statement string) error {
		c, err := asked(t, "PostgreSQL, "+name, db, statement, clock)
		if err == nil {
			all = append(all, c)
		}
		return err
	}
	if err := add("recursive UNION on ids", fmt.Sprintf(union, "$1::int")); err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(t.Context(), "CREATE EXTENSION IF NOT EXISTS intarray"); err != nil {
		t.Logf("no intarray extension, its two variants are left out: %v", err)
		return all, nil
	}
	for _, v := range []struct{ function, name, from string }{
		{"reach_rows", "frontier in arrays (intarray), edges in rows", edgesInRows},
		{"reach_arrays", "frontier in arrays (intarray), edges in arrays", "(SELECT unnest(a.dependents) FROM unnest(fresh) f(ci) JOIN adjacency a ON a.cause = f.ci)"},
	} {
		if _, err := db.ExecContext(t.Context(), fmt.Sprintf(frontier, v.function, v.from)); err != nil {
			return nil, err
		}
		if err := add(v.name, "SELECT icount("+v.function+"($1::int))"); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// edgesInRows are the dependents of a round if each edge is a row.
const edgesInRows = "(SELECT e.dependent FROM unnest(fresh) f(ci) JOIN edge e ON e.cause = f.ci)"

func fillPostgres(t *testing.T, db *sql.DB, s *topology.Snapshot) error {
	if err := fillEdges(t, db, s, func(v topology.Vertex) int64 { return int64(v) }); err != nil {
		return err
	}
	return executeAll(t, db,
		"CREATE TABLE adjacency AS SELECT cause, array_agg(dependent) AS dependents FROM edge GROUP BY cause ORDER BY cause",
		"ALTER TABLE adjacency ADD PRIMARY KEY (cause)", "VACUUM ANALYZE adjacency")
}

// fillEdges writes a row for each edge; number returns the number of a CI.
func fillEdges(t *testing.T, db *sql.DB, s *topology.Snapshot, number func(topology.Vertex) int64) error {
	ctx := t.Context()
	if _, err := db.ExecContext(ctx, "CREATE TABLE edge (cause int NOT NULL, dependent int NOT NULL)"); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	copying, err := tx.PrepareContext(ctx, "COPY edge (cause, dependent) FROM STDIN")
	if err != nil {
		return err
	}
	defer func() { _ = copying.Close() }()
	edges(s, func(cause, dependent topology.Vertex) {
		if err == nil {
			_, err = copying.ExecContext(ctx, number(cause), number(dependent))
		}
	})
	if err != nil {
		return err
	}
	if _, err := copying.ExecContext(ctx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return executeAll(t, db, "CREATE INDEX ON edge (cause) INCLUDE (dependent)", "CLUSTER edge USING edge_cause_dependent_idx", "VACUUM ANALYZE edge")
}

func executeAll(t *testing.T, db *sql.DB, statements ...string) error {
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

func sqliteReach(t *testing.T, s *topology.Snapshot) (*contender, error) {
	ctx := t.Context()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "edges.db")+"?_pragma=journal_mode(off)&_pragma=synchronous(off)&_pragma=cache_size(-1000000)")
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "CREATE TABLE edge (cause int, dependent int, PRIMARY KEY (cause, dependent)) WITHOUT ROWID"); err != nil {
		return nil, err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	insert, err := tx.PrepareContext(ctx, "INSERT OR IGNORE INTO edge VALUES (?, ?)")
	if err != nil {
		return nil, err
	}
	defer func() { _ = insert.Close() }()
	edges(s, func(cause, dependent topology.Vertex) {
		if err == nil {
			_, err = insert.ExecContext(ctx, int64(cause), int64(dependent))
		}
	})
	if err != nil {
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, "ANALYZE"); err != nil {
		return nil, err
	}
	return asked(t, "SQLite, recursive UNION on ids", db, fmt.Sprintf(union, "?"), threadTime)
}
