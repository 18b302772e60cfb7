package storetest_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/person"
	"github.com/linchpin-cmdb/linchpin/ent/servicetier"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// disorder are names that languages order otherwise than bytes do.
var disorder = []string{"b", "B", "a", "A", "_", "-b", "a b", "ab", "a-b", "10", "9", "ä", "Ä", "z", "Z", "ß", "ss", "é", "日", "😀", "~"}

// english opens a migrated PostgreSQL database that orders text by a language, as most databases do.
func english(t *testing.T) *store.Store {
	t.Helper()
	address := pgtest.Database(t, "empty", nil)
	maintenance := second(t, address)
	raw(t, maintenance, `CREATE DATABASE english TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US'`)
	t.Cleanup(func() {
		if _, err := maintenance.Writer().ExecContext(context.Background(), "DROP DATABASE english WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	path := strings.Split(address, "?")
	s := second(t, path[0][:strings.LastIndex(path[0], "/")]+"/english?"+path[1])
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNamesAreOrderedByTheirBytes(t *testing.T) {
	test := func(t *testing.T, s *store.Store) {
		named(t, s, disorder...)
		write(t, s, func(ctx context.Context, tx *store.Tx) (any, error) {
			for _, name := range disorder {
				if err := tx.Team.Create().SetName(name).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Exec(ctx); err != nil {
					return nil, err
				}
				if err := tx.Person.Create().SetName(name).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Exec(ctx); err != nil {
					return nil, err
				}
			}
			return nil, nil
		})
		want := slices.Clone(disorder)
		slices.Sort(want)
		same(t, "CIs", namesOf(t, s, nil), want)

		first := page.Max
		teams, err := reader(s).Teams(t.Context(), nil, page.Args{First: &first})
		if err != nil {
			t.Fatal(err)
		}
		people, err := reader(s).People(t.Context(), nil, page.Args{First: &first})
		if err != nil {
			t.Fatal(err)
		}
		var teamNames, personNames []string
		for i := range teams.Edges {
			teamNames, personNames = append(teamNames, teams.Edges[i].Node.Name), append(personNames, people.Edges[i].Node.Name)
		}
		same(t, "teams", teamNames, want)
		same(t, "people", personNames, want)
	}
	storetest.Each(t, test)
	t.Run("postgres in English", func(t *testing.T) { test(t, english(t)) })
}

// TestEveryOrderedColumnIsOrderedByBytes covers the lists that the API orders without paging.
func TestEveryOrderedColumnIsOrderedByBytes(t *testing.T) {
	s := english(t)
	collated := column(t, s.Writer(), `SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = 'public' AND collation_name = 'C'`)
	for _, ordered := range []string{"ci.name", "team.name", "person.name", "account.name", "ci_class.code", "relationship_type.code", "dependency_group.name", "external_identity.source", "external_identity.external_id"} {
		if !slices.Contains(collated, ordered) {
			t.Errorf("%s is not COLLATE \"C\"", ordered)
		}
	}
}

// cases are names, and patterns that find them whatever the case.
var cases = []struct {
	name     string
	contains string
	isFound  bool
}{
	{"Checkout", "CHECK", true},
	{"CHECKOUT", "checkout", true},
	{"check_out", "check_out", true},
	{"checkout", "check_out", false},
	{"100%", "0%", true},
	{"100x", "0%", false},
	{`a\b`, `A\B`, true},
	{`a\b`, `\\`, false},
	{"it's", "IT'S", true},
	{`"quoted"`, `"QUOTED"`, true},
	{"ab", "", true},
	{"Größe", "größe", true},
	{"Größe", "ROSS", false},
}

var foreignCases = []struct{ name, contains string }{
	{"Ärger", "ärger"}, {"ärger", "ÄRGER"}, {"GRÖSSE", "grösse"}, {"Éclair", "éCLAIR"}, {"ΣΟΦΙΑ", "σοφια"}, {"МОСКВА", "москва"}, {"日本", "日本"},
}

func found(t *testing.T, s *store.Store, name, contains string) bool {
	t.Helper()
	return slices.Contains(namesOf(t, s, &read.CIFilter{Name: &where.Text{Contains: &contains}}), name)
}

func TestContainsAndStartsWithIgnoreCase(t *testing.T) {
	test := func(t *testing.T, s *store.Store) {
		names := map[string]bool{}
		for _, c := range cases {
			names[c.name] = true
		}
		for _, c := range foreignCases {
			names[c.name] = true
		}
		for name := range names {
			named(t, s, name)
		}
		for _, c := range cases {
			if got := found(t, s, c.name, c.contains); got != c.isFound {
				t.Errorf("%q contains %q: %v", c.name, c.contains, got)
			}
			starts := &read.CIFilter{Name: &where.Text{StartsWith: &c.contains}}
			want := strings.HasPrefix(strings.ToLower(c.name), strings.ToLower(c.contains))
			if got := slices.Contains(namesOf(t, s, starts), c.name); got != want {
				t.Errorf("%q starts with %q: %v", c.name, c.contains, got)
			}
		}
		for _, c := range foreignCases {
			if !found(t, s, c.name, c.contains) {
				t.Errorf("%q does not contain %q", c.name, c.contains)
			}
		}
	}
	storetest.Each(t, test)
	t.Run("postgres in English", func(t *testing.T) { test(t, english(t)) })
}

// nasty are texts that are code in some language.
var nasty = []string{
	`'; DROP TABLE ci; --`, `"`, `""`, "`", `\`, `\\`, `\'`, "$1", "$$", "?", "??", ":name", "%s", "%", "_", "{", `{"a":1}`, "[]", "--", "/*", "*/",
	"a\nb\tc\r\n", " lead and trail ", "", "\u00a0", "\u202e", "e\u0301", "é", "\ufeff", "\U0010ffff", "😀👩‍👩‍👧", "<script>", "NULL", "null", "\x01\x1f\x7f",
	strings.Repeat("long", 25_000), strings.Repeat("ü", 3_000),
}

func TestTextIsReadAsItWasWritten(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for i, text := range nasty {
			name := text
			if len(name) > 2_000 {
				name = name[:2_000] // a key of a B-tree has a limit
			}
			made := write(t, s, ci(name, func(c *ent.CICreate) {
				c.SetDescription(text).SetCategory(text).SetAttributes(map[string]any{"x": text, name: 1}).SetLabels(map[string]string{name: text}).
					SetLocks([]string{text}).SetLinks([]domain.Link{{Kind: domain.Runbook, Title: text, URL: text}})
			}))
			got := s.Read.CI.GetX(t.Context(), made.ID)
			if got.Name != name || got.Description != text || got.Category != text || got.Attributes["x"] != text ||
				got.Labels[name] != text || got.Locks[0] != text || got.Links[0].URL != text {
				t.Errorf("%.40q came back as %+.200v", text, got)
			}
			if list := namesOf(t, s, &read.CIFilter{Name: &where.Text{Eq: graphql.OmittableOf(&name)}}); len(list) != 1 || list[0] != name {
				t.Errorf("%.40q is not found by itself: %.200q", name, list)
			}
			if list := namesOf(t, s, &read.CIFilter{Labels: []*read.LabelFilter{{Name: name, Eq: graphql.OmittableOf(&text)}}}); len(list) != 1 {
				t.Errorf("%.40q is not found by its label: %.200q", name, list)
			}
			if _, err := reader(s).Search(t.Context(), text[:min(len(text), 100)]+"x", nil, nil, nil); err != nil {
				t.Errorf("searching %.40q: %v", text, err)
			}
			person := write(t, s, func(ctx context.Context, tx *store.Tx) (*ent.Person, error) {
				return tx.Person.Create().SetName(name).SetEmail(name).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
			})
			if got := s.Read.Person.GetX(t.Context(), person.ID); got.Name != name || got.Email != name {
				t.Errorf("person %.40q came back as %+.200v", name, got)
			}
			if _, err := store.Write(t.Context(), s, store.By{Actor: text, Verb: text}, func(ctx context.Context, tx *store.Tx) (*ent.ServiceTier, error) {
				return tx.ServiceTier.Create().SetCode(name).SetName(text).SetDescription(text).SetRank(i).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
			}); err != nil {
				t.Errorf("tier %.40q: %v", name, err)
			}
			last := s.Read.Entry.Query().Order(ent.Desc("id")).FirstX(t.Context())
			description, _ := last.After["description"].(string) // absent when empty
			if last.Actor != text || last.Verb != text || description != text {
				t.Errorf("the journal tells of %.40q: %+.200v", text, last)
			}
		}
		if n := s.Read.ServiceTier.Query().Where(servicetier.CodeIn("'; DROP TABLE ci; --")).CountX(t.Context()); n != 1 {
			t.Errorf("%d tiers", n)
		}
	})
}

// unstorable are texts that PostgreSQL refuses and SQLite would keep.
var unstorable = []string{"\x00", "a\x00b", "\xff", "caf\xe9", "\xed\xa0\x80"}

func TestTextThatOneDatabaseCannotKeepIsRefusedByBoth(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		fine := write(t, s, ci("fine", nil))
		for _, text := range unstorable {
			for where, more := range map[string]func(*ent.CICreate){
				"name":           func(c *ent.CICreate) { c.SetName(text) },
				"description":    func(c *ent.CICreate) { c.SetDescription(text) },
				"attribute":      func(c *ent.CICreate) { c.SetAttributes(map[string]any{"x": []any{map[string]any{"y": text}}}) },
				"attribute name": func(c *ent.CICreate) { c.SetAttributes(map[string]any{text: 1}) },
				"label":          func(c *ent.CICreate) { c.SetLabels(map[string]string{"x": text}) },
				"label name":     func(c *ent.CICreate) { c.SetLabels(map[string]string{text: "x"}) },
				"lock":           func(c *ent.CICreate) { c.SetLocks([]string{text}) },
				"link":           func(c *ent.CICreate) { c.SetLinks([]domain.Link{{Title: text}}) },
			} {
				if _, err := store.Write(t.Context(), s, by, ci("x", more)); errs.CodeOf(err) != errs.Invalid {
					t.Errorf("%q as %s: %v, want %s", text, where, err, errs.Invalid)
				}
			}
			_, err := store.Write(t.Context(), s, by, func(ctx context.Context, tx *store.Tx) (any, error) {
				return nil, tx.CI.UpdateOneID(fine.ID).SetName(text).Exec(ctx)
			})
			if errs.CodeOf(err) != errs.Invalid {
				t.Errorf("%q in an update: %v, want %s", text, err, errs.Invalid)
			}
			if _, err := s.Read.Person.Query().Where(person.Name(text)).All(t.Context()); err != nil && errs.CodeOf(store.Translate(err)) != errs.Invalid {
				t.Errorf("%q in a question: %v, want %s or no rows", text, store.Translate(err), errs.Invalid)
			}
		}
		same(t, "what is left", namesOf(t, s, nil), []string{"fine"})
	})
}

// TestABackslashIsNoEscapeOfJSON keeps a text that reads like an escape of JSON.
func TestABackslashIsNoEscapeOfJSON(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		text := `\u0000`
		made := write(t, s, ci("x", func(c *ent.CICreate) { c.SetAttributes(map[string]any{"x": text}) }))
		if got := s.Read.CI.GetX(t.Context(), made.ID); got.Attributes["x"] != text {
			t.Errorf("got %q", got.Attributes["x"])
		}
	})
}
