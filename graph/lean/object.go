package lean

import (
	"bytes"
	"io"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// Shape is the fields that a selection set shows of an object, each once, with their names as written in the answer.
type Shape struct {
	Fields []graphql.CollectedField
	keys   []string
}

// shapeOf returns the shape of collected fields. A field that was collected twice, for an interface and for the type,
// is shown once. Names need no escapes: letters, digits and underscores.
func shapeOf(fields []graphql.CollectedField) *Shape {
	s, seen := &Shape{}, make(map[string]bool, len(fields))
	for _, field := range fields {
		if seen[field.Alias] {
			continue
		}
		seen[field.Alias] = true
		key := `"` + field.Alias + `":`
		if len(s.keys) > 0 {
			key = "," + key
		}
		s.Fields, s.keys = append(s.Fields, field), append(s.keys, key)
	}
	return s
}

// Shapes are the shapes of an operation's objects: each is found once, however many objects have it.
type Shapes struct {
	mu sync.Mutex
	of map[shown]*Shape
}

// shown is a selection set on a type that satisfies some others. Their places in memory name them, as long as the
// GraphQL operation lasts.
type shown struct {
	selections *ast.Selection
	length     int
	satisfies  *string
}

// Of returns the shape of objects of a type under a selection set.
func (s *Shapes) Of(op *graphql.OperationContext, selections ast.SelectionSet, satisfies []string) *Shape {
	if len(selections) == 0 {
		return &Shape{}
	}
	as := shown{&selections[0], len(selections), &satisfies[0]}
	s.mu.Lock()
	defer s.mu.Unlock()
	shape := s.of[as]
	if shape == nil {
		if s.of == nil {
			s.of = map[shown]*Shape{}
		}
		shape = shapeOf(graphql.CollectFields(op, selections, satisfies))
		s.of[as] = shape
	}
	return shape
}

// Object is the answer to the fields of one object: the values in the order of the fields, and how many that must not
// be null are.
type Object struct {
	shape    *Shape
	Values   []graphql.Marshaler
	Invalids int
}

// NewObject returns an object without values yet.
func NewObject(shape *Shape) *Object {
	switch n := len(shape.Fields); {
	case n <= 2:
		small := &struct { // in one piece
			Object
			values [2]graphql.Marshaler
		}{Object: Object{shape: shape}}
		small.Values = small.values[:n]
		return &small.Object
	case n <= 4:
		small := &struct {
			Object
			values [4]graphql.Marshaler
		}{Object: Object{shape: shape}}
		small.Values = small.values[:n]
		return &small.Object
	default:
		return &Object{shape: shape, Values: make([]graphql.Marshaler, n)}
	}
}

// MarshalGQL writes the object as JSON.
func (o *Object) MarshalGQL(w io.Writer) {
	b, ok := w.(*bytes.Buffer)
	if !ok {
		b = &bytes.Buffer{}
		defer func() { _, _ = b.WriteTo(w) }()
	}
	b.WriteByte('{')
	for i, value := range o.Values {
		b.WriteString(o.shape.keys[i])
		value.MarshalGQL(b)
	}
	b.WriteByte('}')
}
