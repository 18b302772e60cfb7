package catalog

import "github.com/linchpin-cmdb/linchpin/internal/practice/form"

// Bounds of one statement.
const (
	rowChunk = 500
	idChunk  = 1_000
)

// single returns the outcome of a batch of one: its failures have no row's number before their paths.
func single[T any](saved []*T, wrong []form.Form, err error) (*T, error) {
	if err == nil {
		err = wrong[0].Err()
	}
	if err != nil {
		return nil, err
	}
	return saved[0], nil
}

// batch returns the outcome of several rows.
func batch[T any](saved []*T, wrong []form.Form, err error) ([]*T, error) {
	if err == nil {
		err = form.Rows(wrong)
	}
	if err != nil {
		return nil, err
	}
	return saved, nil
}
