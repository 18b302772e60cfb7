package where

import (
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/99designs/gqlgen/graphql"
)

// Choice compares a code, a reference, an enumeration. Here and below, an eq of null asks for what has none; cursors
// and batches tell it from an eq that is absent.
type Choice[T any] struct {
	Eq graphql.Omittable[*T] `json:",omitzero"`
	In []T
}

// Text compares text.
type Text struct {
	Eq         graphql.Omittable[*string] `json:",omitzero"`
	In         []string
	Contains   *string
	StartsWith *string
}

// Int compares a whole number.
type Int struct {
	Eq  graphql.Omittable[*int] `json:",omitzero"`
	In  []int
	Gte *int
	Lt  *int
}

// Time compares a moment.
type Time struct {
	Gte *time.Time
	Lt  *time.Time
}

// isNone reports whether eq is null, which asks for what has none.
func isNone[T any](eq graphql.Omittable[*T]) bool {
	value, ok := eq.ValueOK()
	return ok && value == nil
}

// To returns the eq that compares with a value.
func To[T any](value T) graphql.Omittable[*T] { return graphql.OmittableOf(&value) }

// Chosen is what a choice allows: some values, and none at all.
type Chosen struct {
	Values []any
	None   bool
}

// Choose returns what a choice allows, and whether it says anything.
func Choose[T any](c *Conditions, f *Choice[T]) (all Chosen, ok bool) {
	if f == nil {
		return all, false
	}
	c.Spend("values", len(f.In))
	if value := f.Eq.Value(); value != nil {
		all.Values = append(all.Values, *value)
	}
	for _, v := range f.In {
		all.Values = append(all.Values, v)
	}
	all.None = isNone(f.Eq)
	return all, f.Eq.IsSet() || f.In != nil
}

// In returns the condition that a column has one of the values, or none if that is allowed.
func (all Chosen) In(column string) Condition {
	return all.Or(In(column, all.Values...), func(s *sql.Selector) *sql.Predicate { return sql.IsNull(s.C(column)) })
}

// Or returns the condition that a record has one of the values or, if that is allowed, that it has none.
func (all Chosen) Or(has, none Condition) Condition {
	switch {
	case !all.None:
		return has
	case len(all.Values) == 0:
		return none
	}
	return Any(has, none)
}

// Among adds the condition that a column has one of the values chosen.
func Among[T any](c *Conditions, column string, f *Choice[T]) {
	if all, ok := Choose(c, f); ok {
		c.Add(all.In(column))
	}
}

// Usual adds the conditions of Among for a column whose values most rows share. SQLite takes every index for
// selective, and would sort half a table to show a page of it in another order; told that the condition narrows
// little, it reads in the page's order.
func Usual[T any](c *Conditions, column string, f *Choice[T]) {
	all, ok := Choose(c, f)
	if !ok {
		return
	}
	c.AddUsual(func(s *sql.Selector) *sql.Predicate {
		if s.Dialect() != dialect.SQLite {
			return all.In(column)(s)
		}
		name := s.C(column)
		if c.narrow { // what else is asked has the index, and SQLite would take neither
			name = "+" + name
		}
		return sql.P(func(b *sql.Builder) {
			b.WriteString("likelihood(").Join(all.Or(in(name, all.Values...), isNull(name))(s)).WriteString(", 0.9)")
		})
	})
}

// in returns the condition that a column, as it is written, has one of some values.
func in(written string, values ...any) Condition {
	return func(*sql.Selector) *sql.Predicate {
		return sql.P(func(b *sql.Builder) {
			if len(values) == 0 {
				b.WriteString("1 = 0")
				return
			}
			b.WriteString(written + " IN (").Args(values...).WriteString(")")
		})
	}
}

// isNull returns the condition that a column, as it is written, has no value.
func isNull(written string) Condition {
	return func(*sql.Selector) *sql.Predicate {
		return sql.P(func(b *sql.Builder) { b.WriteString(written + " IS NULL") })
	}
}

// Text adds what is asked of a text.
func (c *Conditions) Text(column string, f *Text) {
	if f == nil {
		return
	}
	if eq, ok := f.Eq.ValueOK(); ok {
		if eq == nil {
			eq = new(string) // a text that nobody has written is empty
		}
		c.Add(compared(sql.EQ, column, *eq))
	}
	if f.In != nil {
		Among(c, column, &Choice[string]{In: f.In})
	}
	if f.Contains != nil {
		c.Add(like(column, "%"+escape(*f.Contains)+"%"))
	}
	if f.StartsWith != nil {
		c.Add(like(column, escape(*f.StartsWith)+"%"))
	}
}

// Int adds what is asked of a whole number.
func (c *Conditions) Int(column string, f *Int) {
	if f == nil {
		return
	}
	Among(c, column, &Choice[int]{Eq: f.Eq, In: f.In})
	between(c, column, f.Gte, f.Lt)
}

// Time adds what is asked of a moment.
func (c *Conditions) Time(column string, f *Time) {
	if f == nil {
		return
	}
	between(c, column, f.Gte, f.Lt)
}

func between[T any](c *Conditions, column string, from, before *T) {
	if from != nil {
		c.Add(compared(sql.GTE, column, *from))
	}
	if before != nil {
		c.Add(compared(sql.LT, column, *before))
	}
}

func compared(by func(string, any) *sql.Predicate, column string, value any) Condition {
	return func(s *sql.Selector) *sql.Predicate { return by(s.C(column), value) }
}
