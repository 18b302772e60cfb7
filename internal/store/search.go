package store

import (
	"fmt"
	"strconv"
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
)

// Searchable is a table that is searched by the words of some of its columns. Its index is x_TABLE_search: on SQLite it
// stands beside the table and triggers keep it, on PostgreSQL it is of a column x_search.
type Searchable struct {
	Table   string
	Columns []Words
}

// Words are those of a column, which weigh as PostgreSQL's letters say: A most, D least.
type Words struct {
	Column string
	Weight byte
}

// SearchableCIs are CIs by name and description.
var SearchableCIs = Searchable{"ci", []Words{{"name", 'A'}, {"description", 'D'}}}

// Searchables are all that can be searched.
var Searchables = []Searchable{SearchableCIs}

// Match begins a statement that finds the rows in which all words occur, with their score; the last word may be
// unfinished. Words are of lower-case letters and digits alone. More conditions may follow with AND.
func (s Searchable) Match(b *sql.Builder, words []string) {
	b.WriteString("SELECT " + s.Table + ".id, ")
	s.score(b, words)
	if b.Dialect() == dialect.Postgres {
		b.WriteString(" AS score FROM " + s.Table + ", CAST(").
			Arg("'" + strings.Join(words, "' & '") + "':*").WriteString(" AS tsquery) AS q WHERE x_search @@ q")
		return
	}
	index := "x_" + s.Table + "_search"
	b.WriteString(" AS score FROM " + index + " JOIN " + s.Table + " ON " + s.Table + ".id = " + index + ".rowid WHERE " + index + " MATCH ").
		Arg(`"` + strings.Join(words, `" "`) + `"*`)
}

// score writes how well a row matches, from 1 up to 100, by its first column: whether that is the words, begins with
// them, and how many of them it holds. The databases' own scores depend on all rows, those that an actor may not see
// among them, and differ between the two.
func (s Searchable) score(b *sql.Builder, words []string) {
	like := func(pattern, points string) {
		b.WriteString("CASE WHEN lower(" + s.Table + "." + s.Columns[0].Column + ") LIKE ").Arg(pattern).WriteString(" THEN " + points + " ELSE 0 END")
	}
	like(strings.Join(words, "_"), "30") // _ is any character between words
	b.WriteString(" + ")
	like(strings.Join(words, "_")+"%", "20")
	for _, word := range words {
		b.WriteString(" + ")
		like("%"+word+"%", strconv.Itoa(49/len(words)))
	}
	b.WriteString(" + 1")
}

// Create returns the statements that make the index, for a migration.
func (s Searchable) Create(d string) []string {
	if d == dialect.Postgres {
		columns := make([]string, len(s.Columns))
		for i, w := range s.Columns {
			columns[i] = postgresWords(w)
		}
		return []string{
			fmt.Sprintf("ALTER TABLE %s ADD COLUMN x_search tsvector GENERATED ALWAYS AS (\n  %s\n) STORED;", s.Table, strings.Join(columns, " ||\n  ")),
			fmt.Sprintf("CREATE INDEX x_%[1]s_search ON %[1]s USING gin (x_search);", s.Table),
		}
	}
	names, fresh := make([]string, len(s.Columns)), make([]string, len(s.Columns))
	for i, w := range s.Columns {
		names[i], fresh[i] = w.Column, "new."+w.Column
	}
	columns := strings.Join(names, ", ")
	index := "x_" + s.Table + "_search"
	remove := "  DELETE FROM " + index + " WHERE rowid = old.id;\n"
	insert := "  INSERT INTO " + index + " (rowid, " + columns + ") VALUES (new.id, " + strings.Join(fresh, ", ") + ");\n"
	return []string{
		"CREATE VIRTUAL TABLE " + index + " USING fts5(" + columns + ", content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 0');",
		"CREATE TRIGGER " + index + "_insert AFTER INSERT ON " + s.Table + " BEGIN\n" + insert + "END;",
		"CREATE TRIGGER " + index + "_update AFTER UPDATE OF " + columns + " ON " + s.Table + " BEGIN\n" + remove + insert + "END;",
		"CREATE TRIGGER " + index + "_delete AFTER DELETE ON " + s.Table + " BEGIN\n" + remove + "END;",
	}
}

// postgresWords cuts a column at everything that is no letter or digit, as SQLite does, rather than as PostgreSQL's
// parser would. The pattern with a bound, which is begun anew for each word, is kept for texts that may hold a word of
// more than 255 characters: lower case has at most twice the characters.
func postgresWords(w Words) string {
	cut := func(pattern string) string {
		return fmt.Sprintf(`regexp_replace(lower(regexp_replace(%s COLLATE "default", '[^[:alnum:]]+', ' ', 'g')), '%s', '''\1'':1%c', 'g')`,
			w.Column, pattern, w.Weight)
	}
	return fmt.Sprintf("(CASE WHEN length(%[1]s) < 128 OR %[1]s COLLATE \"default\" !~ '[[:alnum:]]{128}'\n    THEN %s\n    ELSE %s\n  END)::tsvector",
		w.Column, cut("([[:alnum:]]+)"), cut("([[:alnum:]]{1,255})[[:alnum:]]*"))
}
