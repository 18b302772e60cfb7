package where

import (
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
)

// Choice compares a code, a reference, an enumeration.
type Choice[T any] struct {
	Eq *T
	In []T
}

// Text compares text.
type Text struct {
	Eq         *string
	In         []string
	Contains   *string
	StartsWith *string
}

// Int compares a whole number.
type Int struct {
	Eq  *int
	In  []int
	Gte *int
	Lt  *int
}

// Time compares a moment.
type Time struct {
	Gte *time.Time
	Lt  *time.Time
}

// Values returns what eq and in allow together, and whether either was given.
func Values[T any](c *Conditions, eq *T, in []T) (all []any, ok bool) {
	c.Spend("values", len(in))
	if eq != nil {
		all = append(all, *eq)
	}
	for _, v := range in {
		all = append(all, v)
	}
	return all, eq != nil || in != nil
}

// Among adds the condition that a column has one of the values chosen.
func Among[T any](c *Conditions, column string, f *Choice[T]) {
	if f == nil {
		return
	}
	if list, ok := Values(c, f.Eq, f.In); ok {
		c.Add(In(column, list...))
	}
}

// Usual adds the conditions of Among for a column whose values most rows share. SQLite takes every index for
// selective, and would sort half a table to show a page of it in another order; told that the condition narrows
// little, it reads in the page's order.
func Usual[T any](c *Conditions, column string, f *Choice[T]) {
	if f == nil {
		return
	}
	list, ok := Values(c, f.Eq, f.In)
	if !ok {
		return
	}
	among := In(column, list...)
	c.Add(func(s *sql.Selector) *sql.Predicate {
		if s.Dialect() != dialect.SQLite {
			return among(s)
		}
		return sql.P(func(b *sql.Builder) { b.WriteString("likelihood(").Join(among(s)).WriteString(", 0.9)") })
	})
}

// Text adds what is asked of a text.
func (c *Conditions) Text(column string, f *Text) {
	if f == nil {
		return
	}
	if f.Eq != nil {
		c.Add(compared(sql.EQ, column, *f.Eq))
	}
	if list, ok := Values(c, nil, f.In); ok {
		c.Add(In(column, list...))
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
	Among(c, column, &Choice[int]{f.Eq, f.In})
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
