package storetest_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// TestADiskThatIsFullAtTheCommitLeavesTheOutcomeUnknown fills the disk under the log of a SQLite file: a part of the
// log may be enough, so the outcome is open. The server goes on once there is room.
func TestADiskThatIsFullAtTheCommitLeavesTheOutcomeUnknown(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=8m"); errors.Is(err, os.ErrPermission) {
		t.Skip("only root can mount a small disk")
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Error(err)
		}
	})
	address := "sqlite:" + filepath.Join(disk, "linchpin.db")
	s, err := store.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	named(t, s, "first")
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 8<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal("the disk has room: ", err)
	}
	if err := fill(t, s); errs.CodeOf(err) != errs.OutcomeUnknown {
		t.Errorf("%v", err)
	}
	if n := s.Read.CI.Query().CountX(t.Context()); n != 1 {
		t.Errorf("readers see %d CIs", n)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := fill(t, s); err != nil {
		t.Error(err)
	}
	if n := s.Read.CI.Query().CountX(t.Context()); n != 101 {
		t.Errorf("%d CIs", n)
	}
}
