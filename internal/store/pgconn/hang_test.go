//go:build unix

package pgconn_test

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/store/pgconn"
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
