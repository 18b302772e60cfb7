package backup_test

import (
	"context"
	crand "crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/backup"
	"github.com/linchpin-cmdb/linchpin/internal/demo"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/catalog"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
)

// estates runs a test on the demo estate on each database. Empty makes the address of a database that holds nothing.
func estates(t *testing.T, test func(t *testing.T, a *app.App, address string, empty func() string)) {
	run := func(t *testing.T, address string, empty func() string) {
		a, err := app.Open(t.Context(), address, slog.New(slog.NewTextHandler(t.Output(), nil)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		})
		if _, err := demo.Load(auth.With(t.Context(), auth.System), a.Store, a.Change, a.Incident, func(importer.Progress) {}); err != nil {
			t.Fatal(err)
		}
		test(t, a, address, empty)
	}
	t.Run("sqlite", func(t *testing.T) {
		run(t, "sqlite:"+filepath.Join(t.TempDir(), "linchpin.db"), func() string { return "sqlite:" + filepath.Join(t.TempDir(), "restored.db") })
	})
	t.Run("postgres", func(t *testing.T) {
		// Settings of Linchpin's own connections, which PostgreSQL's programs do not know.
		own := func() string { return pgtest.Database(t, "empty", nil) + "&lock_timeout=3s&answer_timeout=20s" }
		run(t, own(), own)
	})
}

func TestABackupUnderLoadIsRestoredToItsRevision(t *testing.T) {
	estates(t, func(t *testing.T, a *app.App, address string, empty func() string) {
		writing, stop := context.WithCancel(auth.With(t.Context(), auth.System))
		var writers sync.WaitGroup
		for range 2 {
			writers.Go(func() {
				for writing.Err() == nil {
					if _, err := a.Catalog.CreateTeam(writing, catalog.CreateTeam{Name: "Team " + crand.Text()}); err != nil && writing.Err() == nil {
						t.Error(err)
					}
				}
			})
		}
		for range 3 {
			before, err := a.Store.Revision(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			folder := filepath.Join(t.TempDir(), "kept")
			made, err := backup.Make(t.Context(), address, folder, "a test", nil)
			if err != nil {
				t.Fatal(err)
			}
			if made.Revision < before {
				t.Errorf("the backup holds revision %d, and it began at %d", made.Revision, before)
			}
			to := empty()
			restored, faults, err := backup.Restore(t.Context(), folder, to, nil)
			if err != nil || len(faults) > 0 || restored.Revision != made.Revision {
				t.Fatalf("%v\n%v\nrevision %d, made with %d", err, faults, restored.Revision, made.Revision)
			}
			s, err := store.OpenReading(t.Context(), to)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := s.Revision(t.Context()); got != made.Revision || err != nil {
				t.Errorf("the restored database is at revision %d, %v; its manifest has %d", got, err, made.Revision)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		stop()
		writers.Wait()
	})
}

func TestVerifySeesWhatWasWrittenPastTheJournal(t *testing.T) {
	estates(t, func(t *testing.T, a *app.App, address string, _ func() string) {
		found := func() []string {
			t.Helper()
			r, err := backup.Verify(t.Context(), address, nil)
			if err != nil {
				t.Fatal(err)
			}
			return r.Faults
		}
		if faults := found(); len(faults) > 0 {
			t.Fatalf("the demo estate has faults: %v", faults)
		}
		do := func(statement string) {
			t.Helper()
			if _, err := a.Store.Writer().ExecContext(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		const checkout, someCI = "(SELECT min(id) FROM ci WHERE name = 'Checkout')", "(SELECT min(id) FROM ci)"
		for _, c := range []struct{ what, do, undo, says string }{
			{"a renamed CI", "UPDATE ci SET name = 'Chekout' WHERE id = " + checkout, "UPDATE ci SET name = 'Checkout' WHERE name = 'Chekout'", "name is Chekout"},
			{"a state that nobody set", "UPDATE incident SET urgency = urgency % 3 + 1", "UPDATE incident SET urgency = (urgency + 1) % 3 + 1", "urgency is"},
			{"a membership that nobody made", "INSERT INTO membership (person_id, team_id) SELECT max(p.id), max(t.id) FROM person p, team t", "DELETE FROM membership WHERE id = (SELECT max(id) FROM membership)", "no entry of the journal made it"},
			{"an entry that is gone", "UPDATE entry SET revision = revision + 100000 WHERE id = (SELECT max(id) FROM entry WHERE revision = 2)", "UPDATE entry SET revision = 2 WHERE revision = 100002", "gap"},
			{"an entry that says otherwise", "UPDATE entry SET operation = 'DELETED' WHERE id = (SELECT max(id) FROM entry WHERE record_id = " + someCI + ")", "UPDATE entry SET operation = 'CREATED' WHERE operation = 'DELETED' AND id = (SELECT max(id) FROM entry WHERE record_id = " + someCI + ")", "deleted it"},
			{"a version that ended", "UPDATE version SET valid_to = 1000000 WHERE record_id = " + someCI, "UPDATE version SET valid_to = 9223372036854775807 WHERE record_id = " + someCI, "0 versions that hold"},
			{"an entry that says it was somebody else", "UPDATE entry SET actor = 'cli:eve' WHERE revision = 1", "UPDATE entry SET actor = 'linchpin' WHERE revision = 1", "the chain of the journal does not hold"},
			{"a head that went ahead", "UPDATE head SET revision = revision + 1", "UPDATE head SET revision = revision - 1", "the journal ends with revision"},
		} {
			do(c.do)
			faults := found()
			if !slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, c.says) }) {
				t.Errorf("%s is not seen: %v", c.what, faults)
			}
			do(c.undo)
			if faults := found(); len(faults) > 0 {
				t.Fatalf("%s was taken back, and %v is left", c.what, faults)
			}
		}
	})
}

func TestARestoredDatabaseIsComparedWithItsManifest(t *testing.T) {
	estates(t, func(t *testing.T, _ *app.App, address string, empty func() string) {
		folder := filepath.Join(t.TempDir(), "kept")
		made, err := backup.Make(t.Context(), address, folder, "a test", nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(made.Link) != 64 {
			t.Errorf("the manifest has the link %q", made.Link)
		}
		says := []string{
			fmt.Sprintf("revision %d instead of %d", made.Revision, made.Revision+1), "digest " + made.Graph + " instead of", fmt.Sprintf("link %q instead of", made.Link),
			fmt.Sprintf("team has %d rows instead of %d", made.Rows["team"], made.Rows["team"]-1),
		}
		made.Revision, made.Graph, made.Link, made.Rows["team"] = made.Revision+1, "another", "another", made.Rows["team"]-1
		text, err := json.Marshal(made)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "manifest.json"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		_, faults, err := backup.Restore(t.Context(), folder, empty(), nil)
		if err != nil || len(faults) != len(says) {
			t.Fatalf("%v\n%q", err, faults)
		}
		for i, fault := range faults {
			if !strings.Contains(fault, says[i]) {
				t.Errorf("%q instead of %q", fault, says[i])
			}
		}
	})
}

func TestAChangedBackupIsNotRestored(t *testing.T) {
	estates(t, func(t *testing.T, _ *app.App, address string, empty func() string) {
		folder := filepath.Join(t.TempDir(), "deep", "kept")
		made, err := backup.Make(t.Context(), address, folder, "a test", nil)
		if err != nil {
			t.Fatal(err)
		}
		refuses := func(says string, do func() error) {
			t.Helper()
			if err := do(); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%q instead of %q", err, says)
			}
		}
		restore := func(from, to string) func() error {
			return func() error {
				_, _, err := backup.Restore(t.Context(), from, to, nil)
				return err
			}
		}
		refuses("has something in it", func() error {
			_, err := backup.Make(t.Context(), address, folder, "a test", nil)
			return err
		})
		refuses("is no backup", restore(t.TempDir(), empty()))
		taken := map[string]string{"sqlite": "move it away", "postgresql": "has tables"}[made.Database]
		refuses(taken, restore(folder, address))
		other := map[string]string{"sqlite": "postgres://localhost/other", "postgresql": "sqlite:other.db"}[made.Database]
		refuses("is a backup of "+made.Database, restore(folder, other))
		f, err := os.OpenFile(filepath.Join(folder, made.File), os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte{1, 2, 3}, made.Bytes/2); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		refuses("is not as it was made", restore(folder, empty()))
		if left, err := filepath.Glob(filepath.Join(filepath.Dir(folder), ".*")); len(left) > 0 || err != nil {
			t.Errorf("%v is left over, %v", left, err)
		}
	})
}
