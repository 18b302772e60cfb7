package present

import "github.com/linchpin-cmdb/linchpin/internal/errs"

// UserError is something in the input that a person can mend.
type UserError struct {
	Code    errs.Code
	Message string
	Field   []string
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
		all[i] = &UserError{e.Code, e.Message, append([]string{}, e.Field...)}
	}
	return all, nil
}
