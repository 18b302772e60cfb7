//go:build linux

package pgtest_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
)

// TestHelperProcess runs in another test process: it makes a database, prints its place and waits for its input to end.
func TestHelperProcess(t *testing.T) {
	if os.Getenv("PGTEST_HELPER") == "" {
		t.Skip("this is the body of the processes that other tests start")
	}
	db := open(t, pgtest.Database(t, "racks", prepareRacks))
	dir := ask[string](t, db, `SELECT current_setting('unix_socket_directories')`)
	lock, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	server, _, _ := strings.Cut(string(lock), "\n")
	fmt.Printf("DIR %s\nPID %s\n", dir, server)
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

type helper struct {
	cmd      *exec.Cmd
	dir, pid string
	leave    func() error
}

func startHelper(t *testing.T, cache string) *helper {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperProcess$", "-test.timeout=120s")
	cmd.Env = append(os.Environ(), "PGTEST_HELPER=1", "XDG_CACHE_HOME="+cache)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	h := &helper{cmd: cmd, leave: in.Close}
	var said []string
	for lines := bufio.NewScanner(out); h.pid == "" && lines.Scan(); said = append(said, lines.Text()) {
		if dir, ok := strings.CutPrefix(lines.Text(), "DIR "); ok {
			h.dir = dir
		}
		if pid, ok := strings.CutPrefix(lines.Text(), "PID "); ok {
			h.pid = pid
		}
	}
	if h.pid == "" {
		_ = cmd.Process.Kill()
		t.Errorf("the process said: %s", strings.Join(said, "\n"))
	}
	return h
}

// gone waits for a file to disappear.
func gone(t *testing.T, path string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(25 * time.Millisecond) {
		if _, err := os.Stat(path); os.IsNotExist(err) {
			return
		}
	}
	t.Errorf("%s is still there after a minute", path)
}

func requireCluster(t *testing.T) { t.Helper(); pgtest.Database(t, "", nil) }

func TestProcessesInParallelHaveClustersOfTheirOwn(t *testing.T) {
	requireCluster(t)
	cache := t.TempDir() // empty: all of them build the cached data directory at once
	helpers := make(chan *helper)
	const processes = 3
	for range processes {
		go func() { helpers <- startHelper(t, cache) }()
	}
	seen := map[string]bool{}
	for range processes {
		h := <-helpers
		seen[h.dir] = true
		defer func() {
			_ = h.leave()
			if err := h.cmd.Wait(); err != nil {
				t.Errorf("a process failed: %v", err)
			}
			gone(t, h.dir)
			gone(t, filepath.Join("/proc", h.pid))
		}()
	}
	if len(seen) != processes {
		t.Errorf("%d clusters for %d processes", len(seen), processes)
	}
	cached, err := filepath.Glob(filepath.Join(cache, "linchpin", "pgtest", "*"))
	if err != nil || len(cached) != 1 {
		t.Errorf("the cache holds %v (%v), want one data directory", cached, err)
	}
}

func TestTheServerDiesWithAKilledProcess(t *testing.T) {
	requireCluster(t)
	h := startHelper(t, os.Getenv("XDG_CACHE_HOME"))
	if err := h.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = h.cmd.Wait()
	gone(t, filepath.Join("/proc", h.pid))
	gone(t, h.dir)
}

func TestAClusterLeftBehindIsSwept(t *testing.T) {
	requireCluster(t)
	// TMPDIR separates this test's clusters from those of other processes.
	tmp, err := os.MkdirTemp("/tmp", "sweep") //nolint:usetesting // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", tmp)
	stale := filepath.Join(tmp, "lpg-123")
	if err := os.MkdirAll(filepath.Join(stale, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	young := filepath.Join(tmp, "lpg-456") // no lock yet: its process is about to take it
	if err := os.Mkdir(young, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(stale, "lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	first := pgtest.Start(t)
	pgtest.Start(t)
	if !first.Running() || os.IsNotExist(first.Restart()) {
		t.Error("a living cluster was swept")
	}
	if _, err := os.Stat(stale); !os.IsNotExist(err) {
		t.Errorf("the stale one is still there: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("the one being made is gone: %v", err)
	}
}
