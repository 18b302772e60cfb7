package server

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// warnings lets each root field of a mutation tell the warnings of its own writes.
type warnings struct{}

var _ interface {
	graphql.HandlerExtension
	graphql.RootFieldInterceptor
} = warnings{}

// ExtensionName names it.
func (warnings) ExtensionName() string { return "Warnings" }

// Validate accepts every schema.
func (warnings) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptRootField keeps what is warned of while a mutation writes.
func (warnings) InterceptRootField(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	if graphql.GetOperationContext(ctx).Operation.Operation == ast.Mutation {
		ctx = store.Warned(ctx)
	}
	return next(ctx)
}
