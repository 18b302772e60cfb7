package schedule

import (
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
)

// PostgreSQL joins what it can, and reads whole tables where it does not know, or is wrong about, how few rows are
// meant: in tables that were not analysed since they grew. These conditions leave it no choice but the index.

// in returns the condition that a column is one of what a subquery chooses, which is asked first.
func in(column string, chosen *sql.Selector) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		b.Ident(column)
		if b.Dialect() == dialect.Postgres {
			b.WriteString(" = ANY").Wrap(func(b *sql.Builder) { b.WriteString("ARRAY").Wrap(func(b *sql.Builder) { b.Join(chosen) }) })
			return
		}
		b.WriteString(" IN ").Wrap(func(b *sql.Builder) { b.Join(chosen) })
	})
}

// some returns the condition that a subquery about a row finds an id, which is looked for row by row.
func some(id *sql.Selector) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		b.Wrap(func(b *sql.Builder) { b.Join(id.Limit(1)) }).WriteString(" IS NOT NULL")
	})
}
