// Package form collects what is wrong with an input, so that a person who fills it in sees all of it at once, each
// mistake in the same words wherever it is made. It refuses to look anything up.
package form

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
)

// Form holds the faults of an input. Its zero value is ready.
type Form struct{ faults []error }

// Fault adds a failure, with a path before the path that it has; nil adds nothing.
func (f *Form) Fault(err error, at ...string) {
	if err == nil {
		return
	}
	if len(at) > 0 {
		err = errs.Under(err, at...)
	}
	f.faults = append(f.faults, err)
}

// IsFaulty reports whether there are faults.
func (f *Form) IsFaulty() bool { return len(f.faults) > 0 }

// Err joins the faults. If there are none, it returns nil.
func (f *Form) Err() error { return errors.Join(f.faults...) }

// Rows joins the faults of the rows of a batch; each path begins with the row's number, from 0.
func Rows(rows []Form) error {
	var all Form
	for i := range rows {
		all.Fault(rows[i].Err(), strconv.Itoa(i))
	}
	return all.Err()
}

// Text trims s and checks that it has least to most characters.
func (f *Form) Text(field, s string, least, most int) string {
	text, err := valid.Text(field, s, least, most)
	f.Fault(err)
	return text
}

// Email trims an address and checks it; it may be empty.
func (f *Form) Email(field, s string) string {
	s, err := valid.Text(field, s, 0, valid.LongestEmail)
	f.Fault(err)
	if err == nil && s != "" && !valid.IsEmail(s) {
		f.Fault(errs.New(errs.Invalid, "%s is %q: write an address such as ada@example.com", field, s).At(field))
	}
	return s
}

// Number checks that n is from least to most.
func (f *Form) Number(field string, n, least, most int) int {
	if n < least || n > most {
		f.Fault(errs.New(errs.Invalid, "%s is %d: it is %d to %d", field, n, least, most).At(field))
	}
	return n
}

// Most checks that a list has at most so many entries, and reports whether it has.
func (f *Form) Most(field string, n, most int) bool {
	if n > most {
		f.Fault(errs.New(errs.Invalid, "%d %s: at most %d", n, field, most).At(field))
	}
	return n <= most
}

// OneOf refuses a value that its enumeration does not have.
func OneOf[E interface {
	~string
	Values() []string
}](f *Form, field string, e E) E {
	if !slices.Contains(e.Values(), string(e)) {
		f.Fault(errs.New(errs.Invalid, "%s is %q: it is one of %s", field, string(e), strings.Join(e.Values(), ", ")).At(field))
	}
	return e
}

// Kind refuses an id of another kind.
func Kind(id ident.ID, kind ident.Kind, at ...string) error {
	if id.Kind() == kind && id.Number() > 0 {
		return nil
	}
	noun := "a " + kind.Noun()
	if strings.ContainsRune("aeio", rune(noun[2])) {
		noun = "an " + kind.Noun()
	}
	if id == 0 {
		return errs.New(errs.Required, "the id of %s is missing: such ids begin with %s_", noun, kind.Prefix()).At(at...)
	}
	return errs.New(errs.Invalid, "%q is not the id of %s: such ids begin with %s_", id.String(), noun, kind.Prefix()).At(at...)
}

// Missing says that there is no record of an id.
func Missing(id ident.ID, at ...string) *errs.Error {
	return errs.New(errs.NotFound, "there is no %s %s", id.Kind().Noun(), id).At(at...)
}
