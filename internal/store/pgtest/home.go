//go:build linux || darwin || freebsd

package pgtest

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const homePrefix = "lpg-"

// home is the directory of one cluster: the data, the socket, the log, and a lock that is held as long as the
// process that made it lives.
type home struct {
	path    string
	owner   *account // the owner of the files; nil if this process is
	lock    *os.File
	janitor *exec.Cmd
	leash   io.WriteCloser // the janitor cleans up when this closes, which it does when we die
}

// account is the unprivileged user that stands in for root, whom initdb and postgres refuse.
type account struct{ uid, gid int }

func (h *home) data() string { return filepath.Join(h.path, "data") }
func (h *home) log() string  { return filepath.Join(h.path, "log") }

func newHome(durable bool) (_ *home, err error) {
	h := &home{}
	if os.Geteuid() == 0 {
		if h.owner, err = unprivileged(); err != nil {
			return nil, err
		}
	}
	base := h.base(durable)
	sweep(base)
	if h.path, err = os.MkdirTemp(base, homePrefix); err != nil {
		return nil, err
	}
	// The lock gets its name when it is held: a sweep in another process never sees it free.
	unnamed := filepath.Join(h.path, "lock.new")
	if h.lock, err = os.OpenFile(unnamed, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, err
	}
	if err = syscall.Flock(int(h.lock.Fd()), syscall.LOCK_EX); err != nil {
		return nil, err
	}
	if err = os.Rename(unnamed, filepath.Join(h.path, "lock")); err != nil {
		return nil, err
	}
	if h.owner != nil {
		if err = os.Chown(h.path, h.owner.uid, h.owner.gid); err != nil {
			return nil, err
		}
	}
	return h, h.hire()
}

func unprivileged() (*account, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uerr := strconv.Atoi(u.Uid)
		gid, gerr := strconv.Atoi(u.Gid)
		if uerr == nil && gerr == nil && uid != 0 {
			return &account{uid: uid, gid: gid}, nil
		}
	}
	return nil, errors.New("PostgreSQL refuses to run as root: create a user postgres or nobody for it to run as, or run the tests as another user")
}

// base returns the directory of clusters: in memory if they need not last and TMPDIR says nothing (making a database
// took 25 ms there and 350 ms on a virtual disk), else in the temporary directory, unless its name is too long for a
// unix socket (107 bytes in all) or the server's user may not pass through it.
func (h *home) base(durable bool) string {
	if dir := memoryDir(); !durable && dir != "" && os.Getenv("TMPDIR") == "" && passable(dir) {
		return dir
	}
	tmp := os.TempDir()
	if len(tmp) > 60 || h.owner != nil && !passable(tmp) {
		return "/tmp"
	}
	return tmp
}

func passable(dir string) bool {
	for ; ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

// hire starts a shell that waits for the end of this process, however it comes, and then removes the directory. On
// systems with a parent death signal that ends the server.
func (h *home) hire() (err error) {
	const script = `cat >/dev/null
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
[ -z "$2" ] && [ -n "$pid" ] && kill -QUIT "$pid"
for i in 1 2 3 4 5 6 7 8 9 10; do
  [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null || break
  sleep 0.3
done
rm -rf -- "$1"`
	h.janitor = exec.Command("/bin/sh", "-c", script, "pgtest-janitor", h.path, parentDeathSignal)
	h.janitor.Dir = "/"
	h.janitor.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt on the terminal is not for it
	if h.leash, err = h.janitor.StdinPipe(); err != nil {
		return err
	}
	return h.janitor.Start()
}

// remove deletes the directory of a cluster that is down.
func (h *home) remove() error {
	err := errors.Join(os.RemoveAll(h.path), h.lock.Close(), h.leash.Close())
	_ = h.janitor.Wait() // it found nothing left to do
	return err
}

// sweep removes the clusters in base whose process and janitor are both gone. Failures are left to the next sweep.
func sweep(base string) {
	homes, _ := filepath.Glob(filepath.Join(base, homePrefix+"*"))
	for _, dir := range homes {
		f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
		if err != nil {
			continue // someone else's, or just being made
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			killIn(filepath.Join(dir, "data"))
			_ = os.RemoveAll(dir)
		}
		_ = f.Close()
	}
}

// environment returns the variables for PostgreSQL's programs: none of the caller's PG* variables.
func environment(homeDir string) []string {
	env := []string{"HOME=" + homeDir, "LC_ALL=C.UTF-8", "TZ=UTC"}
	for _, v := range os.Environ() {
		if strings.HasPrefix(v, "PATH=") || strings.HasPrefix(v, "LD_LIBRARY_PATH=") {
			env = append(env, v)
		}
	}
	return env
}
