package store

import (
	"encoding/json"
	"strconv"

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
		bySort := bySort(values)
		b.Ident(s.C("id")).WriteString(" IN (SELECT ci_id FROM x_ci_property WHERE field = ").Arg(field).WriteString(" AND path = ").Arg(path).WriteString(" AND (1 = 0")
		for _, sort := range []string{"text", "number", "boolean"} {
			if list := bySort[sort]; len(list) > 0 {
				b.WriteString(" OR sort = ").Arg(sort).WriteString(" AND value IN (").Args(list...).WriteString(")")
			}
		}
		b.WriteString("))")
	})
}

// bySort returns the values of x_ci_property, by its column sort; others than text, numbers and booleans are left out.
func bySort(values []any) map[string][]any {
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
	return bySort
}

// AttributeAlike returns the condition on rows of ci that an attribute may be one of the values: text in the form of
// identity.Squeezed, which several spellings share, numbers (float64) and booleans. It uses an index on both databases.
func AttributeAlike(s *sql.Selector, name string, values []any) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		if b.Dialect() == dialect.Postgres {
			keys := make([]any, 0, len(values))
			for _, v := range values {
				switch v := v.(type) {
				case string:
					keys = append(keys, name+"="+v)
				case float64:
					keys = append(keys, name+"="+strconv.FormatFloat(v, 'f', -1, 64))
				case bool:
					keys = append(keys, name+"="+strconv.FormatBool(v))
				}
			}
			b.WriteString("x_alike(").Ident(s.C("attributes")).WriteString(") && ARRAY[").Args(keys...).WriteString("]::text[]")
			return
		}
		bySort := bySort(values)
		b.Ident(s.C("id")).WriteString(" IN (SELECT ci_id FROM x_ci_property WHERE field = 'attributes' AND path = ").Arg(name).WriteString(" AND (1 = 0")
		if texts := bySort["text"]; len(texts) > 0 {
			b.WriteString(" OR sort = 'text' AND " + alike + " IN (").Args(texts...).WriteString(")")
		}
		for _, sort := range []string{"number", "boolean"} {
			if list := bySort[sort]; len(list) > 0 {
				b.WriteString(" OR sort = ").Arg(sort).WriteString(" AND value IN (").Args(list...).WriteString(")")
			}
		}
		b.WriteString("))")
	})
}

// alike is the form of identity.Squeezed in SQLite, as the index x_ci_property_alike has it.
const alike = "replace(replace(replace(replace(replace(replace(lower(trim(value)), '-', ''), ':', ''), '.', ''), '{', ''), '}', ''), ' ', '')"

func isScalar(v any) bool {
	switch v.(type) {
	case string, float64, bool:
		return true
	}
	return false
}
