package main

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const nobody = 65534

// stranger is linchpin run by a user that may read a folder and write nothing in it.
type stranger struct{ folder, program string }

// newStranger makes a folder in which root writes and others read.
func newStranger(t *testing.T) stranger {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can run a program as another user")
	}
	folder, err := os.MkdirTemp("", "linchpin-reading-") //nolint:usetesting // others may not enter the folder of a test
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	linked, err := exec.LookPath("linchpin")
	if err != nil {
		t.Fatal(err)
	}
	s := stranger{folder, filepath.Join(folder, "linchpin")}
	if linked, err = filepath.EvalSymlinks(linked); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(folder, 0o755), os.Link(linked, s.program)); err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs a command line of the stranger.
func (s stranger) run(t *testing.T, args ...string) (out string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), s.program, args...)
	cmd.Dir, cmd.Env = s.folder, homeless(t)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	text, err := cmd.CombinedOutput()
	return string(text), err
}

func (s stranger) files(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(s.folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestQuestionsAreAnsweredWhereNothingMayBeWritten(t *testing.T) {
	s := newStranger(t)
	address := "sqlite:" + filepath.Join(s.folder, "shop.db")
	p := serve(t, "--demo", "--database", address)
	ask := func(when string) {
		t.Helper()
		for question, want := range map[string]string{
			"impact ups-rtm-a": "rack-rtm-r3", "spof Checkout": "internal-dns", "account list": "SIGNS IN", "token list": "UNTIL", "source list": "demo", "run list": "APPLIED",
			"drift --kind STALE": "ABOUT", "export csv --class rack": "rack-rtm-r3", "import estate racks.yaml --dry-run": "Nothing was written", "journal verify": "The chain holds", "verify": "Everything is",
		} {
			if out, err := s.run(t, append(strings.Fields(question), "--database", "sqlite:shop.db")...); err != nil || !strings.Contains(out, want) {
				t.Errorf("%s: linchpin %s: %v\n%s", when, question, err, out)
			}
		}
	}
	if err := os.Chmod(filepath.Join(s.folder, "shop.db"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.folder, "racks.yaml"), []byte("cis: {rack-9: {class: rack}}\n"), 0o644); err != nil { //nolint:gosec // others read it
		t.Fatal(err)
	}
	for _, shared := range []string{"shop.db-wal", "shop.db-shm"} {
		if err := os.Chmod(filepath.Join(s.folder, shared), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ask("while a server runs")
	if code, err := p.stop(); code != 0 || err != nil {
		t.Fatal(code, err)
	}
	before := s.files(t)
	ask("at rest")
	if after := s.files(t); !slices.Equal(before, after) {
		t.Errorf("there were %q, there are %q", before, after)
	}
	// A log without what connections share: nobody can tell what of it counts.
	if err := os.WriteFile(filepath.Join(s.folder, "shop.db-wal"), bytes.Repeat([]byte{1}, 4096), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := s.run(t, "spof", "--database", "sqlite:shop.db"); err == nil || !strings.Contains(out, "linchpin: open database sqlite:shop.db: ") {
		t.Errorf("with a log that cannot be read: %v\n%s", err, out)
	}
}

func TestQuestionsWriteNothingToPostgres(t *testing.T) {
	eachDatabase(t, func(t *testing.T, address string) {
		if !strings.HasPrefix(address, "postgres") {
			t.Skip("the tests above ask SQLite, whose files have permissions: this one is about PostgreSQL")
		}
		program := func(args ...string) (string, error) {
			cmd := exec.CommandContext(t.Context(), "linchpin", args...)
			cmd.Env = homeless(t)
			out, err := cmd.CombinedOutput()
			return string(out), err
		}
		if out, err := program("generate", "--cis", "300", "--database", address); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		join := "?"
		if strings.Contains(address, "?") {
			join = "&"
		}
		if out, err := program("spof", "--database", address+join+"search_path=nowhere"); err == nil || !strings.Contains(out, "it is not a database of Linchpin") {
			t.Errorf("without tables: %v\n%s", err, out)
		}
		readOnly := address + join + "default_transaction_read_only=on"
		if out, err := program("spof", "--database", readOnly); err != nil || !strings.Contains(out, "single points of failure.") {
			t.Errorf("%v\n%s", err, out)
		}
		if out, err := program("account", "service", "robot", "--role", "VIEWER", "--database", readOnly); err == nil {
			t.Errorf("the address lets everyone write: %s", out)
		}
	})
}

func TestAnImportThatWaitsEndsOnSIGTERM(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "shop.db")
	program := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), "linchpin", args...)
		cmd.Dir, cmd.Env = dir, homeless(t)
		return cmd
	}
	if out, err := program("migrate", "--database", "sqlite:"+path).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "estate.yaml"), []byte("cis: {a: {class: server}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	held, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Rollback() }()
	var said bytes.Buffer
	cmd := program("import", "estate", "estate.yaml", "--database", "sqlite:"+path)
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for !hasOpen(cmd.Process.Pid, path) {
		if time.Sleep(time.Millisecond); t.Context().Err() != nil {
			t.Fatal("it does not open the database")
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	if cmd.ProcessState.ExitCode() != exitFailed || !strings.HasPrefix(said.String(), "linchpin: stopped before it was done: ") {
		t.Errorf("%v\n%s", err, said.String())
	}
}

// hasOpen reports whether a process has a file open.
func hasOpen(pid int, path string) bool {
	links, _ := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "fd", "*"))
	return slices.ContainsFunc(links, func(link string) bool {
		target, err := os.Readlink(link)
		return err == nil && target == path
	})
}
