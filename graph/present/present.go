package present

import (
	"errors"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// UserError is something in the input that a person can mend.
type UserError struct {
	Code    errs.Code
	Message string
	Field   []string
}

// UserErrors are what err asks a person to mend; the error itself when any part of it is of another sort.
func UserErrors(err error) ([]*UserError, error) {
	if err == nil {
		return []*UserError{}, nil
	}
	parts, known := errs.All(err)
	if !known {
		return nil, err
	}
	all := make([]*UserError, len(parts))
	for i, e := range parts {
		if !e.Code.Mendable() {
			return nil, err
		}
		all[i] = &UserError{e.Code, e.Message, append([]string{}, e.Field...)}
	}
	return all, nil
}

// answer makes a payload of what a verb returned: show the record, or list what is to be mended.
func answer[R, V, P any](record R, err error, show func(R) *V, payload func(*V, []*UserError) *P) (*P, error) {
	mend, failure := UserErrors(err)
	switch {
	case failure != nil:
		return nil, failure
	case len(mend) > 0:
		return payload(nil, mend), nil
	}
	shown := show(record)
	if shown == nil {
		return nil, errors.New("a verb returned neither a record nor an error")
	}
	return payload(shown, mend), nil
}
