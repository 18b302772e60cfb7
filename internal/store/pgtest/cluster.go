//go:build linux || darwin || freebsd

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	superuser    = "postgres"
	port         = "5432"          // only a part of the socket's name
	startTimeout = 5 * time.Minute // after a crash everything is synced first, on a disk that may be slow
	stopTimeout  = 2 * time.Minute
)

// Cluster is one PostgreSQL server with a data directory of its own, reachable by a unix socket only.
type Cluster struct {
	home      *home
	bin       string
	settings  settings
	names     atomic.Int64
	mu        sync.Mutex // guards templates and server
	templates map[string]*template
	server    *server // nil while the cluster is down
}

// server is one run of the postmaster.
type server struct {
	cmd    *exec.Cmd
	exited chan struct{}
	err    error // how it ended; read after exited
}

// Start makes a cluster for t alone, which t may stop, kill and restart. It is removed when t ends.
func Start(t testing.TB, options ...Option) *Cluster {
	t.Helper()
	c, err := open(settingsOf(options))
	refuse(t, err)
	t.Cleanup(func() {
		if err := errors.Join(c.Kill(), c.home.remove()); err != nil {
			t.Errorf("pgtest: removing the cluster: %v", err)
		}
	})
	return c
}

func open(s settings) (*Cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	h, err := newHome(s.durable)
	if err != nil {
		return nil, fmt.Errorf("making the cluster's directory: %w", err)
	}
	c := &Cluster{home: h, bin: bin, settings: s, templates: map[string]*template{}}
	if err = h.fill(bin); err == nil {
		err = c.Restart()
	}
	if err != nil {
		return nil, errors.Join(err, c.Kill(), h.remove())
	}
	return c, nil
}

// Running reports whether the server is up, as far as this process knows.
func (c *Cluster) Running() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server == nil {
		return false
	}
	select {
	case <-c.server.exited:
		return false
	default:
		return true
	}
}

// Stop ends the server in order: it cuts off sessions and writes what is committed ("fast" shutdown).
func (c *Cluster) Stop() error { return c.end(syscall.SIGINT) }

// Kill ends every process of the server at once, as kill -9 of each would. On systems other than Linux the backends end
// when they notice.
func (c *Cluster) Kill() error { return c.end(syscall.SIGKILL) }

func (c *Cluster) end(sig syscall.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.server
	if s == nil {
		return nil
	}
	if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if sig == syscall.SIGKILL {
		killIn(c.home.data())
	}
	select {
	case <-s.exited:
	case <-time.After(stopTimeout):
		return fmt.Errorf("the server did not stop in %v\n%s", stopTimeout, c.Log())
	}
	if sig == syscall.SIGKILL {
		killIn(c.home.data()) // a backend that was being forked
	}
	c.server = nil
	return nil
}

// Restart stops the server if it runs, and starts it. It returns when connections are accepted.
func (c *Cluster) Restart() error {
	if err := c.Stop(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	deadline := time.Now().Add(startTimeout)
	for {
		s, err := c.launch()
		if err != nil {
			return err
		}
		err = c.await(s, deadline)
		if err == nil {
			c.server = s
			return nil
		}
		_ = s.cmd.Process.Kill()
		<-s.exited
		// After Kill the shared memory lives until the last backend has noticed, so another try may succeed.
		if !hasOrphans(c.home.data()) || time.Now().After(deadline) {
			return fmt.Errorf("starting %s: %w\n%s", filepath.Join(c.bin, "postgres"), err, c.Log())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (c *Cluster) launch() (*server, error) {
	log, err := os.OpenFile(c.home.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(c.bin, "postgres"), "-D", c.home.data())
	for _, p := range c.parameters() {
		cmd.Args = append(cmd.Args, "-c", p)
	}
	cmd.Dir, cmd.Env = c.home.path, environment(c.home.path)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attributes(c.home.owner)
	dieWithThread(cmd.SysProcAttr)
	s := &server{cmd: cmd, exited: make(chan struct{})}
	started := make(chan error)
	go guard(s, started)
	return s, <-started
}

// guard starts the server and waits for its end. It holds its thread, because Linux sends the parent death
// signal when the thread that forked ends, not when the process does.
func guard(s *server, started chan<- error) {
	runtime.LockOSThread() // for good: the thread ends with this goroutine
	err := s.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	s.err = s.cmd.Wait()
	close(s.exited)
}

func (c *Cluster) parameters() []string {
	p := []string{
		"listen_addresses=",
		"unix_socket_directories=" + c.home.path,
		"port=" + port,
		"max_connections=200",
		"shared_buffers=128MB",
		"max_wal_size=512MB", // it may live in memory
		"timezone=UTC",
		"log_timezone=UTC",
		"lc_messages=C",
		"jit=off",
	}
	if !c.settings.durable {
		p = append(p, "fsync=off", "synchronous_commit=off", "full_page_writes=off",
			"wal_level=minimal", "max_wal_senders=0", "autovacuum=off", "checkpoint_timeout=1h")
	}
	return slices.Concat(p, c.settings.parameters)
}

// await waits until the server answers, and returns an error if it does not.
func (c *Cluster) await(s *server, deadline time.Time) error {
	for {
		err := c.exec(context.Background(), "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-s.exited:
			return fmt.Errorf("the server ended: %w", s.err)
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no answer in %v: %w", startTimeout, err)
		}
	}
}

// Log returns the end of the server's log.
func (c *Cluster) Log() string {
	const most = 4 << 10
	b, err := os.ReadFile(c.home.log())
	if err != nil {
		return "(no server log: " + err.Error() + ")"
	}
	return string(b[max(0, len(b)-most):])
}
