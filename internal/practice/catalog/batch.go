package catalog

import (
	"errors"
	"strconv"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// Bounds of one statement.
const (
	rowChunk = 500
	idChunk  = 1_000
)

// single is the outcome of a batch of one: its failures have no row's number before their paths.
func single[T any](saved []*T, wrong []error, err error) (*T, error) {
	if err == nil {
		err = errors.Join(wrong...)
	}
	if err != nil {
		return nil, err
	}
	return saved[0], nil
}

// batch is the outcome of several rows.
func batch[T any](saved []*T, wrong []error, err error) ([]*T, error) {
	if err != nil {
		return nil, err
	}
	var all []error
	for i, failure := range wrong {
		if failure != nil {
			all = append(all, errs.Under(failure, strconv.Itoa(i)))
		}
	}
	if len(all) > 0 {
		return nil, errors.Join(all...)
	}
	return saved, nil
}
