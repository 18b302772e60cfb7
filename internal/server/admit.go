package server

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
	"github.com/linchpin-cmdb/linchpin/internal/server/persisted"
)

// documentID is the parameter, or the extension, that names a trusted document.
const documentID = "documentId"

// gate begins every operation, of every transport.
type gate struct {
	guard     *guard.Guard
	documents *persisted.Documents
	hall      hall
}

// admit finds the document of an operation, has the guard judge it, and makes it ready; if it is refused, it returns
// the answer. A subscription goes on after resume, the revision after which its connection resumes, if there is one.
func (g gate) admit(ctx context.Context, exec graphql.GraphExecutor, params *graphql.RawParams, resume *domain.RevisionToken) (*operation, *graphql.Response) {
	limit := g.guard.Limits().Errors
	ctx, position := journal.WithPosition(graphql.StartOperationTrace(ctx), resume)
	found, admitted, problems := g.judge(ctx, params)
	op := &graphql.OperationContext{RawQuery: params.Query, OperationName: params.OperationName, Headers: params.Headers, RecoverFunc: graphql.DefaultRecover}
	op.Stats.OperationStart = graphql.GetStartTime(ctx)
	if problems == nil {
		ctx = guard.With(ctx, admitted)
		op, problems = exec.CreateOperationContext(ctx, params)
	}
	if problems == nil && op.Operation.Operation == ast.Subscription {
		problems = onlyStream(op)
	}
	if problems != nil {
		refused := exec.DispatchError(graphql.WithOperationContext(ctx, op), problems)
		refused.Errors = few(refused.Errors, limit)
		return nil, refused
	}
	g.documents.Register(found)
	return &operation{
		OperationContext: op, exec: exec, isTrusted: found.IsTrusted, errors: limit, ctx: ctx, position: position,
		seats: g.hall.seatsFor(op.Operation.Operation), weight: 1 + admitted.Cost/costOfSeat, stand: func() {},
	}, nil
}

// judge decides whether an operation may run, before it costs anything.
func (g gate) judge(ctx context.Context, params *graphql.RawParams) (found persisted.Found, a guard.Admission, problems gqlerror.List) {
	if _, ok := auth.From(ctx); !ok {
		return found, a, gqlerror.List{guard.Refuse(errs.Unauthenticated, nil, "nobody is signed in")}
	}
	id, _ := params.Extensions[documentID].(string)
	found, problem := g.documents.Find(persisted.Request{Query: params.Query, DocumentID: id, Extensions: params.Extensions})
	if problem != nil {
		return found, a, gqlerror.List{problem}
	}
	params.Query = found.Query
	a, problems = g.guard.Admit(params.Query, params.OperationName, params.Variables)
	return found, a, problems
}
