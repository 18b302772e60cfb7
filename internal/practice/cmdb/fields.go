package cmdb

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
)

// Fields are the plain fields of a CI: those of one value each, whatever its class. A nil field is not given: a new CI
// takes its default, and a change leaves it as it is.
type Fields struct {
	Name        *string
	Description *string
	Lifecycle   *domain.Lifecycle
	Environment *domain.Environment
	Criticality *domain.Criticality
	Visibility  *domain.Visibility
}

// FieldsInput is the plain fields as the inputs of changes have them: absent leaves a field, null clears it.
type FieldsInput struct {
	Name        graphql.Omittable[*string]
	Description graphql.Omittable[*string]
	Lifecycle   graphql.Omittable[*domain.Lifecycle]
	Environment graphql.Omittable[*domain.Environment]
	Criticality graphql.Omittable[*domain.Criticality]
	Visibility  graphql.Omittable[*domain.Visibility]
}

// PlainFields is the table of the plain fields: verbs, planned operations and locks read it, and imports check and
// compare by it.
var PlainFields = []Field{
	plain("name", "", text(1, valid.LongestName), func(c *ent.CI) *string { return &c.Name },
		func(f *Fields) **string { return &f.Name },
		func(f *FieldsInput) *graphql.Omittable[*string] { return &f.Name }, (*ent.CIMutation).SetName),
	clearable(plain("description", "", text(0, valid.LongestDescription), func(c *ent.CI) *string { return &c.Description },
		func(f *Fields) **string { return &f.Description },
		func(f *FieldsInput) *graphql.Omittable[*string] { return &f.Description }, (*ent.CIMutation).SetDescription)),
	plain("lifecycle", domain.Live, form.OneOf[domain.Lifecycle], func(c *ent.CI) *domain.Lifecycle { return &c.Lifecycle },
		func(f *Fields) **domain.Lifecycle { return &f.Lifecycle },
		func(f *FieldsInput) *graphql.Omittable[*domain.Lifecycle] { return &f.Lifecycle }, (*ent.CIMutation).SetLifecycle),
	plain("environment", domain.Production, form.OneOf[domain.Environment], func(c *ent.CI) *domain.Environment { return &c.Environment },
		func(f *Fields) **domain.Environment { return &f.Environment },
		func(f *FieldsInput) *graphql.Omittable[*domain.Environment] { return &f.Environment }, (*ent.CIMutation).SetEnvironment),
	plain("criticality", domain.CriticalityMedium, form.OneOf[domain.Criticality], func(c *ent.CI) *domain.Criticality { return &c.Criticality },
		func(f *Fields) **domain.Criticality { return &f.Criticality },
		func(f *FieldsInput) *graphql.Omittable[*domain.Criticality] { return &f.Criticality }, (*ent.CIMutation).SetCriticality),
	plain("visibility", domain.Everyone, form.OneOf[domain.Visibility], func(c *ent.CI) *domain.Visibility { return &c.Visibility },
		func(f *Fields) **domain.Visibility { return &f.Visibility },
		func(f *FieldsInput) *graphql.Omittable[*domain.Visibility] { return &f.Visibility }, (*ent.CIMutation).SetVisibility),
}

// Field is a row of the table of plain fields. Values are texts, whatever their type.
type Field struct {
	// Name is how inputs, locks and planned operations call the field.
	Name string
	// Default is what a new CI has if the field is not given.
	Default string

	isClearable bool
	of          func(*ent.CI) string
	put         func(*ent.CI, string)
	given       func(*Fields) (string, bool)
	give        func(*Fields, string)
	read        func(*Fields, *form.Form, string)
	input       func(*FieldsInput, *form.Form, bool) (string, bool)
	check       func(*ent.CI, *form.Form)
	save        func(*ent.CIMutation, *ent.CI)
}

// Of returns the value that a CI has.
func (f Field) Of(c *ent.CI) string { return f.of(c) }

// Given returns the value that a write gives, if it gives one.
func (f Field) Given(in *Fields) (value string, ok bool) { return f.given(in) }

// Read gives a field the value that a text says, checked.
func (f Field) Read(in *Fields, faults *form.Form, text string) { f.read(in, faults, text) }

// Input returns the value that an input gives, if it gives one. A field that cannot be cleared and is null is a fault.
func (f Field) Input(in *FieldsInput, faults *form.Form) (value string, ok bool) {
	return f.input(in, faults, f.isClearable)
}

// Lay sets the given fields of a CI.
func (in *Fields) Lay(c *ent.CI) {
	for _, f := range PlainFields {
		if value, ok := f.given(in); ok {
			f.put(c, value)
		}
	}
}

// Differing returns those of the given fields that differ from a CI's and that take lets through.
func (in *Fields) Differing(c *ent.CI, take func(field, before, after string) bool) (differing Fields) {
	for _, f := range PlainFields {
		if value, ok := f.given(in); ok && value != f.of(c) && take(f.Name, f.of(c), value) {
			f.give(&differing, value)
		}
	}
	return differing
}

// Defaults sets the fields of a CI as those of a new one that gives none.
func Defaults(c *ent.CI) {
	for _, f := range PlainFields {
		f.put(c, f.Default)
	}
}

// Fields returns what an input gives.
func (in FieldsInput) Fields(faults *form.Form) (given Fields) {
	for _, f := range PlainFields {
		if value, ok := f.Input(&in, faults); ok {
			f.give(&given, value)
		}
	}
	return given
}

func plain[E ~string](name string, otherwise E, check func(*form.Form, string, E) E,
	of func(*ent.CI) *E, given func(*Fields) **E, input func(*FieldsInput) *graphql.Omittable[*E], save func(*ent.CIMutation, E),
) Field {
	return Field{
		Name: name, Default: string(otherwise),
		of:  func(c *ent.CI) string { return string(*of(c)) },
		put: func(c *ent.CI, value string) { *of(c) = E(value) },
		given: func(in *Fields) (string, bool) {
			value := *given(in)
			return string(form.Or(value, "")), value != nil
		},
		give: func(in *Fields, value string) { *given(in) = new(E(value)) },
		read: func(in *Fields, f *form.Form, text string) { *given(in) = new(check(f, name, E(text))) },
		input: func(in *FieldsInput, f *form.Form, isClearable bool) (string, bool) {
			value := form.Cleared(*input(in))
			if !isClearable {
				value = form.Given(f, name, *input(in))
			}
			return string(form.Or(value, "")), value != nil
		},
		check: func(c *ent.CI, f *form.Form) { *of(c) = check(f, name, *of(c)) },
		save:  func(m *ent.CIMutation, c *ent.CI) { save(m, *of(c)) },
	}
}

func clearable(f Field) Field {
	f.isClearable = true
	return f
}

func text(least, most int) func(*form.Form, string, string) string {
	return func(f *form.Form, field, s string) string { return f.Text(field, s, least, most) }
}
