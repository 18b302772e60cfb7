package read

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// condition is one condition on the rows of a statement.
type condition func(*sql.Selector) *sql.Predicate

// conditions collects the conditions of a filter, all of which must hold, and the first thing wrong with it.
type conditions struct {
	all  []condition
	err  error
	size int // of the whole filter: its values and its parts
}

func (c *conditions) add(more ...condition) { c.all = append(c.all, more...) }

func (c *conditions) refuse(format string, args ...any) {
	if c.err == nil {
		c.err = errs.New(errs.BadUserInput, format, args...)
	}
}

// spend counts what a filter holds of something, against the bounds of a list and of the whole filter.
func (c *conditions) spend(what string, n int) {
	if n > filterValues {
		c.refuse("the filter lists %d %s: at most %d", n, what, filterValues)
	}
	if c.size += n; c.size > filterSize {
		c.refuse("the filter has more than %d values and parts", filterSize)
	}
}

// where puts the conditions on a statement.
func (c *conditions) where(s *sql.Selector) {
	for _, hold := range c.all {
		s.Where(hold(s))
	}
}

// and is one condition of them all.
func (c *conditions) and() condition { return joined(c.all, " AND ", "1 = 1") }

// oneHolds is the condition that one of them holds; none of none does.
func oneHolds(options []condition) condition { return joined(options, " OR ", "1 = 0") }

// joined puts conditions together in parentheses of its own: sql.And and sql.Or leave them out around a single part,
// and the OR inside it then takes in whatever stands beside.
func joined(parts []condition, operator, empty string) condition {
	return func(s *sql.Selector) *sql.Predicate {
		return sql.P(func(b *sql.Builder) {
			if len(parts) == 0 {
				b.WriteString(empty)
				return
			}
			b.Wrap(func(b *sql.Builder) {
				for i, hold := range parts {
					if i > 0 {
						b.WriteString(operator)
					}
					b.Join(hold(s))
				}
			})
		})
	}
}

// Bounds of a filter: how deep and, or and not may nest, how long a list may be, how much there may be in all.
const (
	filterDepth  = 5
	filterValues = 100
	filterSize   = 1_000
)

// combine adds the parts of a filter that hold other filters of its kind.
func combine[F any](c *conditions, depth int, and, or []*F, not *F, build func(*conditions, *F, int)) {
	if depth >= filterDepth && (and != nil || or != nil || not != nil) {
		c.refuse("the filter nests deeper than %d", filterDepth)
	}
	c.spend("parts", len(and))
	c.spend("parts", len(or))
	if c.err != nil {
		return
	}
	part := func(f *F) condition {
		inner := &conditions{err: c.err, size: c.size}
		build(inner, f, depth+1)
		c.err, c.size = inner.err, inner.size
		return inner.and()
	}
	for _, f := range and {
		c.add(part(f))
	}
	if or != nil {
		options := make([]condition, len(or))
		for i, f := range or {
			options[i] = part(f)
		}
		c.add(oneHolds(options))
	}
	if not != nil {
		c.add(opposite(part(not)))
	}
}

// opposite is the condition that another does not hold: also where SQL knows neither, as of a team that is not set.
func opposite(hold condition) condition {
	return func(s *sql.Selector) *sql.Predicate {
		return sql.P(func(b *sql.Builder) {
			b.Wrap(func(b *sql.Builder) { b.Join(hold(s)) }).WriteString(" IS NOT TRUE")
		})
	}
}

// StringFilter compares text.
type StringFilter struct {
	Eq         *string
	In         []string
	Contains   *string
	StartsWith *string
}

// CodeFilter compares a code.
type CodeFilter struct {
	Eq *string
	In []string
}

// IDFilter compares a reference.
type IDFilter struct {
	Eq *ident.ID
	In []ident.ID
}

// IntFilter compares a whole number.
type IntFilter struct {
	Eq  *int
	In  []int
	Gte *int
	Lt  *int
}

// DateTimeFilter compares a moment.
type DateTimeFilter struct {
	Gte *time.Time
	Lt  *time.Time
}

// EnumFilter compares an enumeration.
type EnumFilter[T ~string] struct {
	Eq *T
	In []T
}

func equals(column string, value any) condition {
	return func(s *sql.Selector) *sql.Predicate { return sql.EQ(s.C(column), value) }
}

func among(column string, values []any) condition {
	return func(s *sql.Selector) *sql.Predicate { return sql.In(s.C(column), values...) }
}

// values lists what eq and in allow together: nil when neither was given.
func values[T any](c *conditions, eq *T, in []T) (all []any, given bool) {
	c.spend("values", len(in))
	if eq != nil {
		all = append(all, *eq)
	}
	for _, v := range in {
		all = append(all, v)
	}
	return all, eq != nil || in != nil
}

func (c *conditions) text(column string, f *StringFilter) {
	if f == nil {
		return
	}
	if f.Eq != nil {
		c.add(equals(column, *f.Eq))
	}
	if list, given := values(c, nil, f.In); given {
		c.add(among(column, list))
	}
	if f.Contains != nil {
		c.add(like(column, "%"+escape(*f.Contains)+"%"))
	}
	if f.StartsWith != nil {
		c.add(like(column, escape(*f.StartsWith)+"%"))
	}
}

var wildcards = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func escape(s string) string { return wildcards.Replace(s) }

// like compares text whatever its case, in all languages.
func like(column, pattern string) condition {
	return func(s *sql.Selector) *sql.Predicate {
		return sql.P(func(b *sql.Builder) {
			if b.Dialect() == dialect.Postgres {
				// Names order by bytes, in a collation that knows no case but of ASCII.
				b.Ident(s.C(column)).WriteString(` COLLATE "default" ILIKE `).Arg(pattern)
				return
			}
			b.WriteString("lower(").Ident(s.C(column)).WriteString(") LIKE ").Arg(strings.ToLower(pattern)).WriteString(` ESCAPE '\'`)
		})
	}
}

func enum[T ~string](c *conditions, column string, f *EnumFilter[T]) {
	if f == nil {
		return
	}
	if list, given := values(c, f.Eq, f.In); given {
		c.add(among(column, list))
	}
}

func (c *conditions) reference(column string, f *IDFilter) {
	if f == nil {
		return
	}
	if list, given := values(c, f.Eq, f.In); given {
		c.add(among(column, list))
	}
}

func (c *conditions) whole(column string, f *IntFilter) {
	if f == nil {
		return
	}
	if list, given := values(c, f.Eq, f.In); given {
		c.add(among(column, list))
	}
	if f.Gte != nil {
		c.add(func(s *sql.Selector) *sql.Predicate { return sql.GTE(s.C(column), *f.Gte) })
	}
	if f.Lt != nil {
		c.add(func(s *sql.Selector) *sql.Predicate { return sql.LT(s.C(column), *f.Lt) })
	}
}

func (c *conditions) moment(column string, f *DateTimeFilter) {
	if f == nil {
		return
	}
	if f.Gte != nil {
		c.add(func(s *sql.Selector) *sql.Predicate { return sql.GTE(s.C(column), *f.Gte) })
	}
	if f.Lt != nil {
		c.add(func(s *sql.Selector) *sql.Predicate { return sql.LT(s.C(column), *f.Lt) })
	}
}

// within is the condition that a column is among what another table has, column by condition.
func (c *conditions) within(column, table, selected, compared string, list []any) {
	c.add(func(s *sql.Selector) *sql.Predicate {
		other := sql.Dialect(s.Dialect()).Table(table)
		return sql.In(s.C(column), sql.Dialect(s.Dialect()).Select(other.C(selected)).From(other).Where(sql.In(other.C(compared), list...)))
	})
}

func (c *conditions) codeOf(column, table string, f *CodeFilter) {
	if f == nil {
		return
	}
	if list, given := values(c, f.Eq, f.In); given {
		c.within(column, table, "id", "code", list)
	}
}

// subtree is the statement for the ids of classes and all classes below them.
func subtree(b *sql.Builder, codes []any) {
	b.WriteString("WITH RECURSIVE subtree(id) AS (SELECT id FROM ci_class WHERE code IN (").Args(codes...).
		WriteString(") UNION SELECT child.id FROM ci_class child JOIN subtree ON child.parent_id = subtree.id) SELECT id FROM subtree")
}

func (c *conditions) class(f *CodeFilter) {
	if f == nil {
		return
	}
	list, given := values(c, f.Eq, f.In)
	if !given {
		return
	}
	c.add(func(s *sql.Selector) *sql.Predicate {
		if len(list) == 0 {
			return sql.False()
		}
		return sql.P(func(b *sql.Builder) {
			b.Ident(s.C("class_id")).WriteString(" IN (")
			subtree(b, list)
			b.WriteString(")")
		})
	})
}

// LabelFilter compares a label.
type LabelFilter struct {
	Name string
	Eq   *string
}

// AttributeFilter compares an attribute.
type AttributeFilter struct {
	Path   string
	Eq     any
	In     []any
	Gte    *float64
	Lt     *float64
	Exists *bool
}

func (c *conditions) labels(filters []*LabelFilter) {
	c.spend("labels", len(filters))
	for _, f := range filters {
		if f.Eq == nil {
			c.add(hasProperty("labels", f.Name))
			continue
		}
		c.add(property("labels", f.Name, *f.Eq))
	}
}

var attributePath = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,99}$`)

func (c *conditions) attributes(filters []*AttributeFilter) {
	c.spend("attributes", len(filters))
	for _, f := range filters {
		if !attributePath.MatchString(f.Path) {
			c.refuse("%.40q is not the name of an attribute: letters, digits and underscores", f.Path)
			return
		}
		if f.Eq != nil {
			c.add(property("attributes", f.Path, f.Eq))
		}
		if f.In != nil {
			list, _ := values(c, nil, f.In)
			options := make([]condition, len(list))
			for i, v := range list {
				options[i] = property("attributes", f.Path, v)
			}
			c.add(oneHolds(options))
		}
		if f.Gte != nil {
			c.add(compareAttribute(f.Path, ">=", *f.Gte))
		}
		if f.Lt != nil {
			c.add(compareAttribute(f.Path, "<", *f.Lt))
		}
		if f.Exists != nil {
			hold := hasProperty("attributes", f.Path)
			if !*f.Exists {
				c.add(opposite(hold))
				continue
			}
			c.add(hold)
		}
	}
}

// property is the condition that an attribute or label has a value: by the GIN index on PostgreSQL, by the table
// that triggers keep on SQLite.
func property(field, path string, value any) condition {
	return func(s *sql.Selector) *sql.Predicate {
		return sql.P(func(b *sql.Builder) {
			if b.Dialect() == dialect.Postgres {
				text, err := json.Marshal(map[string]any{path: value})
				if err != nil {
					panic(err) // a scalar
				}
				b.Ident(s.C(field)).WriteString(" @> ").Arg(string(text)).WriteString("::jsonb")
				return
			}
			sort := "text"
			switch v := value.(type) {
			case float64:
				sort = "number"
			case bool:
				sort, value = "boolean", 0
				if v {
					value = 1
				}
			}
			ownProperties(b, s, field, path).WriteString(" AND sort = ").Arg(sort).WriteString(" AND value = ").Arg(value).WriteString(")")
		})
	}
}

func ownProperties(b *sql.Builder, s *sql.Selector, field, path string) *sql.Builder {
	return b.Ident(s.C("id")).WriteString(" IN (SELECT ci_id FROM x_ci_property WHERE field = ").Arg(field).WriteString(" AND path = ").Arg(path)
}

func hasProperty(field, path string) condition {
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

func compareAttribute(path, operator string, value float64) condition {
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
