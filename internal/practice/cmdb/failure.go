package cmdb

import (
	"errors"
	"strconv"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/rule/attribute"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// faults gathers all that is wrong with one input, so that a form can show it at once.
type faults []error

// add takes a failure, with the path of the field to blame before the path it has.
func (f *faults) add(err error, field ...string) {
	if err != nil {
		*f = append(*f, errs.Under(err, field...))
	}
}

func (f *faults) say(code errs.Code, field []string, format string, args ...any) {
	*f = append(*f, errs.New(code, format, args...).At(field...))
}

func (f faults) err() error { return errors.Join(f...) }

// byRow joins the failures of the rows of a batch; each path begins with the row's number, from 0.
func byRow(rows []faults) error {
	var all faults
	for i, f := range rows {
		all.add(f.err(), strconv.Itoa(i))
	}
	return all.err()
}

// taken says what a unique index refused in better words than the database has. Other failures pass through.
func taken(err error, format string, args ...any) error {
	if err != nil && errs.CodeOf(store.Translate(err)) == errs.AlreadyExists {
		return errs.New(errs.AlreadyExists, format, args...).Because(err)
	}
	return err
}

// checkSize refuses a JSON object that is too large as a whole.
func (f *faults) checkSize(field string, v map[string]any) { f.add(attribute.Size(v), field) }
