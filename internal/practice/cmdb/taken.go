package cmdb

import (
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// taken says what a unique index refused in better words than the database has. Other failures pass through.
func taken(err error, format string, args ...any) error {
	if err != nil && errs.CodeOf(store.Translate(err)) == errs.AlreadyExists {
		return errs.New(errs.AlreadyExists, format, args...).Because(err)
	}
	return err
}
