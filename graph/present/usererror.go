package present

import (
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// UserError is something in the input that a person can mend.
type UserError struct {
	Code    errs.Code
	Message string
	Field   []string
	Records []ident.ID
}

// UserErrors returns what err asks a person to mend, or err itself if any part of it is of another sort.
func UserErrors(err error) ([]*UserError, error) {
	if err == nil {
		return []*UserError{}, nil
	}
	parts, ok := errs.All(err)
	if !ok {
		return nil, err
	}
	all := make([]*UserError, len(parts))
	for i, e := range parts {
		if !e.Code.Mendable() {
			return nil, err
		}
		all[i] = &UserError{e.Code, e.Message, append([]string{}, e.Field...), make([]ident.ID, len(e.Records))}
		for n, id := range e.Records {
			all[i].Records[n] = ident.ID(id)
		}
	}
	return all, nil
}
