package present

import (
	"errors"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// inputDepth is how much of the path of an argument lies before the input's own fields: the mutation and its argument.
const inputDepth = 2

// unread returns the user error of an input that could not be read, such as a malformed id. It returns any other error
// as it is.
func unread(err error) ([]*UserError, error) {
	if errs.CodeOf(err) != errs.BadUserInput {
		return nil, err
	}
	told := &UserError{Code: errs.Invalid, Message: err.Error(), Field: []string{}}
	if at := (*gqlerror.Error)(nil); errors.As(err, &at) {
		told.Message = at.Message
		for _, element := range at.Path[min(len(at.Path), inputDepth):] {
			switch e := element.(type) {
			case ast.PathName:
				told.Field = append(told.Field, string(e))
			case ast.PathIndex:
				told.Field = append(told.Field, strconv.Itoa(int(e)))
			}
		}
	}
	return []*UserError{told}, nil
}

// Refused returns the payload for an input that cannot be read.
func (*Payload[R]) Refused(err error) (any, error) {
	mend, err := unread(err)
	return &Payload[R]{UserErrors: mend}, err
}

// Refused returns the payload for an input that cannot be read.
func (*ResolvedIncidentPayload) Refused(err error) (any, error) {
	mend, err := unread(err)
	return &ResolvedIncidentPayload{UserErrors: mend}, err
}

// Refused returns the payload for an input that cannot be read.
func (*InvitedAccountPayload) Refused(err error) (any, error) {
	mend, err := unread(err)
	return &InvitedAccountPayload{UserErrors: mend}, err
}

// Refused returns the payload for an input that cannot be read.
func (*CreatedTokenPayload) Refused(err error) (any, error) {
	mend, err := unread(err)
	return &CreatedTokenPayload{UserErrors: mend}, err
}
