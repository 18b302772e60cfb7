// Package lean runs generated resolvers in the place of gqlgen's own code: fields and elements one after another and
// without interceptors. Records load together with their siblings, so a goroutine a field buys nothing: the first to be
// asked loads for all, and the others find it loaded.
package lean

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// Place is where a field stands: of which object, and whether a method or a resolver answers it.
type Place struct {
	Object     string
	IsMethod   bool
	IsResolver bool
	// Open makes the context of a field with arguments, and says all of the above.
	Open func(context.Context, graphql.CollectedField) (*graphql.FieldContext, error)
}

// context makes the context of a field. An argument that cannot be read is an error, which the field has told.
func (p *Place) context(ctx context.Context, field graphql.CollectedField) (*graphql.FieldContext, error) {
	if p.Open != nil {
		return p.Open(ctx, field)
	}
	return &graphql.FieldContext{Object: p.Object, Field: field, IsMethod: p.IsMethod, IsResolver: p.IsResolver}, nil
}

// Unread is why the input of a mutation cannot be read.
type Unread struct{ Err error }

// Error returns the reason.
func (u Unread) Error() string { return u.Err.Error() }

// Refuser is a payload that can tell what of a mutation's input cannot be read.
type Refuser interface {
	// Refused returns a payload that says so, or the error if it is not for a person to mend.
	Refused(err error) (payload any, failure error)
}

// refuse returns the payload of a mutation whose input cannot be read.
func refuse[T any](unread error) (any, error) {
	var none T
	if payload, ok := any(none).(Refuser); ok {
		return payload.Refused(unread)
	}
	return nil, unread
}

// Resolve answers one field as graphql.ResolveField does: an error or a panic of the resolver is the field's error.
func Resolve[T any](
	ctx context.Context, op *graphql.OperationContext, field graphql.CollectedField,
	place Place,
	resolve func(context.Context) (any, error),
	marshal func(context.Context, ast.SelectionSet, T) graphql.Marshaler,
	isNonNull bool,
) (answer graphql.Marshaler) {
	here, err := place.context(ctx, field)
	unread, ok := err.(Unread) //nolint:errorlint // as the generated code makes it, never wrapped
	if err != nil && !ok {
		return graphql.Null
	}
	ctx = graphql.WithFieldContext(ctx, here)
	defer func() {
		if p := recover(); p != nil {
			op.Error(ctx, op.Recover(ctx, p))
			answer = graphql.Null
		}
	}()
	nothing := graphql.Null
	if here.NonNull && !isNonNull {
		nothing = graphql.RequiredNull
	}
	var value any
	if ok {
		value, err = refuse[T](unread.Err)
	} else {
		value, err = resolve(ctx)
	}
	if err != nil {
		op.Error(ctx, graphql.AddFieldLocationToError(ctx, err))
		return nothing
	}
	switch value := value.(type) {
	case T:
		here.Result = value
		return marshal(ctx, field.Selections, value)
	case nil:
		if (isNonNull || here.NonNull) && !graphql.HasFieldError(ctx, here) {
			graphql.AddErrorf(ctx, "must not be null")
		}
		return nothing
	default:
		graphql.AddErrorf(ctx, "unexpected type %T of a field", value)
		return graphql.Null
	}
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const maxKept = 1 << 20 // bytes of a buffer for the next answer

// Render returns the text of an answer.
func Render(data graphql.Marshaler) json.RawMessage {
	buffer, _ := buffers.Get().(*bytes.Buffer)
	buffer.Reset()
	data.MarshalGQL(buffer)
	text := bytes.Clone(buffer.Bytes())
	if buffer.Cap() <= maxKept {
		buffers.Put(buffer)
	}
	return text
}

// Slice marshals the elements of a list, each under its index. They come one after another, so that one context serves
// them all.
func Slice(ctx context.Context, length int, element func(context.Context, int) graphql.Marshaler) graphql.Array {
	all := make(graphql.Array, length)
	var index int
	ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Index: &index})
	for index = range all {
		all[index] = element(ctx, index)
	}
	return all
}
