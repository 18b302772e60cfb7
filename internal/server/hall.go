package server

import (
	"log/slog"
	"math/rand/v2"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/safe"
	"github.com/linchpin-cmdb/linchpin/internal/server/admission"
	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
)

// costOfSeat is the cost of an operation from which it takes another seat: that of some 50 ms of a processor.
const costOfSeat = 1_000

// hall has the seats of operations, those that read and those that write apart. Without seats all run.
type hall struct{ reads, writes *admission.Seats }

func newHall(r *admission.Rules) hall {
	if r == nil {
		return hall{}
	}
	return hall{admission.New(*r), admission.New(*r)}
}

// seatsFor returns the seats of operations of a kind. Subscriptions take none: they wait for others, and how many there
// are is bounded by itself.
func (h hall) seatsFor(kind ast.Operation) *admission.Seats {
	switch kind {
	case ast.Query:
		return h.reads
	case ast.Mutation:
		return h.writes
	default:
		return nil
	}
}

// sit takes the seats of an operation until stand is called. If there are none in time, it returns the answer.
func (o *operation) sit() (refused *graphql.Response) {
	if o.seats == nil {
		return nil
	}
	actor, _ := auth.From(o.ctx)
	leave, err := o.seats.Enter(o.ctx, actor.Key(), o.weight)
	if err == nil {
		o.stand = leave
		return nil
	}
	ctx := graphql.WithOperationContext(o.ctx, o.OperationContext)
	return o.exec.DispatchError(ctx, gqlerror.List{guard.Refuse(errs.Overloaded, nil, "the server has more to do than it can do in time: nothing was begun; try again in a moment")})
}

// retryAfter returns in how many seconds to come again: not all at once.
func retryAfter() string { return strconv.Itoa(1 + rand.IntN(3)) } //nolint:gosec // nobody gains by a guess

// observeSeats measures how full the seats are.
func observeSeats(log *slog.Logger, r prometheus.Registerer, h hall) {
	if r == nil || h == (hall{}) {
		return
	}
	for kind, seats := range map[string]*admission.Seats{"read": h.reads, "write": h.writes} {
		for name, m := range map[string]struct {
			help string
			of   func(admission.Load) int
		}{
			"linchpin_seats":         {"Seats for operations.", func(l admission.Load) int { return l.Seats }},
			"linchpin_seats_taken":   {"Seats for operations that are taken.", func(l admission.Load) int { return l.Taken }},
			"linchpin_seats_waiting": {"Operations that wait for a seat.", func(l admission.Load) int { return l.Waiting }},
		} {
			r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: m.help, ConstLabels: prometheus.Labels{"kind": kind}},
				safe.Measure(log, name, func() float64 { return float64(m.of(seats.Load())) })))
		}
	}
}
