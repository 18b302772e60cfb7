package store

import (
	"encoding/json"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
)

// PropertyIn returns the condition on rows of ci that an attribute or label (field "attributes" or "labels") has one of
// the values: text, numbers (float64) or booleans; others are equal to nothing. It uses the GIN index on PostgreSQL,
// and on SQLite the table that triggers maintain, one look-up a value.
func PropertyIn(s *sql.Selector, field, path string, values []any) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		if b.Dialect() == dialect.Postgres {
			objects := make([]any, 0, len(values))
			for _, v := range values {
				if text, err := json.Marshal(map[string]any{path: v}); err == nil && isScalar(v) {
					objects = append(objects, string(text))
				}
			}
			b.Ident(s.C(field)).WriteString(" @> ANY(ARRAY[").Args(objects...).WriteString("]::jsonb[])")
			return
		}
		bySort := map[string][]any{}
		for _, v := range values {
			switch v := v.(type) {
			case string:
				bySort["text"] = append(bySort["text"], v)
			case float64:
				bySort["number"] = append(bySort["number"], v)
			case bool:
				n := 0
				if v {
					n = 1
				}
				bySort["boolean"] = append(bySort["boolean"], n)
			}
		}
		b.Ident(s.C("id")).WriteString(" IN (SELECT ci_id FROM x_ci_property WHERE field = ").Arg(field).WriteString(" AND path = ").Arg(path).WriteString(" AND (1 = 0")
		for _, sort := range []string{"text", "number", "boolean"} {
			if list := bySort[sort]; len(list) > 0 {
				b.WriteString(" OR sort = ").Arg(sort).WriteString(" AND value IN (").Args(list...).WriteString(")")
			}
		}
		b.WriteString("))")
	})
}

func isScalar(v any) bool {
	switch v.(type) {
	case string, float64, bool:
		return true
	}
	return false
}
