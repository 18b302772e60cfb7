package auth

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// acts returns an error if the actor is one that an admin looks at.
func (a Actor) acts() error {
	if a.IsViewed {
		return errs.New(errs.Forbidden, "%s is only looked at: leave out Linchpin-View-As to write in your own name", a.Name)
	}
	return nil
}

// Write runs decide as one transaction in the name of the actor of ctx, if they may do verb: to some records at least,
// and then decide asks Within about its own. Failures: those of Require, of Within and of store.Write.
func Write[T any](ctx context.Context, s *store.Store, verb string, decide func(context.Context, *store.Tx) (T, error)) (none T, err error) {
	at, err := admit(ctx, s.Read, verb)
	if err != nil {
		return none, err
	}
	if err := at.actor.acts(); err != nil {
		return none, err
	}
	return store.Write(ctx, s, at.actor.By(verb), func(ctx context.Context, tx *store.Tx) (none T, err error) {
		now := *at // a transaction may run again
		done, err := decide(context.WithValue(ctx, admissionKey{}, &now), tx)
		if err == nil && !now.isFree && !now.isAsked {
			return none, at.rule.forbidden(at.actor, "")
		}
		return done, err
	})
}
