package app

import (
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/schedule"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
)

func TestSchedulesReadDatabasesAndFoldersOfTwoServers(t *testing.T) {
	t.Parallel()
	docs, err := filepath.Abs(filepath.Join("..", "..", "docs"))
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(docs, "sources.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"schedules.yaml", "inventory.yaml", "servers.yaml"} {
		found := regexp.MustCompile("(?s)\n`" + regexp.QuoteMeta(name) + "`:\n\n```yaml\n(.*?)```").FindSubmatch(page)
		if found == nil {
			t.Fatal("the page has no", name)
		}
		text := strings.NewReplacer("env:INVENTORY", "sqlite:"+filepath.Join(docs, "inventory.db"), "/srv/sheets", docs, "mapping: ", "mapping: "+dir+"/").Replace(string(found[1]))
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := Schedules(filepath.Join(dir, "schedules.yaml"))
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	for name, database := range map[string]string{
		"sqlite": "sqlite:" + filepath.Join(dir, "linchpin.db"), "postgres": pgtest.Database(t, "empty", nil),
	} {
		t.Run(name, func(t *testing.T) {
			var servers []*App
			for range 2 {
				a, err := Open(t.Context(), database, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = a.Close() })
				if servers = append(servers, a); name == "sqlite" {
					break // one server has the file
				}
			}
			for _, s := range all {
				did := 0
				for _, a := range servers {
					ok, err := a.scheduled.Due(t.Context(), s)
					if err != nil {
						t.Error(err)
					}
					if ok {
						did++
					}
				}
				if did != 1 {
					t.Errorf("%s was read by %d servers", s.Name, did)
				}
			}
			gone := schedule.Schedule{Name: "gone", Every: time.Hour, Import: "compose", Paths: []string{filepath.Join(dir, "none", "*")}}
			if _, err := servers[0].scheduled.Due(t.Context(), gone); err == nil || !strings.Contains(err.Error(), "no such file or folder") {
				t.Error(err)
			}
			runs, err := importer.ReadRuns(t.Context(), servers[0].Store, importer.RunQuery{})
			if err != nil || len(runs) != 3 || runs[0].Reason == "" || runs[1].Source != "servers" || runs[2].Source != "cmdb-old" {
				t.Errorf("%+v, %v", runs, err)
			}
		})
	}
}

func TestAScheduleOfAnUnknownKindIsRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "s.yaml")
	if err := os.WriteFile(file, []byte("version: 1\nschedules:\n  - {name: a, every: 15m, import: ldap, paths: [x]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Schedules(file); err == nil || !strings.Contains(err.Error(), `import is "ldap", and is one of [backstage`) {
		t.Error(err)
	}
}
