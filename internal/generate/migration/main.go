// Command migration writes the next versioned migration of both dialects from ent's schema:
//
//	go run ./internal/generate/migration -postgres postgres://… NAME
//	go run ./internal/generate/migration -search TABLE NAME
//
// It migrates a scratch SQLite file and the named empty PostgreSQL database to the newest version and writes what is
// missing. With -search it writes what a table of store.Searchables needs to be searched. Without NAME it only renews
// atlas.sum, after a migration was written by hand.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ariga.io/atlas/sql/migrate"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"

	entmigrate "github.com/linchpin-cmdb/linchpin/ent/migrate"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func main() {
	postgres := flag.String("postgres", "", "address of an empty scratch database")
	search := flag.String("search", "", "the table of store.Searchables that is to be searched from now on")
	flag.Parse()
	if *search != "" {
		if err := makeSearchable(*search, flag.Arg(0)); err != nil {
			log.Fatal(err)
		}
		return
	}
	scratch, err := os.MkdirTemp("", "linchpin-migration")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	for d, address := range map[string]string{dialect.SQLite: "sqlite:" + filepath.Join(scratch, "scratch.db"), dialect.Postgres: *postgres} {
		if err := write(context.Background(), d, address, flag.Arg(0)); err != nil {
			log.Fatalf("%s: %v", d, err)
		}
	}
}

var sequence = regexp.MustCompile(`INSERT INTO sqlite_sequence \(name, seq\) VALUES \("(\w+)", (\d+)\);`)

// startAtFirst corrects the numbering of new tables: sqlite_sequence holds the last id used, but ent writes
// PostgreSQL's START WITH in its place, which is the first one to use.
func startAtFirst(dir *migrate.LocalDir) error {
	files, err := dir.Files()
	if err != nil {
		return err
	}
	for _, f := range files {
		mended := sequence.ReplaceAllStringFunc(string(f.Bytes()), func(line string) string {
			part := sequence.FindStringSubmatch(line)
			first, err := strconv.ParseInt(part[2], 10, 64)
			if err != nil {
				log.Fatal(err)
			}
			return fmt.Sprintf("INSERT INTO sqlite_sequence (name, seq) VALUES ('%s', %d);", part[1], first-1)
		})
		if err := dir.WriteFile(f.Name(), []byte(mended)); err != nil {
			return err
		}
	}
	return nil
}

// makeSearchable writes the migrations that make the index of a table.
func makeSearchable(table, name string) error {
	i := slices.IndexFunc(store.Searchables, func(s store.Searchable) bool { return s.Table == table })
	if i < 0 || name == "" {
		return fmt.Errorf("%q is not in store.Searchables, or the migration has no name", table)
	}
	version := time.Now().UTC().Format("20060102150405")
	for d, folder := range folders {
		dir, err := migrate.NewLocalDir(filepath.Join("internal", "store", "migrations", folder))
		if err != nil {
			return err
		}
		of := store.Searchables[i]
		statements := of.Create(d)
		if parts := of.CreateParts(d); d == dialect.Postgres {
			statements = append(statements, "DO $$\nBEGIN\n  "+strings.Join(parts, "\n  ")+
				"\nEXCEPTION WHEN OTHERS THEN\n  RAISE NOTICE 'pg_trgm is not available: %', SQLERRM;\nEND\n$$;")
		} else {
			statements = append(statements, parts...)
		}
		text := strings.Join(append(statements, of.Fill(d)...), "\n") + "\n"
		if err := dir.WriteFile(version+"_"+name+".sql", []byte(text)); err != nil {
			return err
		}
		if err := sum(dir); err != nil {
			return err
		}
	}
	return nil
}

var folders = map[string]string{dialect.SQLite: "sqlite", dialect.Postgres: "postgres"}

func sum(dir *migrate.LocalDir) error {
	checksum, err := dir.Checksum()
	if err != nil {
		return err
	}
	return migrate.WriteSumFile(dir, checksum)
}

func write(ctx context.Context, d, address, name string) error {
	dir, err := migrate.NewLocalDir(filepath.Join("internal", "store", "migrations", folders[d]))
	if err != nil {
		return err
	}
	if name != "" {
		s, err := store.Open(ctx, address)
		if err != nil {
			return err
		}
		defer func() { _ = s.Close() }()
		if _, err := s.Migrate(ctx); err != nil {
			return err
		}
		err = entmigrate.NewSchema(entsql.OpenDB(d, s.Writer())).NamedDiff(ctx, name,
			schema.WithDir(dir), schema.WithMigrationMode(schema.ModeInspect), schema.WithDialect(d),
			schema.WithFormatter(migrate.DefaultFormatter), schema.WithIndent("  "), schema.WithErrNoPlan(false))
		if err != nil {
			return err
		}
	}
	if d == dialect.SQLite {
		if err := startAtFirst(dir); err != nil {
			return err
		}
	}
	return sum(dir)
}
