package auth

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Write runs a verb if the actor of ctx may do it: what decide does is one transaction, in the actor's name. Failures: those of
// Require and of store.Write.
func Write[T any](ctx context.Context, s *store.Store, verb string, decide func(context.Context, *store.Tx) (T, error)) (none T, err error) {
	actor, err := Require(ctx, verb)
	if err != nil {
		return none, err
	}
	return store.Write(ctx, s, store.By{Actor: actor.Name, Verb: verb}, decide)
}
