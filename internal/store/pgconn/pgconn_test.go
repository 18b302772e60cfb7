package pgconn_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"github.com/linchpin-cmdb/linchpin/internal/store/pgconn"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
)

func racks(dsn string) error {
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(`CREATE TABLE rack (id int PRIMARY KEY, name text);
		INSERT INTO rack SELECT i, 'rack-' || i FROM generate_series(1, 1000) i;
		CREATE SEQUENCE attempts`)
	return err
}

func open(t testing.TB, dsn string, options ...pgconn.Option) *sql.DB {
	t.Helper()
	db, err := pgconn.Open(dsn, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// single returns a pool of one connection, so that a test knows which one it gets.
func single(t testing.TB, dsn string, options ...pgconn.Option) *sql.DB {
	t.Helper()
	db := open(t, dsn, options...)
	db.SetMaxOpenConns(1)
	return db
}

func database(t testing.TB) string { t.Helper(); return pgtest.Database(t, "racks", racks) }

// until repeats a query until its answer is true.
func until(t testing.TB, q querier, query string, args ...any) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ask[bool](t, q, query, args...); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s %v", query, args)
		}
	}
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func ask[T any](t testing.TB, q querier, query string, args ...any) (v T) {
	t.Helper()
	if err := q.QueryRowContext(t.Context(), query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

func do(t testing.TB, q querier, query string, args ...any) {
	t.Helper()
	if _, err := q.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func code(err error) pqerror.Code {
	var e *pq.Error
	errors.As(err, &e)
	if e == nil {
		return ""
	}
	return e.Code
}

// kept counts the statements that are kept. It is not kept itself: text that ends in a semicolon may be several
// statements.
const kept = `SELECT count(*) FROM pg_prepared_statements;`

func TestAStatementIsPreparedOncePerConnection(t *testing.T) {
	db := single(t, database(t))
	for i := 1; i <= 10; i++ {
		if got, want := ask[string](t, db, `SELECT name FROM rack WHERE id = $1`, i), fmt.Sprint("rack-", i); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		do(t, db, `UPDATE rack SET name = name WHERE id = $1`, i)
	}
	for range 10 {
		ask[int](t, db, `SELECT count(*) FROM rack`)
	}
	if n := ask[int](t, db, kept); n != 3 {
		t.Errorf("%d statements are kept, want 3", n)
	}
	if n := ask[int](t, db, `SELECT sum(generic_plans + custom_plans) FROM pg_prepared_statements;`); n != 30 {
		t.Errorf("they were used %d times, want 30", n)
	}
}

func TestStatementsUsedLongestAgoGoFirst(t *testing.T) {
	db := single(t, database(t), pgconn.Statements(3))
	for _, n := range []int{1, 2, 3, 1, 4, 5, 1} { // keeps 4, 5, 1
		ask[int](t, db, fmt.Sprintf(`SELECT %d + $1::int`, n), 1)
	}
	got := ask[string](t, db, `SELECT string_agg(substr(statement, 8, 1), '' ORDER BY statement) FROM pg_prepared_statements;`)
	if got != "145" {
		t.Errorf("kept %s, want 145", got)
	}
}

func TestStatementsForOneOccasionAreNotKept(t *testing.T) {
	db := single(t, database(t))
	list := strings.TrimSuffix(strings.Repeat("$1::int,", 1500), ",")
	if n := ask[int](t, db, `SELECT count(*) FROM rack WHERE id IN (`+list+`)`, 7); n != 1 {
		t.Errorf("%d rows", n)
	}
	args := make([]any, 300)
	for i := range args {
		args[i] = i
	}
	var many strings.Builder
	for i := range args {
		fmt.Fprintf(&many, ",$%d", i+1)
	}
	if n := ask[int](t, db, `SELECT count(*) FROM rack WHERE id IN (`+many.String()[1:]+`)`, args...); n != 299 {
		t.Errorf("%d rows, want 299", n)
	}
	if n := ask[int](t, db, kept); n != 0 {
		t.Errorf("%d statements are kept, want none", n)
	}
	if n := ask[int](t, single(t, database(t), pgconn.Statements(0)), strings.TrimSuffix(kept, ";")+` WHERE $1::int = 1`, 1); n != 0 {
		t.Errorf("%d statements are kept by a connection that keeps none", n)
	}
}

func TestATableMayChangeUnderAKeptStatement(t *testing.T) {
	dsn := database(t)
	db, other := single(t, dsn), open(t, dsn)
	for _, change := range []string{
		`ALTER TABLE rack ALTER name TYPE varchar(50)`, // 0A000: cached plan must not change result type
		`ALTER TABLE rack ADD height int`,              // 0A000, by the star
		`ALTER TABLE rack ALTER id TYPE text`,          // 42883: text = integer
	} {
		query := func() error {
			rows, err := db.QueryContext(t.Context(), `SELECT * FROM rack WHERE id = $1`, 1)
			if err != nil {
				return err
			}
			for rows.Next() {
			}
			return errors.Join(rows.Err(), rows.Close()) //nolint:sqlclosecheck // its error counts
		}
		if err := query(); err != nil {
			t.Fatalf("before %s: %v", change, err)
		}
		do(t, other, change)
		if err := query(); err != nil {
			t.Errorf("after %s: %v", change, err)
		}
		if n := ask[int](t, db, kept); n != 1 {
			t.Errorf("after %s: %d statements are kept, want 1", change, n)
		}
	}
}

func TestInATransactionAStaleStatementFailsOnce(t *testing.T) {
	dsn := database(t)
	db, other := single(t, dsn), open(t, dsn)
	const query = `SELECT name FROM rack WHERE id = $1`
	ask[string](t, db, query, 1)
	do(t, other, `ALTER TABLE rack ALTER name TYPE varchar(50)`)
	attempt := func() error {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		var name string
		return errors.Join(tx.QueryRowContext(t.Context(), query, 1).Scan(&name))
	}
	if err := attempt(); code(err) != pqerror.FeatureNotSupported {
		t.Errorf("first: %v, want 0A000", err)
	}
	if err := attempt(); err != nil {
		t.Errorf("second: %v", err)
	}
	// A transaction that database/sql does not know of.
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	do(t, conn, `BEGIN`)
	do(t, other, `ALTER TABLE rack ALTER name TYPE varchar(60)`)
	var name string
	if err := conn.QueryRowContext(t.Context(), query, 1).Scan(&name); code(err) != pqerror.FeatureNotSupported {
		t.Errorf("past database/sql: %v, want the reason, 0A000", err)
	}
	do(t, conn, `ROLLBACK`)
	ask[string](t, conn, query, 1)
}

func TestStatementsThatTheServerForgotArePreparedAgain(t *testing.T) {
	db := single(t, database(t))
	for range 3 {
		ask[string](t, db, `SELECT name FROM rack WHERE id = $1`, 1)
		do(t, db, `DISCARD ALL`)
	}
}

// ending returns a context whose deadline passes when end is called.
func ending(t *testing.T) (ctx context.Context, end func()) {
	d := &deadline{Context: t.Context(), passed: make(chan struct{})}
	return d, func() { close(d.passed) }
}

type deadline struct {
	context.Context
	passed chan struct{}
}

func (d *deadline) Done() <-chan struct{} { return d.passed }

func (d *deadline) Err() error {
	select {
	case <-d.passed:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

func TestAnEndedContextShowsAsItselfAndAs57014(t *testing.T) {
	dsn := database(t)
	db, admin := single(t, dsn), open(t, dsn)
	calls := map[string]func(context.Context) error{
		"kept": func(ctx context.Context) error {
			return db.QueryRowContext(ctx, `SELECT pg_sleep($1)::text`, 30).Scan(new(string))
		},
		"kept again": func(ctx context.Context) error {
			return db.QueryRowContext(ctx, `SELECT pg_sleep($1)::text`, 30).Scan(new(string))
		},
		"direct": func(ctx context.Context) error {
			return db.QueryRowContext(ctx, `SELECT pg_sleep(30)::text`).Scan(new(string))
		},
		"exec": func(ctx context.Context) error { _, err := db.ExecContext(ctx, `SELECT pg_sleep($1)`, 30); return err },
		"prepared": func(ctx context.Context) error {
			st, err := db.PrepareContext(context.Background(), `SELECT pg_sleep($1)`)
			if err != nil {
				return err
			}
			defer st.Close()
			_, err = st.ExecContext(ctx, 30)
			return err
		},
		"transaction": func(ctx context.Context) error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback() }()
			_, err = tx.Exec(`SELECT pg_sleep($1)`, 30) // no context of its own
			return err
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			before := ask[int](t, db, `SELECT pg_backend_pid()`)
			ctx, end := ending(t)
			ended := make(chan error, 1)
			go func() { ended <- call(ctx) }()
			until(t, admin, `SELECT count(*) > 0 FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'`, before)
			began := time.Now()
			end()
			if err := <-ended; !errors.Is(err, context.DeadlineExceeded) || code(err) != pqerror.QueryCanceled {
				t.Errorf("got %v, want the deadline and 57014", err)
			}
			if took := time.Since(began); took > 20*time.Second { // it would sleep for 30 s
				t.Errorf("it took %v", took)
			}
			if got := ask[string](t, db, `SELECT name FROM rack WHERE id = $1`, 5); got != "rack-5" {
				t.Errorf("afterwards: %s", got)
			}
			if ask[int](t, db, `SELECT pg_backend_pid()`) == before {
				t.Error("the connection is used again, and a second cancel request may be on its way to it")
			}
		})
	}
	do(t, db, `SET statement_timeout = 50`)
	_, err := db.ExecContext(t.Context(), `SELECT pg_sleep($1)`, 30)
	if code(err) != pqerror.QueryCanceled || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("statement_timeout: %v, want 57014 and no deadline", err)
	}
}

func TestAnUnfinishedQueryKeepsOthersOff(t *testing.T) {
	db := single(t, database(t))
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	for _, query := range []string{`SELECT id FROM rack WHERE id > $1`, `SELECT id FROM rack WHERE id > 10 AND $1 > 0`} {
		rows, err := tx.QueryContext(t.Context(), query, 10)
		if err != nil {
			t.Fatal(err)
		}
		rows.Next()
		for _, second := range []string{`SELECT $1::int`, `SELECT 1 WHERE 1 = $1`} {
			if _, err := tx.ExecContext(t.Context(), second, 1); err == nil || !strings.Contains(err.Error(), "not finished") {
				t.Errorf("a second statement: %v", err)
			}
		}
		if _, err := tx.ExecContext(t.Context(), `SELECT 1`); err == nil {
			t.Error("a second statement without arguments went through")
		}
		n := 1
		for rows.Next() {
			n++
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil || n != 990 { //nolint:sqlclosecheck // its error counts
			t.Errorf("%d rows, %v; want 990", n, err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
}

func TestRowsKeepWhatLibPQOffers(t *testing.T) {
	db := single(t, database(t))
	rows, err := db.QueryContext(t.Context(), `SELECT id, name::varchar(20), 1.5::numeric(7,2) FROM rack WHERE id = ANY($1) ORDER BY id`, []int{3, 5})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	length, _ := types[1].Length()
	precision, scale, _ := types[2].DecimalSize()
	if got := fmt.Sprint(types[0].DatabaseTypeName(), types[0].ScanType(), length, precision, scale); got != "INT4int32 20 7 2" {
		t.Errorf("column types: %s", got)
	}
	n := 0
	for rows.Next() {
		n++
	}
	if err := rows.Err(); err != nil || n != 2 {
		t.Errorf("%d rows of an array argument, %v; want 2", n, err)
	}
	several, err := db.QueryContext(t.Context(), `SELECT 1; SELECT 2`)
	if err != nil {
		t.Fatal(err)
	}
	defer several.Close()
	for several.Next() {
	}
	if !several.NextResultSet() || !several.Next() {
		t.Error("the second result is missing")
	}
	if err := several.Err(); err != nil {
		t.Error(err)
	}
}

func TestManyCallersWithContextsThatEndGetTheirOwnAnswers(t *testing.T) {
	db := open(t, database(t), pgconn.Statements(4))
	db.SetMaxOpenConns(6)
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			for range 60 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(8000))*time.Microsecond)
				id, shape := 1+rand.IntN(1000), rand.IntN(7)
				var gotID int
				var got string
				err := db.QueryRowContext(ctx, fmt.Sprintf(`SELECT id, name FROM rack WHERE id = $1 AND %d = %[1]d AND pg_sleep(0.001) IS NOT NULL`, shape), id).Scan(&gotID, &got)
				switch {
				case err == nil && (gotID != id || got != fmt.Sprint("rack-", id)):
					t.Errorf("asked for %d, got %d, %s", id, gotID, got)
				case err != nil && !errors.Is(err, context.DeadlineExceeded):
					t.Errorf("%v", err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	if got := ask[string](t, db, `SELECT name FROM rack WHERE id = $1`, 5); got != "rack-5" {
		t.Errorf("afterwards: %s", got)
	}
}
