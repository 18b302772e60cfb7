package catalog

import (
	"errors"
	"strconv"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// Bounds of what people write, and of one statement.
const (
	nameLength        = 200
	descriptionLength = 10_000
	emailLength       = 320
	rowChunk          = 500
	idChunk           = 1_000
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
			all = append(all, at(failure, strconv.Itoa(i)))
		}
	}
	if len(all) > 0 {
		return nil, errors.Join(all...)
	}
	return saved, nil
}

// at puts a path before the paths of all failures joined in err. What is not in the vocabulary passes through.
func at(err error, field ...string) error {
	all, known := errs.All(err)
	if err == nil || !known {
		return err
	}
	moved := make([]error, len(all))
	for i, e := range all {
		moved[i] = e.At(field...)
	}
	return errors.Join(moved...)
}
