package form

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// Or returns what p points to, or a default if it is nil.
func Or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// Kept returns what an optional input says: was if it is absent, cleared if it is null.
func Kept[T any](in graphql.Omittable[*T], was, cleared T) T {
	switch v, ok := in.ValueOK(); {
	case !ok:
		return was
	case v == nil:
		return cleared
	default:
		return *v
	}
}

// Given returns the new value of a field that cannot be cleared. If it is absent, or null, which is a fault, it returns
// nil.
func Given[T any](f *Form, field string, in graphql.Omittable[*T]) *T {
	value, ok := in.ValueOK()
	if ok && value == nil {
		f.Fault(errs.New(errs.Required, "%s cannot be cleared: write a value, or leave the field out", field).At(field))
	}
	return value
}

// Cleared returns the new value of a field that null clears: nil if it is absent, the zero value for null.
func Cleared[T any](in graphql.Omittable[*T]) *T {
	value, ok := in.ValueOK()
	if ok && value == nil {
		value = new(T)
	}
	return value
}
