package importer

import (
	"slices"
	"strings"
)

// difference is what a source reports otherwise than it is stored.
type difference struct {
	written []Change
	kept    []Change // locked by a person
	locks   []string
}

// set notes a field that differs, and reports whether it is to be written.
func (d *difference) set(field string, before, after any) bool {
	c := Change{Field: field, Before: before, After: after}
	if slices.Contains(d.locks, field) {
		d.kept = append(d.kept, c)
		return false
	}
	d.written = append(d.written, c)
	return true
}

// differ compares one field; it writes the change where the field is reported, differs and is not locked.
func differ[T comparable](d *difference, field string, at, reported *T, change **T) {
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

// optional is what p points to, or a plain nil.
func optional[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

func trim(s string) string { return strings.TrimSpace(s) }

// reported is nil for what a source leaves empty.
func reported(s string) *string {
	if s = trim(s); s == "" {
		return nil
	}
	return &s
}

func ptr[T any](v T) *T { return &v }
