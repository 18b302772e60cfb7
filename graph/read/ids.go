package read

import (
	"strconv"
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// oneOf is the condition that a column is one of these ids. They are one argument however many they are: batches
// outgrow what a statement may have of arguments, and a statement that stays the same is planned once.
func oneOf(column string, ids []ident.ID) *sql.Predicate {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = strconv.FormatInt(int64(id), 10)
	}
	numbers := strings.Join(list, ",")
	return sql.P(func(b *sql.Builder) {
		if b.Dialect() == dialect.Postgres {
			b.Ident(column).WriteString(" = ANY(").Arg("{" + numbers + "}").WriteString("::bigint[])")
			return
		}
		b.Ident(column).WriteString(" IN (SELECT value FROM json_each(").Arg("[" + numbers + "]").WriteString("))")
	})
}

// having chooses the rows that name one of these ids.
func having(column string, ids []ident.ID) func(*sql.Selector) {
	return func(s *sql.Selector) { s.Where(oneOf(s.C(column), ids)) }
}
