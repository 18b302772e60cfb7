package storetest_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// small opens a database on a disk of 16 MiB, with a CI in it, and returns a function that leaves so many bytes of the
// disk to it, and everything if they are negative.
func small(t *testing.T) (s *store.Store, leave func(bytes int64)) {
	t.Helper()
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=16m"); errors.Is(err, os.ErrPermission) {
		t.Skip("only root can mount a small disk")
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Error(err)
		}
	})
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(disk, "linchpin.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // before the disk goes
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	named(t, s, "first")
	ballast := filepath.Join(disk, "ballast")
	return s, func(bytes int64) {
		t.Helper()
		if err := os.Remove(ballast); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		var of syscall.Statfs_t
		if err := syscall.Statfs(disk, &of); err != nil {
			t.Fatal(err)
		}
		if size := int64(of.Bavail)*of.Bsize - bytes; bytes >= 0 {
			if err := os.WriteFile(ballast, make([]byte, size), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestAFullDiskTakesNoWritesUntilThereIsRoom(t *testing.T) {
	s, leave := small(t)
	leave(1 << 20)
	for range 3 {
		if err := fill(t, s); errs.CodeOf(err) != errs.Unavailable || !strings.Contains(err.Error(), "read only") {
			t.Errorf("a write says %v", err)
		}
	}
	if err := s.Check(); errs.CodeOf(err) != errs.Unavailable {
		t.Errorf("the check says %v", err)
	}
	if n := s.Read.CI.Query().CountX(t.Context()); n != 1 {
		t.Errorf("readers see %d CIs", n)
	}
	leave(-1)
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	if err := fill(t, s); err != nil {
		t.Error(err)
	}
	if n := s.Read.CI.Query().CountX(t.Context()); n != 101 {
		t.Errorf("%d CIs", n)
	}
}

// TestADiskThatIsFullAtTheCommitLeavesTheOutcomeUnknown fills the disk while a write is under way: a part of the log
// may be enough, so the outcome is open. The next one is refused, and the server goes on once there is room.
func TestADiskThatIsFullAtTheCommitLeavesTheOutcomeUnknown(t *testing.T) {
	s, leave := small(t)
	if err := fillAnd(t, s, func() { leave(0) }); errs.CodeOf(err) != errs.OutcomeUnknown {
		t.Errorf("%v", err)
	}
	if err := fill(t, s); errs.CodeOf(err) != errs.Unavailable {
		t.Errorf("the next write says %v", err)
	}
	if n := s.Read.CI.Query().CountX(t.Context()); n != 1 {
		t.Errorf("readers see %d CIs", n)
	}
	leave(-1)
	if err := fill(t, s); err != nil {
		t.Error(err)
	}
	if n := s.Read.CI.Query().CountX(t.Context()); n != 101 {
		t.Errorf("%d CIs", n)
	}
}
