// Package present turns the results of verbs into payloads: records if they worked, warnings for what of it is worth a
// second look, userErrors for mistakes that a person can mend. Other failures stay errors.
package present

import (
	"context"
	"errors"

	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/risk"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Payload answers a mutation: with the record, or with what has to be mended.
type Payload[R any] struct {
	Record     R
	UserErrors []*UserError
}

// Warnings returns what is worth a second look of what the mutation around ctx has written.
func (*Payload[R]) Warnings(ctx context.Context) []domain.Warning { return warnings(ctx) }

func warnings(ctx context.Context) []domain.Warning {
	return append([]domain.Warning{}, store.Warnings(ctx)...)
}

// Record presents what a verb returns, as show shows it.
func Record[E, V any](show func(E) *V) func(E, error) (*Payload[*V], error) {
	return func(record E, err error) (*Payload[*V], error) {
		return answer(record, err, func(record E) (*V, error) {
			shown := show(record)
			if shown == nil {
				return nil, errors.New("a verb returned neither a record nor an error")
			}
			return shown, nil
		})
	}
}

// Deleted presents the id of a record that is gone.
func Deleted(id ident.ID, err error) (*DeletedPayload, error) {
	return answer(id, err, func(id ident.ID) (*ident.ID, error) { return &id, nil })
}

// RiskWeightsPayload answers setRiskWeights.
type RiskWeightsPayload = Payload[[]*read.RiskWeight]

// RiskWeights presents what the factors of risk count.
func RiskWeights(weights risk.Weights, err error) (*RiskWeightsPayload, error) {
	return answer(weights, err, func(w risk.Weights) ([]*read.RiskWeight, error) { return read.ShowRiskWeights(w), nil })
}

// answer returns the payload of what a verb returned.
func answer[E, R any](record E, err error, show func(E) (R, error)) (*Payload[R], error) {
	mend, failure := UserErrors(err)
	if failure != nil {
		return nil, failure
	}
	if len(mend) > 0 {
		return &Payload[R]{UserErrors: mend}, nil
	}
	shown, failure := show(record)
	if failure != nil {
		return nil, failure
	}
	return &Payload[R]{shown, mend}, nil
}
