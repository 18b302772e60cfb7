package server

import (
	"context"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
)

// operation is an admitted operation of any kind.
type operation struct {
	*graphql.OperationContext
	exec     graphql.GraphExecutor
	ctx      context.Context
	begun    context.Context         // in which it runs
	respond  graphql.ResponseHandler // nil before the first answer
	position *journal.Position
}

// admit parses, validates and guards an operation, or says what the answer is. Every transport begins here. A
// subscription goes on after the revision that its connection resumes from, if there is one.
func admit(ctx context.Context, exec graphql.GraphExecutor, params *graphql.RawParams, resume *int64) (o *operation, refused *graphql.Response) {
	ctx, position := journal.WithPosition(graphql.StartOperationTrace(ctx), resume)
	op, problems := exec.CreateOperationContext(ctx, params)
	if problems == nil && op.Operation.Operation == ast.Subscription {
		problems = onlyStream(op)
	}
	if problems != nil {
		refused = exec.DispatchError(graphql.WithOperationContext(ctx, op), problems)
		refused.Errors = capped(refused.Errors)
		return nil, refused
	}
	return &operation{OperationContext: op, exec: exec, ctx: ctx, position: position}, nil
}

// onlyStream refuses a subscription that selects no event: the executor takes one field and nothing of introspection.
func onlyStream(op *graphql.OperationContext) gqlerror.List {
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Subscription"})
	if len(fields) == 1 && fields[0].Name[0] != '_' {
		return nil
	}
	return gqlerror.List{refusal("GRAPHQL_VALIDATION_FAILED", "a subscription selects exactly one field, and none of introspection", op.Operation.Position)}
}

func (o *operation) kind() ast.Operation { return o.Operation.Operation }

// next is the next answer, and the revision of the event that it tells of, if it is one; nil after the last.
func (o *operation) next() (response *graphql.Response, revision *int64) {
	defer func() {
		if p := recover(); p != nil {
			ctx := graphql.WithOperationContext(o.ctx, o.OperationContext)
			response = o.exec.DispatchError(ctx, gqlerror.List{gqlerror.WrapIfUnwrapped(o.Recover(ctx, p))})
			o.respond = graphql.OneShot(nil)
		}
	}()
	if o.respond == nil {
		o.respond, o.begun = o.exec.DispatchOperation(o.ctx, o.OperationContext)
	}
	response = o.respond(o.begun)
	if response == nil || o.kind() == ast.Subscription && o.ctx.Err() != nil { // cut off amid an event, which is told again
		return nil, nil
	}
	response.Errors = capped(response.Errors)
	if o.kind() != ast.Subscription {
		o.respond = graphql.OneShot(nil)
		return response, nil
	}
	if at, known := o.position.Next(); known {
		if response.Extensions == nil {
			response.Extensions = map[string]any{}
		}
		response.Extensions["revision"] = at
		revision = &at
	}
	return response, revision
}

// encode is a value as JSON. What cannot be written is answered as a failure.
func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		text, _ = json.Marshal(&graphql.Response{Errors: gqlerror.List{refusal(errs.Internal, "the server failed", nil)}})
	}
	return text
}
