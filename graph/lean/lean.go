// Package lean is what generated resolvers run on, in the place of gqlgen's own: fields and elements one after another
// and without interceptors. Records load together with their siblings, so a goroutine a field buys nothing: the first
// to be asked loads for all, and the others find it loaded.
package lean

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// Resolve answers one field as graphql.ResolveField does: an error or a panic of the resolver is the field's error.
func Resolve[T any](
	ctx context.Context, op *graphql.OperationContext, field graphql.CollectedField,
	open func(context.Context, graphql.CollectedField) (*graphql.FieldContext, error),
	resolve func(context.Context) (any, error),
	marshal func(context.Context, ast.SelectionSet, T) graphql.Marshaler,
	isNonNull bool,
) (answer graphql.Marshaler) {
	here, err := open(ctx, field)
	if err != nil {
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
	value, err := resolve(ctx)
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

// Collected are the fields of the selection sets of an operation, as graphql.CollectFields finds them.
type Collected struct {
	mu sync.Mutex
	of map[collection][]graphql.CollectedField
}

// collection is a selection set, shown on a type that satisfies some others: where their texts lie names them, as long
// as the operation lasts.
type collection struct {
	selections *ast.Selection
	length     int
	satisfies  *string
}

// Fields are the fields to show of an object.
func (c *Collected) Fields(op *graphql.OperationContext, selections ast.SelectionSet, satisfies []string) []graphql.CollectedField {
	if len(selections) == 0 {
		return nil
	}
	of := collection{&selections[0], len(selections), &satisfies[0]}
	c.mu.Lock()
	defer c.mu.Unlock()
	fields, known := c.of[of]
	if !known {
		if c.of == nil {
			c.of = map[collection][]graphql.CollectedField{}
		}
		fields = graphql.CollectFields(op, selections, satisfies)
		c.of[of] = fields
	}
	return fields
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const maxKept = 1 << 20 // bytes of a buffer for the next answer

// Render is the text of an answer.
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

// Slice marshals the elements of a list, each under its index.
func Slice(ctx context.Context, length int, element func(context.Context, int) graphql.Marshaler) graphql.Array {
	all := make(graphql.Array, length)
	places := make([]struct {
		graphql.FieldContext
		index int
	}, length)
	for i := range all {
		places[i].index = i
		places[i].Index = &places[i].index
		all[i] = element(graphql.WithFieldContext(ctx, &places[i].FieldContext), i)
	}
	return all
}
