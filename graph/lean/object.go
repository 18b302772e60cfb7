package lean

import (
	"io"

	"github.com/99designs/gqlgen/graphql"
)

// Object is the answer to the fields of one object: the values in the order of the fields, and how many that must not be
// null are.
type Object struct {
	fields   []graphql.CollectedField
	Values   []graphql.Marshaler
	Invalids int
}

// NewObject makes an object without values yet.
func NewObject(fields []graphql.CollectedField) *Object {
	switch {
	case len(fields) <= 2:
		small := &struct { // in one piece
			Object
			values [2]graphql.Marshaler
		}{Object: Object{fields: fields}}
		small.Values = small.values[:len(fields)]
		return &small.Object
	case len(fields) <= 4:
		small := &struct {
			Object
			values [4]graphql.Marshaler
		}{Object: Object{fields: fields}}
		small.Values = small.values[:len(fields)]
		return &small.Object
	default:
		return &Object{fields: fields, Values: make([]graphql.Marshaler, len(fields))}
	}
}

// MarshalGQL writes the object as JSON. Names of fields need no escapes: letters, digits and underscores. A field that was
// collected twice, for an interface and for the type, is written once.
func (o *Object) MarshalGQL(w io.Writer) {
	write(w, "{")
	isWritten := o.duplicates()
	for i, value := range o.Values {
		if isWritten(i) {
			continue
		}
		if i > 0 {
			write(w, ",")
		}
		write(w, `"`)
		write(w, o.fields[i].Alias)
		write(w, `":`)
		value.MarshalGQL(w)
	}
	write(w, "}")
}

const few = 16 // fields that are compared faster than hashed

// duplicates tells of each field in turn whether one of its name came before.
func (o *Object) duplicates() func(i int) bool {
	if len(o.fields) <= few {
		return func(i int) bool {
			for before := range i {
				if o.fields[before].Alias == o.fields[i].Alias {
					return true
				}
			}
			return false
		}
	}
	seen := make(map[string]bool, len(o.fields))
	return func(i int) bool {
		was := seen[o.fields[i].Alias]
		seen[o.fields[i].Alias] = true
		return was
	}
}

// write writes to a buffer, which takes everything.
func write(w io.Writer, text string) { _, _ = io.WriteString(w, text) }
