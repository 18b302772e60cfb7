//go:build linux || darwin || freebsd

package pgtest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

var initArguments = []string{
	"--username=" + superuser, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8",
	"--wal-segsize=4", "--no-sync",
}

// fill makes the data directory: a copy of the cached one if there is one, else by initdb, whose result is
// then cached for the next process. A cache that cannot be written costs time, nothing else.
func (h *home) fill(bin string) error {
	cached, err := cachePath(bin)
	if err != nil {
		return err
	}
	if _, err := os.Stat(cached); err == nil {
		if err := copyTree(cached, h.data(), h.owner); err != nil {
			return fmt.Errorf("copying the cached data directory (remove %s to make it anew): %w", cached, err)
		}
		return nil
	}
	cmd := exec.Command(filepath.Join(bin, "initdb"), append(initArguments, "--pgdata="+h.data())...)
	cmd.Dir, cmd.Env = h.path, environment(h.path)
	cmd.SysProcAttr = attributes(h.owner)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if cached != "" {
		_ = keep(h.data(), cached)
	}
	return nil
}

// cachePath returns the path of the cached data directory of these binaries, or "" if there is no place for a cache.
func cachePath(bin string) (string, error) {
	version, err := exec.Command(filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return "", fmt.Errorf("asking %s for its version: %w", filepath.Join(bin, "postgres"), err)
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", nil //nolint:nilerr // no home, no cache
	}
	sum := sha256.Sum256([]byte(string(version) + bin + strings.Join(initArguments, " ")))
	return filepath.Join(base, "linchpin", "pgtest", hex.EncodeToString(sum[:8])), nil
}

// keep puts a copy of data into the cache. If several processes do so at once, the first wins.
func keep(data, cached string) error {
	parent := filepath.Dir(cached)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return err
	}
	abandoned, _ := filepath.Glob(filepath.Join(parent, "new-*"))
	for _, dir := range abandoned {
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > time.Hour {
			_ = os.RemoveAll(dir)
		}
	}
	tmp, err := os.MkdirTemp(parent, "new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	whole := filepath.Join(tmp, "data")
	if err := copyTree(data, whole, nil); err != nil {
		return err
	}
	return os.Rename(whole, cached) // fails if another was first, and that one is as good
}

// copyTree copies a data directory, giving the files to owner if there is one.
func copyTree(from, to string, owner *account) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		if entry.IsDir() {
			err = os.Mkdir(target, 0o700)
		} else {
			err = copyFile(path, target)
		}
		if err == nil && owner != nil {
			err = os.Chown(target, owner.uid, owner.gid)
		}
		return err
	})
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
