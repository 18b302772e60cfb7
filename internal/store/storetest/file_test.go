package storetest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// TestAFileThatIsNoLongerThereTakesNoWrites moves, removes and replaces the file under a server.
func TestAFileThatIsNoLongerThereTakesNoWrites(t *testing.T) {
	for name, hide := range map[string]func(t *testing.T, path string) error{
		"moved": func(_ *testing.T, path string) error { return os.Rename(path, path+".moved") },
		"replaced": func(_ *testing.T, path string) error {
			text, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(path+".copy", text, 0o600)
			}
			if err == nil {
				err = os.Rename(path, path+".moved")
			}
			if err == nil {
				err = os.Rename(path+".copy", path)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "linchpin.db")
			s := second(t, "sqlite:"+path)
			if _, err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			named(t, s, "first")
			if err := s.Check(); err != nil {
				t.Error(err)
			}
			if err := hide(t, path); err != nil {
				t.Fatal(err)
			}
			if err := s.Check(); errs.CodeOf(err) != errs.Unavailable {
				t.Errorf("the check says %v", err)
			}
			if _, err := store.Write(t.Context(), s, by, ci("lost", nil)); errs.CodeOf(err) != errs.Unavailable {
				t.Errorf("a write says %v", err)
			}
			if err := os.Rename(path+".moved", path); err != nil {
				t.Fatal(err)
			}
			if _, err := store.Write(t.Context(), s, by, ci("second", nil)); err != nil {
				t.Errorf("the file is back: %v", err)
			}
			same(t, "CIs", namesOf(t, s, nil), []string{"first", "second"})
		})
	}
}
