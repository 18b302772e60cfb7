package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

const tooLong = "the operation took too long"

// newGraphQL returns the handler of /graphql.
func newGraphQL(c Config) http.Handler {
	h := handler.New(c.Schema)
	g, o := gate{guard.New(c.Schema.Schema(), c.Limits), c.Documents, newHall(c.Seats)}, newObserver(c.Log, c.Metrics)
	observeSeats(c.Log, c.Metrics, g.hall)
	observeDocuments(c.Log, c.Metrics, g.guard)
	h.AddTransport(sockets{config: c, gate: g, observer: o, seats: newSeats(), all: newShare(allLimit, "sockets", "server")})
	h.AddTransport(transport{c.Log, c.pace, g, o, newShare(streamLimit, "event streams", "caller"), c})
	h.SetQueryCache(guard.Admitted{})
	h.Use(o)
	h.Use(extension.Introspection{})
	h.Use(policy{})
	h.Use(warnings{})
	present := presenter(c.Log)
	h.AroundOperations(timed(c.Limits, c.Begin))
	h.AroundOperations(ended(present))
	h.AroundResponses(priced(c.Limits.Cost))
	h.AroundResponses(expiring)
	if c.Store != nil {
		h.Use(idempotency{c.Store, c.Log})
	}
	if c.Feed != nil {
		h.Use(revisions{c.Feed, c.Log})
	}
	h.SetErrorPresenter(present)
	h.SetRecoverFunc(func(ctx context.Context, p any) error {
		c.Log.Error("panic in a resolver", "panic", p, "request", requestID(ctx), "stack", string(debug.Stack()))
		return errs.New(errs.Internal, "the server failed")
	})
	return h
}

// timed bounds an operation's time, in the context that begin makes. That of a mutation bounds its writes; what they
// wrote is read in the time of a query, so that what is late is an answer and never an effect. A subscription has no
// end, and each of its events is an operation of its own to begin.
func timed(limits guard.Limits, begin func(context.Context) context.Context) graphql.OperationMiddleware {
	if begin == nil {
		begin = func(ctx context.Context) context.Context { return ctx }
	}
	return func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		limit := limits.QueryTime
		if op := graphql.GetOperationContext(ctx).Operation; op != nil {
			switch op.Operation {
			case ast.Subscription:
				respond := next(ctx)
				return func(ctx context.Context) *graphql.Response { return respond(begin(ctx)) }
			case ast.Mutation:
				ctx = store.WriteUntil(ctx, time.Now().Add(limits.MutationTime))
				limit = limits.MutationTime + limits.QueryTime
			case ast.Query:
			}
		}
		ctx, cancel := context.WithTimeout(ctx, limit)
		bounded := begin(ctx)
		respond := next(bounded)
		answered := false
		return func(context.Context) *graphql.Response {
			response := respond(bounded)
			if response == nil && !answered && bounded.Err() != nil { // it was over before it began
				response = &graphql.Response{Errors: gqlerror.List{guard.Refuse(errs.Timeout, nil, tooLong)}}
			}
			answered = true
			if response == nil || response.HasNext == nil || !*response.HasNext {
				cancel()
			}
			return response
		}
	}
}

// priced adds the cost of an operation to its answer, if the request asks for it by the header.
func priced(limit int) graphql.ResponseMiddleware {
	return func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
		if a, ok := guard.From(ctx); ok && graphql.GetOperationContext(ctx).Headers.Get(costHeader) != "" {
			graphql.RegisterExtension(ctx, "cost", map[string]int{"cost": a.Cost, "limit": limit})
		}
		return next(ctx)
	}
}

// tellBefore is how long before its end an API token's answers say when that is.
const tellBefore = 14 * 24 * time.Hour

// expiring says when the API token of an answer ends, if that is soon, so that programs hear of it before they fail.
func expiring(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	if actor, ok := auth.From(ctx); ok && actor.Via == domain.ViaToken && time.Until(actor.Pass.Expires) < tellBefore {
		graphql.RegisterExtension(ctx, "tokenExpiresAt", actor.Pass.Expires.UTC().Format(time.RFC3339))
	}
	return next(ctx)
}

// ended adds a last answer to a subscription that failed: why it is over.
func ended(present graphql.ErrorPresenterFunc) graphql.OperationMiddleware {
	return func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		respond := next(ctx)
		return func(ctx context.Context) *graphql.Response {
			response := respond(ctx)
			if why := journal.PositionOf(ctx).Failure(); response == nil && why != nil {
				response = &graphql.Response{Errors: gqlerror.List{present(ctx, why)}}
			}
			return response
		}
	}
}

// presenter shows an error to the client: an error of errs with its code, and of any other only the request's id, under
// which the log has it.
func presenter(log *slog.Logger) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		shown := graphql.DefaultErrorPresenter(ctx, err)
		if _, ok := shown.Extensions["code"]; ok {
			return shown
		}
		known := (*errs.Error)(nil)
		switch {
		case errors.As(err, &known):
		case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
			known = errs.New(errs.Timeout, tooLong)
		case shown.Message == "must not be null":
			known = errs.New(errs.Internal, "a field that is never null was null").Because(err)
		case errors.Unwrap(shown) == nil && shown.Rule == "":
			known = errs.New(errs.BadUserInput, "%s", shown.Message) // gqlgen's own words about the request
		default:
			known = errs.New(errs.Internal, "the server failed").Because(err)
		}
		if known.Cause != nil || known.Code == errs.Internal {
			log.Error("request failed", "code", known.Code, "path", shown.Path.String(), "request", requestID(ctx), "error", cause(known, err))
		}
		shown.Message = known.Message
		shown.Err = nil
		shown.Extensions = map[string]any{"code": topLevel(known.Code)}
		if known.Reauthenticate {
			shown.Extensions["reauthenticate"] = true
		}
		if known.Code == errs.Internal {
			shown.Message = fmt.Sprintf("%s; tell your operators the request %s", known.Message, requestID(ctx))
		}
		return shown
	}
}

// cause returns the part of an error that the log tells. It leaves messages out, which repeat the request.
func cause(known *errs.Error, err error) error {
	if known.Cause != nil {
		return known.Cause
	}
	return err
}

// topLevel returns the code of a top-level error: a user error of a mutation is bad input in a query.
func topLevel(c errs.Code) errs.Code {
	if c.Mendable() && c != errs.NotFound {
		return errs.BadUserInput
	}
	return c
}
