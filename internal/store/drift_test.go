package store_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ariga.io/atlas/sql/migrate"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"

	entmigrate "github.com/linchpin-cmdb/linchpin/ent/migrate"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

func TestNoMigrationWasEditedAfterItsSum(t *testing.T) {
	for _, folder := range []string{"sqlite", "postgres"} {
		dir, err := migrate.NewLocalDir(filepath.Join("migrations", folder))
		if err != nil {
			t.Fatal(err)
		}
		if err := migrate.Validate(dir); err != nil {
			t.Errorf("%s: %v; run go run ./internal/generate/migration after writing a new file, and never edit one that was released", folder, err)
		}
	}
}

// postgresCatalogue selects one line for each column, constraint and index of the schema public.
const postgresCatalogue = `
SELECT c.relname || ' column ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END ||
	' identity=' || a.attidentity::text || ' default=' || coalesce(pg_get_expr(d.adbin, d.adrelid), '') ||
	' from=' || coalesce(s.seqstart::text, '')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
LEFT JOIN pg_depend p ON a.attidentity::text <> '' AND p.refobjid = c.oid AND p.refobjsubid = a.attnum AND p.deptype = 'i' AND p.classid = 'pg_class'::regclass
LEFT JOIN pg_sequence s ON s.seqrelid = p.objid
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'x\_%' AND a.attname NOT LIKE 'x\_%'
UNION ALL
SELECT conrelid::regclass || ' constraint ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND contype <> 'n' AND conname NOT LIKE 'x\_%'
UNION ALL
SELECT tablename || ' index ' || indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE 'x\_%' AND tablename NOT LIKE 'x\_%'`

// sqliteCatalogue selects the same on SQLite.
const sqliteCatalogue = `
SELECT t.name || ' column ' || c.name || ' ' || lower(c.type) || CASE WHEN c."notnull" THEN ' not null' ELSE '' END || ' pk=' || c.pk || ' default=' || coalesce(trim(c.dflt_value, '()'), '')
FROM sqlite_schema t, pragma_table_xinfo(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND t.name NOT LIKE 'x\_%' ESCAPE '\' AND c.name NOT LIKE 'x\_%' ESCAPE '\'
UNION ALL
SELECT t.name || ' foreign key ' || group_concat(f."from") || ' to ' || f."table" || ' ' || group_concat(coalesce(f."to", 'id')) || ' update ' || f.on_update || ' delete ' || f.on_delete
FROM sqlite_schema t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table' AND t.name NOT LIKE 'x\_%' ESCAPE '\' GROUP BY t.name, f.id
UNION ALL
SELECT t.name || ' index ' || i.name || ' unique=' || i."unique" || ' partial=' || i.partial || ' ' ||
	(SELECT group_concat(coalesce(x.name, 'expression') || ' desc=' || x."desc" || ' ' || x.coll) FROM pragma_index_xinfo(i.name) x WHERE x.key)
FROM sqlite_schema t, pragma_index_list(t.name) i WHERE t.type = 'table' AND t.name NOT LIKE 'x\_%' ESCAPE '\' AND i.name NOT LIKE 'x\_%' ESCAPE '\'
UNION ALL
SELECT name || ' counts' FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%' AND name NOT LIKE 'x\_%' ESCAPE '\'`

func catalogue(t *testing.T, db *sql.DB, d string) []string {
	t.Helper()
	query := postgresCatalogue
	if d == dialect.SQLite {
		query = sqliteCatalogue
	}
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var all []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		all = append(all, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// drift returns the lines that only one of two catalogues has: + for those that ent wants, - for those that the
// migrations made.
func drift(migrated, wanted []string) (all []string) {
	for _, line := range wanted {
		if !slices.Contains(migrated, line) {
			all = append(all, "+ "+line)
		}
	}
	for _, line := range migrated {
		if !slices.Contains(wanted, line) {
			all = append(all, "- "+line)
		}
	}
	return all
}

// made returns the catalogue of an empty database of the dialect in which ent made tables.
func made(t *testing.T, d string, tables []*schema.Table) []string {
	t.Helper()
	address := "sqlite:" + filepath.Join(t.TempDir(), "ent.db")
	if d == dialect.Postgres {
		address = pgtest.Database(t, "empty", nil)
	}
	s := open(t, address)
	if err := entmigrate.Create(context.Background(), entmigrate.NewSchema(entsql.OpenDB(d, s.Writer())), tables); err != nil {
		t.Fatal(err)
	}
	return catalogue(t, s.Writer(), d)
}

func TestMigrationsMakeWhatEntWants(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		migrated := catalogue(t, s.Writer(), s.Dialect())
		if len(migrated) < 200 {
			t.Fatalf("a catalogue of %d lines", len(migrated))
		}
		if all := drift(migrated, made(t, s.Dialect(), entmigrate.Tables)); len(all) > 0 {
			t.Errorf("the migrations lag behind ent/schema: go run ./internal/generate/migration NAME\n%s", strings.Join(all, "\n"))
		}
	})
}

// TestDriftIsSeen plants each kind of drift in ent and looks for it.
func TestDriftIsSeen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		migrated := catalogue(t, s.Writer(), s.Dialect())
		planted, err := schema.CopyTables(entmigrate.Tables)
		if err != nil {
			t.Fatal(err)
		}
		table := func(name string) *schema.Table {
			return planted[slices.IndexFunc(planted, func(t *schema.Table) bool { return t.Name == name })]
		}
		of := func(name, column string) *schema.Column {
			c, ok := table(name).Column(column)
			if !ok {
				t.Fatalf("%s has no %s", name, column)
			}
			return c
		}
		team, change := table("team"), table("change")
		team.Columns = append(team.Columns, &schema.Column{Name: "planted", Type: field.TypeString, Nullable: true})
		of("person", "email").Default = "planted"
		of("person", "name").Nullable = true
		of("approval", "comment").Type = field.TypeInt
		of("approval", "comment").Default = nil
		change.ForeignKeys[0].OnDelete = schema.Cascade
		change.Indexes[0].Unique = true
		change.Indexes = change.Indexes[:len(change.Indexes)-1]
		planted = append(planted, schema.NewTable("planted_table").AddPrimary(&schema.Column{Name: "id", Type: field.TypeInt64}))
		seen := strings.Join(drift(migrated, made(t, s.Dialect(), planted)), "\n")
		for _, want := range []string{
			"+ team column planted", "- person column email", "- person column name", "- approval column comment",
			"- change " + map[bool]string{true: "constraint", false: "foreign key"}[s.IsPostgres()],
			"- change index", "+ planted_table column id",
		} {
			if !strings.Contains(seen, want) {
				t.Errorf("not seen: %s, in\n%s", want, seen)
			}
		}
		if n := strings.Count(seen, "- change index"); n != 2 {
			t.Errorf("%d of 2 indexes seen in\n%s", n, seen)
		}
	})
}
