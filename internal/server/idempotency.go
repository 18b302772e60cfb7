package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

const (
	keyHeader    = "Idempotency-Key"
	keyExtension = "idempotencyKey"
	longestKey   = 255
	answerLimit  = 256 << 10 // of an answer that is kept
)

// idempotency lets a mutation with a key happen once: each of its root fields is a step of its own, and the first whole
// answer without errors is kept and given to every repeat. An answer beyond answerLimit is not kept: a retry still has
// no second effect, and shows the records as they are then. So does a retry of an actor whose rights have changed: each
// step asks the policy again. Faults are not kept either, so that a retry mends them.
type idempotency struct {
	store *store.Store
	log   *slog.Logger
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationInterceptor
	graphql.RootFieldInterceptor
} = idempotency{}

// ExtensionName returns "Idempotency".
func (idempotency) ExtensionName() string { return "Idempotency" }

// Validate accepts every schema.
func (idempotency) Validate(graphql.ExecutableSchema) error { return nil }

type keyKey struct{}

// InterceptOperation answers a mutation whose answer is kept, and keeps the answers of others.
func (i idempotency) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	if op.Operation.Operation != ast.Mutation {
		return next(ctx)
	}
	key, err := keyOf(ctx, op)
	if err != nil {
		return i.refuse(ctx, err)
	}
	if key == nil {
		return next(ctx)
	}
	kept, err := i.store.Answered(ctx, *key)
	if err != nil {
		return i.refuse(ctx, err)
	}
	rights, err := sight.Rights(ctx, i.store.Read)
	if err != nil {
		return i.refuse(ctx, err)
	}
	if kept != nil && bytes.Equal(kept.Rights, rights) {
		return graphql.OneShot(answered(kept))
	}
	key.Rights = rights
	ctx = context.WithValue(ctx, keyKey{}, *key)
	respond := next(ctx)
	return func(context.Context) *graphql.Response {
		response := respond(ctx)
		if response == nil || len(response.Errors) > 0 || len(response.Data) > answerLimit || tellsSecret(op.Operation.SelectionSet) {
			return response
		}
		revision, _ := response.Extensions[revisionExtension].(int64)
		kept, err := i.store.KeepAnswer(context.WithoutCancel(ctx), *key, store.Answer{Data: response.Data, Revision: revision, Rights: rights})
		switch {
		case err == nil && !bytes.Equal(kept.Rights, rights):
			return response
		case err == nil:
			return answered(kept)
		case errs.CodeOf(err) != errs.KeyReused:
			err = errs.New(errs.OutcomeUnknown, "the outcome of the mutation is not known: send the same request with the same %s again", keyHeader).Because(err)
		}
		return i.refuse(ctx, err)(ctx)
	}
}

// InterceptRootField makes a step of each root field of a mutation with a key.
func (idempotency) InterceptRootField(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	if key, ok := ctx.Value(keyKey{}).(store.Key); ok {
		ctx = store.Once(ctx, key, graphql.GetRootFieldContext(ctx).Field.Alias)
	}
	return next(ctx)
}

func (i idempotency) refuse(ctx context.Context, err error) graphql.ResponseHandler {
	return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{presenter(i.log)(ctx, err)}})
}

// tellsSecret reports whether an operation asks for a field secret, which is told once and kept nowhere.
func tellsSecret(set ast.SelectionSet) bool {
	return slices.ContainsFunc(set, func(s ast.Selection) bool {
		switch s := s.(type) {
		case *ast.Field:
			return s.Name == "secret" || tellsSecret(s.SelectionSet)
		case *ast.InlineFragment:
			return tellsSecret(s.SelectionSet)
		case *ast.FragmentSpread:
			return tellsSecret(s.Definition.SelectionSet)
		}
		return false
	})
}

func answered(kept *store.Answer) *graphql.Response {
	response := &graphql.Response{Data: kept.Data}
	if kept.Revision > 0 {
		response.Extensions = map[string]any{revisionExtension: kept.Revision}
	}
	return response
}

// keyOf returns the key of a GraphQL operation, or nil if it has none. The key's body is the document, the operation's
// name and the variables.
func keyOf(ctx context.Context, op *graphql.OperationContext) (*store.Key, error) {
	name, given, err := asked(op, keyHeader, keyExtension)
	if !given || err != nil {
		return nil, err
	}
	if bare, ok := strings.CutPrefix(name, `"`); ok { // a structured header
		name = strings.TrimSuffix(bare, `"`)
	}
	if name == "" || len(name) > longestKey || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errs.New(errs.BadUserInput, "%s: a key is 1 to %d visible ASCII characters, such as a UUID, chosen anew for each request and kept for its retries", keyHeader, longestKey)
	}
	actor, ok := auth.From(ctx)
	if !ok {
		return nil, errs.New(errs.Unauthenticated, "nobody is signed in")
	}
	body, err := json.Marshal([]any{op.RawQuery, op.OperationName, op.Variables})
	if err != nil {
		return nil, err
	}
	return &store.Key{Actor: actor.Key(), Name: name, Body: sha256.Sum256(body)}, nil
}

// asked returns what a request asks for beside its operation: in its extensions, which every transport has, or else in
// a header. An empty text counts as given, so that the caller can refuse it.
func asked(op *graphql.OperationContext, header, extension string) (text string, given bool, err error) {
	switch v := op.Extensions[extension].(type) {
	case nil:
		return op.Headers.Get(header), op.Headers.Values(header) != nil, nil
	case string:
		return v, true, nil
	case json.Number:
		return v.String(), true, nil
	default:
		return "", true, errs.New(errs.BadUserInput, "extensions.%s must be a text or a number", extension)
	}
}
