// Package where makes conditions of what clients filter by, and holds it to bounds. It knows columns and refuses to
// know what they mean.
package where

import (
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// Condition is one condition on the rows of a statement.
type Condition func(*sql.Selector) *sql.Predicate

// Conditions collects the conditions of a filter, all of which must hold, and the first thing wrong with it.
type Conditions struct {
	all    []Condition
	err    error
	narrow bool // one of them is not usual: it may keep few rows
	size   int  // of the whole filter: its values and its parts
	depth  int
}

// Bounds of a filter: how deep and, or and not may nest, how long a list may be, how much there may be in all.
const (
	mostDepth  = 5
	mostValues = 100
	mostSize   = 1_000
)

// Add adds conditions.
func (c *Conditions) Add(more ...Condition) { c.all, c.narrow = append(c.all, more...), true }

// AddUsual adds conditions that most rows meet.
func (c *Conditions) AddUsual(more ...Condition) { c.all = append(c.all, more...) }

// Err returns the first thing wrong with the filter.
func (c *Conditions) Err() error { return c.err }

// Refuse says what is wrong with the filter.
func (c *Conditions) Refuse(format string, args ...any) {
	if c.err == nil {
		c.err = errs.New(errs.BadUserInput, format, args...)
	}
}

// Fail says why no conditions can be made of the filter.
func (c *Conditions) Fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// Spend counts what the filter holds of something, against the bounds of a list and of the whole filter.
func (c *Conditions) Spend(what string, n int) {
	if n > mostValues {
		c.Refuse("the filter lists %d %s: at most %d", n, what, mostValues)
	}
	if c.size += n; c.size > mostSize {
		c.Refuse("the filter has more than %d values and parts", mostSize)
	}
}

// Apply puts the conditions on a statement. They name their columns by a copy of it: many are written out when the
// statement is, and by then a nested list has put another statement in its place.
func (c *Conditions) Apply(s *sql.Selector) {
	rows := *s
	for _, hold := range c.all {
		s.Where(hold(&rows))
	}
}

// Combine adds the parts of a filter that hold other filters of its kind, which build makes conditions of.
func Combine[F any](c *Conditions, and, or []*F, not *F, build func(*Conditions, *F)) {
	if c.depth >= mostDepth && (and != nil || or != nil || not != nil) {
		c.Refuse("the filter nests deeper than %d", mostDepth)
	}
	c.Spend("parts", len(and))
	c.Spend("parts", len(or))
	if c.err != nil {
		return
	}
	part := func(f *F) Condition {
		inner := &Conditions{err: c.err, size: c.size, depth: c.depth + 1}
		build(inner, f)
		c.err, c.size = inner.err, inner.size
		return joined(inner.all, " AND ", "1 = 1")
	}
	for _, f := range and {
		c.Add(part(f))
	}
	if or != nil {
		options := make([]Condition, len(or))
		for i, f := range or {
			options[i] = part(f)
		}
		c.Add(joined(options, " OR ", "1 = 0"))
	}
	if not != nil {
		c.Add(Not(part(not)))
	}
}

// All returns the condition that all of some hold.
func All(parts ...Condition) Condition { return joined(parts, " AND ", "1 = 1") }

// Any returns the condition that one of some holds.
func Any(parts ...Condition) Condition { return joined(parts, " OR ", "1 = 0") }

// joined puts conditions together in parentheses of its own: sql.And and sql.Or leave them out around a single part,
// and the OR inside it then takes in whatever stands beside.
func joined(parts []Condition, operator, empty string) Condition {
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

// Not returns the condition that another does not hold: also where SQL knows neither, as of a team that is not set.
func Not(hold Condition) Condition {
	return func(s *sql.Selector) *sql.Predicate {
		return sql.P(func(b *sql.Builder) {
			b.Wrap(func(b *sql.Builder) { b.Join(hold(s)) }).WriteString(" IS NOT TRUE")
		})
	}
}

// In returns the condition that a column has one of some values.
func In(column string, values ...any) Condition {
	return func(s *sql.Selector) *sql.Predicate { return sql.In(s.C(column), values...) }
}

// InTable returns the condition that a column is among what another table has, column by condition.
func InTable(column, table, selected, compared string, values ...any) Condition {
	return func(s *sql.Selector) *sql.Predicate {
		d := sql.Dialect(s.Dialect())
		other := d.Table(table)
		return sql.In(s.C(column), d.Select(other.C(selected)).From(other).Where(sql.In(other.C(compared), values...)))
	}
}

var wildcards = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func escape(s string) string { return wildcards.Replace(s) }

// like compares text whatever its case, in all languages.
func like(column, pattern string) Condition {
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
