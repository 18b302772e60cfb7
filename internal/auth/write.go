package auth

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Write runs decide as one transaction in the name of the actor of ctx, if they may do verb. Failures: those of Require
// and of store.Write.
func Write[T any](ctx context.Context, s *store.Store, verb string, decide func(context.Context, *store.Tx) (T, error)) (none T, err error) {
	actor, err := Require(ctx, verb)
	if err != nil {
		return none, err
	}
	return store.Write(ctx, s, actor.By(verb), decide)
}
