package page

import (
	"strconv"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// OneOf returns the condition that a column is one of these ids. They are one argument however many they are: batches
// outgrow what a statement may have of arguments, and a statement that stays the same is planned once.
//
// PostgreSQL plans a statement anew as long as it hopes for a better plan from the length of a list, which costs ten
// times what the reading of a few rows does. The subquery keeps the length from the planner.
func OneOf(column string, ids []ident.ID) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		if b.Dialect() == dialect.Postgres {
			b.Ident(column).WriteString(" = ANY((SELECT ").Arg(IDList(b.Dialect(), ids)).WriteString("::bigint[])::bigint[])")
			return
		}
		b.Ident(column).WriteString(" IN (SELECT value FROM json_each(").Arg(IDList(b.Dialect(), ids)).WriteString("))")
	})
}

// Among returns the same condition for rows that are read anyway: their ids are looked up among these, which a list in
// one argument would be searched for from its beginning.
func Among(column string, ids []ident.ID) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		if b.Dialect() == dialect.Postgres {
			b.Ident(column).WriteString(" IN (SELECT unnest(").Arg(IDList(b.Dialect(), ids)).WriteString("::bigint[]))")
			return
		}
		b.Join(OneOf(column, ids))
	})
}

// idTable returns these ids as a table with the column id.
func idTable(name string, ids []ident.ID) *sql.Selector {
	d := sql.Dialect(name)
	if name == dialect.Postgres {
		return d.Select().AppendSelectExprAs(sql.ExprFunc(func(b *sql.Builder) {
			b.WriteString("unnest((SELECT ").Arg(IDList(name, ids)).WriteString("::bigint[]))")
		}), "id")
	}
	each := d.Table("json_each")
	return d.Select().AppendSelectAs(each.C("value"), "id").From(each).Where(sql.EQ(each.C("json"), IDList(name, ids)))
}

// IDList returns these ids as one argument.
func IDList(name string, ids []ident.ID) string {
	const digits = 19 // of the largest
	list := make([]byte, 1, 2+len(ids)*(digits+1))
	for i, id := range ids {
		if i > 0 {
			list = append(list, ',')
		}
		list = strconv.AppendInt(list, int64(id), 10)
	}
	if name == dialect.Postgres {
		list[0] = '{'
		return string(append(list, '}'))
	}
	list[0] = '['
	return string(append(list, ']'))
}
