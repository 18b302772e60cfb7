package importer

import (
	"slices"
	"strings"
)

// comparison collects the fields that a source reports otherwise than they are stored.
type comparison struct {
	written []Difference
	kept    []Difference // locked by a person
	locks   []string
}

// set notes a field that differs, and reports whether it is to be written.
func (d *comparison) set(field string, before, after any) bool {
	c := Difference{Field: field, Before: before, After: after}
	if slices.Contains(d.locks, field) {
		d.kept = append(d.kept, c)
		return false
	}
	d.written = append(d.written, c)
	return true
}

// differ compares one field. If it is reported, differs and is not locked, differ writes it to at and change.
func differ[T comparable](d *comparison, field string, at, reported *T, change **T) {
	if reported == nil || *reported == *at || !d.set(field, *at, *reported) {
		return
	}
	*at, *change = *reported, reported
}

func with[T any](m map[string]T, name string, value T) map[string]T {
	if m == nil {
		m = map[string]T{}
	}
	m[name] = value
	return m
}

// optional returns the value that p points to, or an untyped nil.
func optional[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

func trim(s string) string { return strings.TrimSpace(s) }

// reported returns nil if s is empty, which means that the source does not report it.
func reported(s string) *string {
	if s = trim(s); s == "" {
		return nil
	}
	return &s
}

func ptr[T any](v T) *T { return &v }
