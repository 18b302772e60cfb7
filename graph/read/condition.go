package read

import (
	"context"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// condition is one condition on the rows of a statement.
type condition func(*sql.Selector) *sql.Predicate

// conditions collects the conditions of a filter, all of which must hold, and the first thing wrong with it.
type conditions struct {
	all  []condition
	err  error
	size int // of the whole filter: its values and its parts
	// sight is what the actor may see, for conditions on records by the CIs that they name. By default it is what everyone sees.
	sight sight.Sight
}

// conditions are none yet, by what the actor may see.
func (r *Reader) conditions(ctx context.Context) *conditions {
	s, err := sight.Of(ctx, r.store.Read)
	return &conditions{err: store.Translate(err), sight: s}
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

// where puts the conditions on a statement. They name their columns by a copy of it: many are written out when the
// statement is, and by then a nested list has put another statement in its place.
func (c *conditions) where(s *sql.Selector) {
	rows := *s
	for _, hold := range c.all {
		s.Where(hold(&rows))
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
		inner := &conditions{err: c.err, size: c.size, sight: c.sight}
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

// usual is enum for a column whose values most rows share. SQLite takes every index for selective, and would sort half a table
// to show a page of it in another order; told that the condition narrows little, it reads in the page's order.
func usual[T ~string](c *conditions, column string, f *EnumFilter[T]) {
	if f == nil {
		return
	}
	list, given := values(c, f.Eq, f.In)
	if !given {
		return
	}
	c.add(func(s *sql.Selector) *sql.Predicate {
		if s.Dialect() != dialect.SQLite {
			return among(column, list)(s)
		}
		return sql.P(func(b *sql.Builder) { b.WriteString("likelihood(").Join(among(column, list)(s)).WriteString(", 0.9)") })
	})
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
