package read

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
)

// ServiceStateEvent is what one write did to the operational state of services.
type ServiceStateEvent struct {
	Revision int64
	Token    domain.RevisionToken
	Changes  []*ServiceStateChange
	resync   domain.Resync
}

// Resync returns why events were left out before this one. If none were, it returns nil.
func (e *ServiceStateEvent) Resync() *domain.Resync { return reason(e.resync) }

// ServiceStateChange is a service that is in another operational state than before.
type ServiceStateChange struct {
	change   impact.Transition
	revision int64
	in       *batch[*ServiceStateChange]
}

// Service returns the service.
func (c *ServiceStateChange) Service(ctx context.Context) (*Service, error) {
	found, err := one(ctx, c.in, c, "service", func(c *ServiceStateChange) *ident.ID { return &c.change.Service }, loadCIs)
	if found == nil {
		return nil, err
	}
	return found.Service(), err
}

// From returns the state it was in.
func (c *ServiceStateChange) From() string { return c.change.From.String() }

// To returns the state it came to.
func (c *ServiceStateChange) To() string { return c.change.To.String() }

// ServiceStateEvents follows the operational states of services, or of some of them, after a revision or from now on.
func (r *Reader) ServiceStateEvents(ctx context.Context, after *int64, token *domain.RevisionToken, ids []ident.ID) (<-chan *ServiceStateEvent, error) {
	wanted, err := followed(ids)
	if err != nil {
		return nil, err
	}
	told, err := r.history.States(ctx, journal.PositionOf(ctx).After(after, token))
	if err != nil {
		return nil, err
	}
	return deliver(ctx, r, told, func(t journal.Told[[]impact.Transition]) (*ServiceStateEvent, error) {
		hidden := map[ident.ID]bool(nil)
		if len(t.What) > 0 {
			var err error
			if hidden, err = r.hidden(ctx); err != nil {
				return nil, err
			}
		}
		b := newBatch[*ServiceStateChange](r, nil)
		for _, change := range t.What {
			if (ids == nil || wanted[change.Service]) && !hidden[change.Service] {
				b.Rows = append(b.Rows, &ServiceStateChange{change, t.Revision, b})
			}
		}
		if len(b.Rows) == 0 && t.Resync == "" {
			return nil, nil
		}
		return &ServiceStateEvent{t.Revision, t.Token(), b.Rows, t.Resync}, nil
	}), nil
}
