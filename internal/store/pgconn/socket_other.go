//go:build !linux

package pgconn

import (
	"syscall"
	"time"
)

// confirmWithin does nothing: keepalive notices a peer that is gone.
func confirmWithin(syscall.RawConn, string, time.Duration) error { return nil }
