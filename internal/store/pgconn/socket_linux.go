package pgconn

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// confirmWithin makes a connection fail if the peer does not confirm what was sent within a time.
func confirmWithin(raw syscall.RawConn, network string, limit time.Duration) (err error) {
	if network == "unix" || limit <= 0 {
		return nil
	}
	failed := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(limit.Milliseconds()))
	})
	if failed != nil {
		return failed
	}
	return err
}
