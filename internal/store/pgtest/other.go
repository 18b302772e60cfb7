//go:build !linux && !darwin && !freebsd

package pgtest

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

const (
	superuser = "postgres"
	port      = "5432"
)

var errNoUnix = fmt.Errorf("private clusters are not supported on %s: %w", runtime.GOOS, errNotInstalled)

// Cluster cannot be had on this system.
type Cluster struct {
	home      struct{ path string }
	names     atomic.Int64
	mu        sync.Mutex
	templates map[string]*template
}

// Start skips the test.
func Start(t testing.TB, _ ...Option) *Cluster {
	t.Helper()
	refuse(t, errNoUnix)
	return nil
}

func open(settings) (*Cluster, error) { return nil, errNoUnix }

// Running returns false.
func (c *Cluster) Running() bool { return false }

// Stop returns errors.ErrUnsupported.
func (c *Cluster) Stop() error { return errors.ErrUnsupported }

// Kill returns errors.ErrUnsupported.
func (c *Cluster) Kill() error { return errors.ErrUnsupported }

// Restart returns errors.ErrUnsupported.
func (c *Cluster) Restart() error { return errors.ErrUnsupported }

// Log returns "".
func (c *Cluster) Log() string { return "" }

// Standby returns the cluster.
func (c *Cluster) Standby(t testing.TB) *Cluster { return c }

// Same returns the address.
func (c *Cluster) Same(_ testing.TB, address string) string { return address }

// Exec does nothing.
func (c *Cluster) Exec(testing.TB, ...string) {}

// Streams returns false.
func (c *Cluster) Streams(testing.TB) bool { return false }
