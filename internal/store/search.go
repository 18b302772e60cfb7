package store

import (
	"fmt"
	"strconv"
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
)

// Searchable is a table that is searched by the words of some of its columns, and by parts of the first, which is the
// name that its records go by. The index of words is x_TABLE_search: on SQLite it stands beside the table and triggers
// keep it, on PostgreSQL it is of a column x_search. That of parts, of three letters each, is x_TABLE_parts on SQLite,
// and on PostgreSQL x_TABLE_NAME_trgm, where the extension pg_trgm may be had: without it parts are read from the
// table.
type Searchable struct {
	Table   string
	Columns []Words
}

// Words are those of a column, which weigh as PostgreSQL's letters say: A most, D least.
type Words struct {
	Column string
	Weight byte
}

// The tables that can be searched.
var (
	SearchableCIs       = Searchable{"ci", []Words{{"name", 'A'}, {"description", 'D'}}}
	SearchableIncidents = Searchable{"incident", []Words{{"title", 'A'}, {"description", 'D'}}}
	SearchableChanges   = Searchable{"change", []Words{{"title", 'A'}, {"description", 'D'}}}
	SearchableTeams     = Searchable{"team", []Words{{"name", 'A'}, {"description", 'D'}}}
	SearchablePeople    = Searchable{"person", []Words{{"name", 'A'}, {"email", 'D'}}}
)

// Searchables are all that can be searched.
var Searchables = []Searchable{SearchableCIs, SearchableIncidents, SearchableChanges, SearchableTeams, SearchablePeople}

// Match begins a statement that finds the rows in which all words occur; the last word may be unfinished. It gives
// their ids, names, and scores by which the best can be chosen. Words, here and in Hold, are of lower-case letters and
// digits alone. More conditions may follow with AND.
func (s Searchable) Match(b *sql.Builder, words []string) {
	s.begin(b, func() { s.score(b, words) })
	if b.Dialect() == dialect.Postgres {
		b.WriteString(" FROM " + s.Table + ", CAST(").
			Arg("'" + strings.Join(words, "' & '") + "':*").WriteString(" AS tsquery) AS q WHERE x_search @@ q")
		return
	}
	s.from(b, "x_"+s.Table+"_search", `"`+strings.Join(words, `" "`)+`"*`)
}

// Hold begins a statement that finds the rows whose names hold, of each of these lists, one part at least. It gives
// what Match gives; the score counts the parts that a name holds. One of the lists has to be of parts of three letters
// or more: those the index knows.
func (s Searchable) Hold(b *sql.Builder, lists [][]string) {
	s.begin(b, func() {
		for i, parts := range lists {
			for j, part := range parts {
				if i+j > 0 {
					b.WriteString(" + ")
				}
				b.WriteString("CASE WHEN ")
				s.holds(b, part)
				b.WriteString(" THEN 1 ELSE 0 END")
			}
		}
	})
	if b.Dialect() == dialect.Postgres {
		b.WriteString(" FROM " + s.Table + " WHERE 1 = 1")
	} else {
		s.from(b, "x_"+s.Table+"_parts", threes(lists))
	}
	for _, parts := range lists {
		b.WriteString(" AND (")
		for j, part := range parts {
			if j > 0 {
				b.WriteString(" OR ")
			}
			s.holds(b, part)
		}
		b.WriteString(")")
	}
}

// begin writes what a statement selects: the id, the name and the score of a row.
func (s Searchable) begin(b *sql.Builder, score func()) {
	b.WriteString("SELECT " + s.Table + ".id AS id, " + s.name(b) + " AS name, ")
	score()
	b.WriteString(" AS score")
}

// from writes that rows are found by an index of SQLite.
func (s Searchable) from(b *sql.Builder, index, match string) {
	b.WriteString(" FROM " + index + " JOIN " + s.Table + " ON " + s.Table + ".id = " + index + ".rowid WHERE " + index + " MATCH ").Arg(match)
}

// name returns the column of the name, in a collation that knows the case of all letters.
func (s Searchable) name(b *sql.Builder) string {
	column := s.Table + "." + s.Columns[0].Column
	if b.Dialect() == dialect.Postgres {
		column += ` COLLATE "default"`
	}
	return column
}

// holds writes the condition that a name holds a part, whatever its case.
func (s Searchable) holds(b *sql.Builder, part string) {
	if b.Dialect() == dialect.Postgres {
		b.WriteString(s.name(b) + " ILIKE ").Arg("%" + part + "%")
		return
	}
	b.WriteString("lower(" + s.name(b) + ") LIKE ").Arg("%" + part + "%")
}

// threes writes lists of parts for an index of three letters each: what a name that holds one of each list has to hold.
// It leaves out lists that have a shorter part.
func threes(lists [][]string) string {
	var all []string
	for _, parts := range lists {
		var any []string
		for _, part := range parts {
			letters := []rune(part)
			if len(letters) < 3 {
				any = nil
				break
			}
			var of []string
			for i := range len(letters) - 2 {
				of = append(of, `"`+string(letters[i:i+3])+`"`)
			}
			any = append(any, "("+strings.Join(of, " AND ")+")")
		}
		if len(any) > 0 {
			all = append(all, "("+strings.Join(any, " OR ")+")")
		}
	}
	return strings.Join(all, " AND ")
}

// score writes how well a row matches, by its name: whether that is the words, begins with them, and how many of them
// it holds. The databases' own scores depend on all rows, those that an actor may not see among them, and differ
// between the two.
func (s Searchable) score(b *sql.Builder, words []string) {
	like := func(pattern, points string) {
		b.WriteString("CASE WHEN lower(" + s.name(b) + ") LIKE ").Arg(pattern).WriteString(" THEN " + points + " ELSE 0 END")
	}
	like(strings.Join(words, "_"), "30") // _ is any character between words
	b.WriteString(" + ")
	like(strings.Join(words, "_")+"%", "20")
	for _, word := range words {
		b.WriteString(" + ")
		like("%"+word+"%", strconv.Itoa(49/len(words)))
	}
}

// Create returns the statements that make the index of words, for a migration.
func (s Searchable) Create(d string) []string {
	columns := s.columns()
	if d == dialect.Postgres {
		for i, w := range s.Columns {
			columns[i] = postgresWords(w)
		}
		return []string{
			fmt.Sprintf("ALTER TABLE %s ADD COLUMN x_search tsvector GENERATED ALWAYS AS (\n  %s\n) STORED;", s.Table, strings.Join(columns, " ||\n  ")),
			fmt.Sprintf("CREATE INDEX x_%[1]s_search ON %[1]s USING gin (x_search);", s.Table),
		}
	}
	return s.beside("search", "unicode61 remove_diacritics 0", "", columns...)
}

// CreateParts returns the statements that make the index of parts, for a migration. On PostgreSQL they fail without the
// extension pg_trgm.
func (s Searchable) CreateParts(d string) []string {
	name := s.Columns[0].Column
	if d == dialect.Postgres {
		return []string{fmt.Sprintf("CREATE INDEX x_%[1]s_%[2]s_trgm ON %[1]s USING gin ((%[2]s COLLATE \"default\") gin_trgm_ops);", s.Table, name)}
	}
	return s.beside("parts", "trigram", ", detail=none", name)
}

func (s Searchable) columns() []string {
	all := make([]string, len(s.Columns))
	for i, w := range s.Columns {
		all[i] = w.Column
	}
	return all
}

// beside returns the statements that make an index beside a table of SQLite, and keep it.
func (s Searchable) beside(what, tokenizer, more string, of ...string) []string {
	fresh := make([]string, len(of))
	for i, c := range of {
		fresh[i] = "new." + c
	}
	columns, index := strings.Join(of, ", "), "x_"+s.Table+"_"+what
	remove := "  DELETE FROM " + index + " WHERE rowid = old.id;\n"
	insert := "  INSERT INTO " + index + " (rowid, " + columns + ") VALUES (new.id, " + strings.Join(fresh, ", ") + ");\n"
	return []string{
		"CREATE VIRTUAL TABLE " + index + " USING fts5(" + columns + ", content='', contentless_delete=1, tokenize='" + tokenizer + "'" + more + ");",
		"CREATE TRIGGER " + index + "_insert AFTER INSERT ON " + s.Table + " BEGIN\n" + insert + "END;",
		"CREATE TRIGGER " + index + "_update AFTER UPDATE OF " + columns + " ON " + s.Table + " BEGIN\n" + remove + insert + "END;",
		"CREATE TRIGGER " + index + "_delete AFTER DELETE ON " + s.Table + " BEGIN\n" + remove + "END;",
	}
}

// Fill returns the statements that take into the indexes what a table holds already, for a migration after both. On
// PostgreSQL nothing is left to do.
func (s Searchable) Fill(d string) []string {
	if d == dialect.Postgres {
		return nil
	}
	fill := func(index string, of ...string) string {
		columns := strings.Join(of, ", ")
		return "INSERT INTO x_" + s.Table + "_" + index + " (rowid, " + columns + ") SELECT id, " + columns + " FROM " + s.Table + ";"
	}
	return []string{fill("search", s.columns()...), fill("parts", s.columns()[0])}
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
