//go:build unix

package pgconn

import (
	"errors"
	"syscall"
)

// alive reports, without waiting, whether the peer of an idle connection still keeps it open and has not announced its
// end. It saves the first statements after a restart of the server, which would otherwise fail with an outcome that
// nobody knows.
func (w *wire) alive() bool {
	sc, ok := w.Conn.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	var (
		n     int
		first [1]byte
		rerr  error
	)
	err = raw.Control(func(fd uintptr) {
		for {
			n, _, rerr = syscall.Recvfrom(int(fd), first[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
			if !errors.Is(rerr, syscall.EINTR) {
				return
			}
		}
	})
	switch {
	case err != nil:
		return false
	case errors.Is(rerr, syscall.EAGAIN):
		return true
	case rerr != nil || n == 0:
		return false
	}
	// A notice (N), a changed parameter (S) or a notification (A) is harmless. An error (E) announces the
	// end, and a TLS record (20–23) may hide one.
	return first[0] == 'N' || first[0] == 'S' || first[0] == 'A'
}
