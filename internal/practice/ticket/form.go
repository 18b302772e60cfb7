package ticket

import (
	"errors"
	"slices"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
)

// What texts may measure, in characters.
const (
	LongestTitle = 200
	LongestText  = 10_000
	LongestWord  = 200 // a category, a name
)

// Form collects the faults of an input, so that whoever filled it in sees them all at once. Its zero value is ready.
type Form struct{ faults []error }

// Fault adds one; nil is none.
func (f *Form) Fault(err error) {
	if err != nil {
		f.faults = append(f.faults, err)
	}
}

// Err is nil when there are no faults.
func (f *Form) Err() error { return errors.Join(f.faults...) }

// Below adds the faults of a part of the input, below the path of that part.
func (f *Form) Below(part *Form, path ...string) {
	for _, fault := range part.faults {
		f.Fault(errs.Under(fault, path...))
	}
}

// Text is s trimmed, of least to most characters.
func (f *Form) Text(field, s string, least, most int) string {
	text, err := valid.Text(field, s, least, most)
	f.Fault(err)
	return text
}

// Number is n, from least to most.
func (f *Form) Number(field string, n, least, most int) int {
	if n < least || n > most {
		f.Fault(errs.New(errs.Invalid, "%s is %d: it is %d to %d", field, n, least, most).At(field))
	}
	return n
}

// enum is an enumeration of the contract.
type enum interface {
	~string
	Values() []string
}

// OneOf refuses a value that its enumeration does not have.
func OneOf[E enum](f *Form, field string, e E) E {
	if !slices.Contains(e.Values(), string(e)) {
		f.Fault(errs.New(errs.Invalid, "%s is %q: it is one of %v", field, string(e), e.Values()).At(field))
	}
	return e
}

// Comment checks something to write down; only the system writes changes of state.
func (f *Form) Comment(kind domain.TimelineKind, body string) string {
	if kind != domain.Comment && kind != domain.WorkNote {
		f.Fault(errs.New(errs.Invalid, "kind is %q: it is %s or %s", string(kind), domain.Comment, domain.WorkNote).At("kind"))
	}
	return f.Text("body", body, 1, LongestText)
}

// Or is what an optional input says: was where it is absent, cleared where it is null.
func Or[T any](in graphql.Omittable[*T], was, cleared T) T {
	switch v, said := in.ValueOK(); {
	case !said:
		return was
	case v == nil:
		return cleared
	default:
		return *v
	}
}

// Given is what an optional input says, or the default where it says nothing.
func Given[T any](in *T, otherwise T) T {
	if in == nil {
		return otherwise
	}
	return *in
}

// Set calls a setter when the value is another than before, so that what stays is not written.
func Set[T comparable, B any](was, is T, set func(T) B) {
	if was != is {
		set(is)
	}
}

// IsIdle reports that nothing was set.
func IsIdle(m ent.Mutation) bool { return len(m.Fields())+len(m.ClearedFields()) == 0 }

// SetOptional is Set for a value that may be absent.
func SetOptional[T any, B any](was, is *T, equal func(a, b T) bool, set func(T) B, clear func() B) {
	switch {
	case is == nil && was != nil:
		clear()
	case is != nil && (was == nil || !equal(*was, *is)):
		set(*is)
	}
}
