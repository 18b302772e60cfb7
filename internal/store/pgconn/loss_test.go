package pgconn_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/store/pgconn"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
)

func TestALostStatementIsNotRepeated(t *testing.T) {
	dsn := database(t)
	for name, query := range map[string]struct {
		text string
		args []any
	}{
		"kept":   {`SELECT nextval('attempts'), pg_sleep($1)`, []any{30}},
		"direct": {`SELECT nextval('attempts'), pg_sleep(30)`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			admin := open(t, dsn)
			attempt := func(db *sql.DB) (attempts int, err error) {
				do(t, admin, `ALTER SEQUENCE attempts RESTART`)
				before := ask[int](t, admin, `SELECT nextval('attempts')`)
				done := make(chan error)
				go func() {
					_, err := db.ExecContext(t.Context(), query.text, query.args...)
					done <- err
				}()
				for {
					select {
					case err := <-done:
						return ask[int](t, admin, `SELECT nextval('attempts')`) - before - 1, err
					case <-time.After(20 * time.Millisecond):
						do(t, admin, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()`)
					}
				}
			}
			if n, err := attempt(single(t, dsn)); n != 1 || !errors.Is(err, pgconn.ErrLost) {
				t.Errorf("%d attempts, %v; want 1 and ErrLost", n, err)
			}
			plain, err := sql.Open("postgres", dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer plain.Close()
			if n, err := attempt(plain); n < 2 { // the control: this test can tell the difference
				t.Errorf("plain lib/pq made %d attempts, %v; it used to repeat", n, err)
			}
		})
	}
}

func TestAConnectionLostWhilePreparingIsReplaced(t *testing.T) {
	dsn := database(t)
	admin := open(t, dsn)
	blocker, err := admin.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = blocker.Rollback() }()
	do(t, blocker, `LOCK TABLE rack`) // the statement waits for it when it is parsed
	done := make(chan error)
	db := single(t, dsn)
	go func() {
		_, err := db.ExecContext(t.Context(), `UPDATE rack SET name = 'once' WHERE id = $1`, 1)
		done <- err
	}()
	const terminate = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`
	for ask[int](t, admin, terminate) == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	if err := blocker.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("got %v: nothing had been executed, so it could be tried again", err)
	}
}

func TestARestartOfTheServerCostsNothing(t *testing.T) {
	c := pgtest.Start(t)
	dsn := c.Database(t, "racks", racks)
	for name, dsn := range map[string]string{"unix": dsn, "tcp": overTCP(t, dsn)} {
		t.Run(name, func(t *testing.T) {
			db := open(t, dsn)
			db.SetMaxIdleConns(5)
			var conns []*sql.Conn
			for range 5 {
				conn, err := db.Conn(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				ask[string](t, conn, `SELECT name FROM rack WHERE id = $1`, 1)
				conns = append(conns, conn)
			}
			for _, conn := range conns {
				_ = conn.Close()
			}
			if err := c.Restart(); err != nil {
				t.Fatal(err)
			}
			for range 10 {
				ask[string](t, db, `SELECT name FROM rack WHERE id = $1`, 1)
			}
		})
	}
}

// overTCP returns the DSN of the same database behind a TCP port, where a write to a peer that has gone succeeds; on a
// unix socket it fails.
func overTCP(t *testing.T, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	socket := filepath.Join(q.Get("host"), ".s.PGSQL."+q.Get("port"))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("unix", socket)
			if err != nil {
				_ = near.Close()
				continue
			}
			pipe := func(to, from net.Conn) {
				_, _ = io.Copy(to, from)
				_, _ = near.Close(), far.Close()
			}
			go pipe(near, far)
			go pipe(far, near)
		}
	}()
	q.Set("host", "127.0.0.1")
	q.Set("port", fmt.Sprint(l.Addr().(*net.TCPAddr).Port))
	u.RawQuery = q.Encode()
	return u.String()
}

// TestACancelledCommitIsNotCalledASuccess shows what BeginTx is for: lib/pq alone returns nil here, although no standby
// has the commit.
func TestACancelledCommitIsNotCalledASuccess(t *testing.T) {
	c := pgtest.Start(t, pgtest.Durable, pgtest.Parameter("synchronous_commit", "off"), pgtest.Parameter("synchronous_standby_names", "nobody"))
	dsn := c.Database(t, "racks", racks)
	admin := open(t, dsn)
	commit := func(db *sql.DB) error {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		do(t, tx, `SET LOCAL synchronous_commit = on`)
		do(t, tx, `UPDATE rack SET name = 'moved' WHERE id = 1`)
		committed := make(chan error, 1)
		go func() { committed <- tx.Commit() }()
		until(t, admin, `SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)
		cancel()
		return <-committed
	}
	if err := commit(open(t, dsn, pgconn.ReadTimeout(3*time.Second))); !errors.Is(err, pgconn.ErrLost) {
		t.Errorf("got %v, want ErrLost", err)
	}
	plain, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	until(t, admin, `SELECT count(pg_terminate_backend(pid)) = 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)
	if err := commit(plain); err != nil { // the control
		t.Errorf("plain lib/pq now says %v: the detour in BeginTx may no longer be needed", err)
	}
}
