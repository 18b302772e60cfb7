package server

import (
	"context"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/server/admission"
	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
)

// operation is an admitted GraphQL operation of any kind.
type operation struct {
	*graphql.OperationContext
	exec      graphql.GraphExecutor
	isTrusted bool // a manifest holds its document
	errors    int  // in one answer, at most
	ctx       context.Context
	begun     context.Context         // in which it runs
	respond   graphql.ResponseHandler // nil before the first answer
	seats     *admission.Seats        // nil: it takes none
	weight    int
	stand     func() // gives its seats back
	position  *journal.Position
}

// onlyStream refuses a subscription that selects no event: the executor takes one field and nothing of introspection.
func onlyStream(op *graphql.OperationContext) gqlerror.List {
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Subscription"})
	if len(fields) == 1 && fields[0].Name[0] != '_' {
		return nil
	}
	return gqlerror.List{guard.Refuse("GRAPHQL_VALIDATION_FAILED", op.Operation.Position, "a subscription selects exactly one field, and none of introspection")}
}

func (o *operation) kind() ast.Operation { return o.Operation.Operation }

// next returns the next answer and, if it is an event, its revision. After the last answer it returns nil.
func (o *operation) next() (response *graphql.Response, token *domain.RevisionToken) {
	defer func() {
		if o.kind() != ast.Subscription {
			o.stand()
		}
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
	response.Errors = few(response.Errors, o.errors)
	if o.kind() != ast.Subscription || response.Data == nil {
		o.respond = graphql.OneShot(nil) // it is over
		return response, nil
	}
	if at, ok := o.position.Next(); ok {
		if response.Extensions == nil {
			response.Extensions = map[string]any{}
		}
		response.Extensions[revisionExtension], response.Extensions[tokenExtension] = at.Revision, at.String()
		token = &at
	}
	return response, token
}

// encode returns an answer, or another value, as JSON. If the value cannot be written, it returns the JSON of a
// failure.
func encode(v any) []byte {
	var text []byte
	var err error
	if response, ok := v.(*graphql.Response); ok {
		text, err = render(response)
	} else {
		text, err = json.Marshal(v)
	}
	if err != nil {
		text, _ = json.Marshal(failure{gqlerror.List{guard.Refuse(errs.Internal, nil, "the server failed")}})
	}
	return text
}
