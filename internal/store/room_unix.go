//go:build linux || darwin || freebsd

package store

import "golang.org/x/sys/unix"

// roomAt returns how many bytes the disk of a path has left, and false if it does not tell.
func roomAt(path string) (free uint64, ok bool) {
	var disk unix.Statfs_t
	if err := unix.Statfs(path, &disk); err != nil {
		return 0, false
	}
	return uint64(disk.Bavail) * uint64(disk.Bsize), true //nolint:gosec,unconvert // the types differ by system
}
