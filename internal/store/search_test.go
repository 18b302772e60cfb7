package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"entgo.io/ent/dialect"

	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func TestEachSearchableTableHasItsIndex(t *testing.T) {
	for d, folder := range map[string]string{dialect.SQLite: "sqlite", dialect.Postgres: "postgres"} {
		files, err := filepath.Glob(filepath.Join("migrations", folder, "*.sql"))
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		var all strings.Builder
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
		}
		for _, s := range store.Searchables {
			for _, statement := range append(s.Create(d), s.CreateParts(d)...) {
				if !strings.Contains(all.String(), statement+"\n") {
					t.Errorf("no migration of %s says\n%s\nwrite one: go run ./internal/generate/migration -search %s NAME", folder, statement, s.Table)
				}
			}
		}
	}
}
