//go:build unix

package pgconn_test

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"net/url"
	"path/filepath"
	"sync"
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

// proxy stands before a server. Once it is told to hush, what it has taken hears nothing more, as from a host that has
// vanished; what it takes afterwards is served, as by the one that took its address over.
type proxy struct {
	mu   sync.Mutex
	hush chan struct{} // of the connections that are taken now
}

// newProxy returns a proxy and the DSN of a database behind it.
func newProxy(t *testing.T, dsn string) (*proxy, *url.URL) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	name, dir := ".s.PGSQL."+query.Get("port"), t.TempDir()
	real := filepath.Join(query.Get("host"), name)
	query.Set("host", dir)
	u.RawQuery = query.Encode()
	l, err := net.Listen("unix", filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{hush: make(chan struct{})}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("unix", real)
			if err != nil {
				_ = from.Close()
				continue
			}
			p.mu.Lock()
			hush := p.hush
			p.mu.Unlock()
			for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
				go func() {
					defer func() { _ = way[1].Close() }()
					for text := make([]byte, 4096); ; {
						n, err := way[0].Read(text)
						if err != nil {
							return
						}
						select {
						case <-hush:
							continue // taken, and heard by nobody
						default:
						}
						if _, err := way[1].Write(text[:n]); err != nil {
							return
						}
					}
				}()
			}
		}
	}()
	return p, u
}

func (p *proxy) silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.hush)
	p.hush = make(chan struct{})
}

// withAnswer returns a DSN whose answers are waited for no longer than that.
func withAnswer(u *url.URL, timeout string) string {
	query := u.Query()
	query.Set("answer_timeout", timeout)
	return (&url.URL{Scheme: u.Scheme, User: u.User, Host: u.Host, Path: u.Path, RawQuery: query.Encode()}).String()
}

// TestASilentHostCostsOneWait lets a host go silent under two pools with idle connections: the first statement finds
// out, and the others are not sent to where nobody answers.
func TestASilentHostCostsOneWait(t *testing.T) {
	p, u := newProxy(t, database(t))
	dsn, known := withAnswer(u, "2s"), &pgconn.Silence{}
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
	p.silence()
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
	dsn := database(t)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db := single(t, withAnswer(u, "500ms"), pgconn.Prompt())
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
	slow := single(t, withAnswer(u, "500ms"))
	if _, err := slow.ExecContext(t.Context(), long); err != nil {
		t.Errorf("where nobody is in a hurry: %v", err)
	}
}
