package read

import (
	"encoding/json"
	"regexp"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// LabelFilter compares a label.
type LabelFilter struct {
	Name string
	Eq   graphql.Omittable[*string] `json:",omitzero"`
	In   []string
}

// AttributeFilter compares an attribute.
type AttributeFilter struct {
	Path   string
	Eq     graphql.Omittable[any] `json:",omitzero"`
	In     []any
	Gte    *float64
	Lt     *float64
	Exists *bool
}

func labels(c *where.Conditions, filters []*LabelFilter) {
	c.Spend("labels", len(filters))
	for _, f := range filters {
		all, ok := where.Choose(c, &where.Choice[string]{Eq: f.Eq, In: f.In})
		has := hasProperty("labels", f.Name)
		if !ok {
			c.Add(has)
			continue
		}
		c.Add(all.Or(property("labels", f.Name, all.Values...), where.Not(has)))
	}
}

var attributePath = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,99}$`)

func attributes(c *where.Conditions, filters []*AttributeFilter) {
	c.Spend("attributes", len(filters))
	for _, f := range filters {
		if !attributePath.MatchString(f.Path) {
			c.Refuse("%.40q is not the name of an attribute: letters, digits and underscores", f.Path)
			return
		}
		if value, ok := f.Eq.ValueOK(); ok && value == nil {
			c.Add(where.Not(hasProperty("attributes", f.Path)))
		} else if ok {
			c.Add(property("attributes", f.Path, value))
		}
		if f.In != nil {
			c.Spend("values", len(f.In))
			c.Add(property("attributes", f.Path, f.In...))
		}
		if f.Gte != nil {
			c.Add(compareAttribute(f.Path, ">=", *f.Gte))
		}
		if f.Lt != nil {
			c.Add(compareAttribute(f.Path, "<", *f.Lt))
		}
		if f.Exists != nil {
			hold := hasProperty("attributes", f.Path)
			if !*f.Exists {
				c.Add(where.Not(hold))
				continue
			}
			c.Add(hold)
		}
	}
}

// property returns the condition that an attribute or label has one of some values.
func property(field, path string, values ...any) where.Condition {
	return func(s *sql.Selector) *sql.Predicate { return store.PropertyIn(s, field, path, values) }
}

func ownProperties(b *sql.Builder, s *sql.Selector, field, path string) *sql.Builder {
	return b.Ident(s.C("id")).WriteString(" IN (SELECT ci_id FROM x_ci_property WHERE field = ").Arg(field).WriteString(" AND path = ").Arg(path)
}

func hasProperty(field, path string) where.Condition {
	return func(s *sql.Selector) *sql.Predicate {
		return sql.P(func(b *sql.Builder) {
			if b.Dialect() == dialect.Postgres {
				b.Ident(s.C(field)).WriteString(" ? ").Arg(path)
				return
			}
			ownProperties(b, s, field, path).WriteString(")")
		})
	}
}

func compareAttribute(path, operator string, value float64) where.Condition {
	return func(s *sql.Selector) *sql.Predicate {
		return sql.P(func(b *sql.Builder) {
			if b.Dialect() == dialect.Postgres {
				// The path is made of letters, digits and underscores; the number is written by Go.
				number, err := json.Marshal(value)
				if err != nil {
					number = []byte("null") // not a number: nothing compares with it
				}
				b.Ident(s.C("attributes")).WriteString(" @? ").Arg(`strict $."` + path + `" ? (@ ` + operator + " " + string(number) + ")").WriteString("::jsonpath")
				return
			}
			ownProperties(b, s, "attributes", path).WriteString(" AND sort = 'number' AND value " + operator + " ").Arg(value).WriteString(")")
		})
	}
}
