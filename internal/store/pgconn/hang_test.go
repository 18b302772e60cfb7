//go:build unix

package pgconn_test

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/store/pgconn"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
)

func TestABackendThatHangsIsNoticed(t *testing.T) {
	dsn := database(t)
	for name, test := range map[string]struct {
		options  []pgconn.Option
		deadline time.Duration
	}{
		"by its silence":           {[]pgconn.Option{pgconn.ReadTimeout(3 * time.Second)}, time.Hour},
		"when the context is over": {[]pgconn.Option{pgconn.CancelGrace(300 * time.Millisecond)}, 100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			db := single(t, dsn, test.options...)
			pid := ask[int](t, db, `SELECT pg_backend_pid() WHERE $1::int = 1`, 1)
			if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
				t.Skipf("the backend cannot be stopped: %v", err)
			}
			defer func() { _ = syscall.Kill(pid, syscall.SIGCONT) }()
			for deadline := test.deadline; ; deadline *= 2 {
				ctx, cancel := context.WithTimeout(t.Context(), deadline)
				defer cancel()
				began := time.Now()
				_, err := db.ExecContext(ctx, `SELECT pg_backend_pid() WHERE $1::int = 1`, 1)
				hasEnded := ctx.Err() != nil
				if hasEnded && !errors.Is(err, pgconn.ErrLost) && deadline < 10*time.Second {
					continue // before anything was sent: this machine is slow
				}
				if !errors.Is(err, pgconn.ErrLost) || errors.Is(err, context.DeadlineExceeded) != hasEnded {
					t.Errorf("got %v", err)
				}
				if took := time.Since(began); took > time.Minute { // by itself a connection waits for 90 s
					t.Errorf("it took %v", took)
				}
				break
			}
			if now := ask[int](t, db, `SELECT pg_backend_pid() WHERE $1::int = 1`, 1); now == pid {
				t.Error("the connection is used again")
			}
		})
	}
}

func TestALongCopyIsNotSilence(t *testing.T) {
	db := single(t, database(t), pgconn.ReadTimeout(2*time.Second))
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	st, err := tx.PrepareContext(t.Context(), `COPY rack (id, name) FROM STDIN`)
	if err != nil {
		t.Fatal(err)
	}
	long := make([]byte, 80<<10) // more than lib/pq buffers
	for i := range long {
		long[i] = 'x'
	}
	for i := range 25 {
		if _, err := st.ExecContext(t.Context(), 5000+i, string(long)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	if _, err := st.ExecContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(st.Close(), tx.Commit()); err != nil { //nolint:sqlclosecheck // before the commit
		t.Fatal(err)
	}
}

// withAnswer returns a DSN whose answers are waited for no longer than that.
func withAnswer(t *testing.T, dsn, timeout string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("answer_timeout", timeout)
	u.RawQuery = query.Encode()
	return u.String()
}

// TestASilentHostCostsOneWait lets a host go silent under two pools with idle connections: the first statement finds
// out, and the others are not sent to where nobody answers.
func TestASilentHostCostsOneWait(t *testing.T) {
	p, behind := pgtest.NewProxy(t, database(t))
	dsn, known := withAnswer(t, behind, "2s"), &pgconn.Silence{}
	writes, reads := open(t, dsn, pgconn.Prompt(), pgconn.Together(known)), open(t, dsn, pgconn.Together(known))
	const idle = 4
	fill := func(db *sql.DB) {
		t.Helper()
		var all []*sql.Conn
		for range idle {
			conn, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			do(t, conn, "SELECT 1")
			all = append(all, conn)
		}
		for _, conn := range all {
			_ = conn.Close()
		}
		if n := db.Stats().Idle; n != idle {
			t.Fatalf("%d idle connections", n)
		}
	}
	fill(writes)
	fill(reads)
	p.Silence()
	if _, err := writes.ExecContext(t.Context(), "SELECT 1"); !errors.Is(err, pgconn.ErrLost) {
		t.Errorf("the first statement: %v", err)
	}
	for _, db := range []*sql.DB{writes, reads} {
		for range idle {
			do(t, db, "SELECT 1")
		}
	}
}

func TestAPromptConnectionIsPatientIfItIsTold(t *testing.T) {
	dsn := withAnswer(t, database(t), "500ms")
	db := single(t, dsn, pgconn.Prompt())
	const long = "SELECT pg_sleep(1)"
	if _, err := db.ExecContext(t.Context(), long); !errors.Is(err, pgconn.ErrLost) {
		t.Errorf("a statement that is not said to be long: %v", err)
	}
	do(t, db, "SELECT 1")
	if _, err := db.ExecContext(pgconn.Patient(t.Context()), long); err != nil {
		t.Errorf("one that is: %v", err)
	}
	tx, err := db.BeginTx(pgconn.Patient(t.Context()), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), long); err != nil {
		t.Errorf("in a transaction that is: %v", err)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	slow := single(t, dsn)
	if _, err := slow.ExecContext(t.Context(), long); err != nil {
		t.Errorf("where nobody is in a hurry: %v", err)
	}
}
