package attribute

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// Check returns all that is wrong with values, each failure at the value's path. It ends with ctx, and it refuses
// values that take more than MaxSteps to check.
func (s *Schema) Check(ctx context.Context, values map[string]any) error {
	s.one.Lock()
	defer s.one.Unlock()
	if values == nil {
		values = map[string]any{}
	}
	var wrong error
	if err := s.steps.within(ctx, func() { wrong = s.check(values) }); err != nil {
		return err
	}
	return wrong
}

func (s *Schema) check(values map[string]any) error {
	var all []*errs.Error
	said := map[string]bool{} // a schema and one it extends may report the same mistake
	for _, part := range s.parts {
		var found *jsonschema.ValidationError
		if !errors.As(part.Validate(values), &found) {
			continue
		}
		for _, leaf := range leaves(found) {
			for _, e := range describe(leaf) {
				if !said[e.Error()] {
					said[e.Error()] = true
					all = append(all, e)
				}
			}
		}
	}
	return inOrder(all)
}

// inOrder joins failures in the order of their paths: the validator walks maps in any order.
func inOrder(all []*errs.Error) error {
	slices.SortStableFunc(all, func(a, b *errs.Error) int { return slices.Compare(a.Field, b.Field) })
	joined := make([]error, len(all))
	for i, e := range all {
		joined[i] = e
	}
	return errors.Join(joined...)
}

// leaves returns the innermost failures. Alternatives are one failure: it is no news that each of their branches fails.
func leaves(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	switch e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf, *kind.Not:
		return []*jsonschema.ValidationError{e}
	}
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	var all []*jsonschema.ValidationError
	for _, cause := range e.Causes {
		all = append(all, leaves(cause)...)
	}
	return all
}

func explain(e *jsonschema.ValidationError, what string) error {
	var all []*errs.Error
	for _, leaf := range leaves(e) {
		for _, d := range describe(leaf) {
			if len(d.Field) == 0 {
				d.Message = what + ": " + d.Message
			}
			all = append(all, d)
		}
	}
	return inOrder(all)
}

// describe returns which value is wrong, what is wrong, and what would be right.
func describe(e *jsonschema.ValidationError) []*errs.Error {
	name := "the object"
	if n := len(e.InstanceLocation); n > 0 {
		name = strings.Join(e.InstanceLocation, ".")
	}
	wrong := func(format string, args ...any) []*errs.Error {
		return []*errs.Error{errs.New(errs.Invalid, "%s "+format, append([]any{name}, args...)...).At(e.InstanceLocation...)}
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Type:
		return wrong("is %s: %s is expected", article(k.Got), alternatives(k.Want))
	case *kind.Minimum:
		return wrong("is %s: it must be at least %s", decimal(k.Got), decimal(k.Want))
	case *kind.Maximum:
		return wrong("is %s: it must be at most %s", decimal(k.Got), decimal(k.Want))
	case *kind.ExclusiveMinimum:
		return wrong("is %s: it must be more than %s", decimal(k.Got), decimal(k.Want))
	case *kind.ExclusiveMaximum:
		return wrong("is %s: it must be less than %s", decimal(k.Got), decimal(k.Want))
	case *kind.MultipleOf:
		return wrong("is %s: it must be a multiple of %s", decimal(k.Got), decimal(k.Want))
	case *kind.MinLength:
		return wrong("has %d characters: at least %d", k.Got, k.Want)
	case *kind.MaxLength:
		return wrong("has %d characters: at most %d", k.Got, k.Want)
	case *kind.Pattern:
		return wrong("is %q: it must match the pattern %s", shorten(k.Got), k.Want)
	case *kind.Format:
		return wrong("is %s: it must be a valid %s", text(k.Got), k.Want)
	case *kind.Enum:
		var values []string
		for _, want := range k.Want {
			values = append(values, text(want))
		}
		return wrong("is %s: it must be one of %s", text(k.Got), strings.Join(values, ", "))
	case *kind.Const:
		return wrong("is %s: it must be %s", text(k.Got), text(k.Want))
	case *kind.AnyOf, *kind.OneOf:
		if said := branches(e); said != "" {
			return wrong("fits none of its alternatives: %s", said)
		}
	case *kind.AdditionalProperties:
		var all []*errs.Error
		for _, extra := range k.Properties {
			all = append(all, errs.New(errs.Invalid, "%s is not in the schema: leave it out, or add it to the schema", extra).
				At(append(append([]string(nil), e.InstanceLocation...), extra)...))
		}
		return all
	case *kind.Required:
		var all []*errs.Error
		for _, missing := range k.Missing {
			all = append(all, errs.New(errs.Required, "%s is missing: the schema requires it", missing).
				At(append(append([]string(nil), e.InstanceLocation...), missing)...))
		}
		return all
	}
	// Error reads "at '/path': what", but the path is given already.
	said := (&jsonschema.ValidationError{ErrorKind: e.ErrorKind}).Error()
	_, said, _ = strings.Cut(said, ": ")
	return wrong("is not valid: %s", said)
}

// branches returns what is wrong with a value by each alternative, three of them at most.
func branches(e *jsonschema.ValidationError) string {
	var all []string
	for _, cause := range e.Causes {
		for _, leaf := range leaves(cause) {
			for _, d := range describe(leaf) {
				if len(all) < 3 && !slices.Contains(all, d.Message) {
					all = append(all, d.Message)
				}
			}
		}
	}
	return strings.Join(all, ", or ")
}

var nouns = map[string]string{
	"null": "null", "boolean": "true or false", "number": "a number", "integer": "a whole number", "string": "text",
	"array": "a list", "object": "an object",
}

func article(jsonType string) string {
	if noun, ok := nouns[jsonType]; ok {
		return noun
	}
	return jsonType
}

func alternatives(jsonTypes []string) string {
	all := make([]string, len(jsonTypes))
	for i, t := range jsonTypes {
		all[i] = article(t)
	}
	return strings.Join(all, " or ")
}

func decimal(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	f, _ := r.Float64()
	return fmt.Sprint(f)
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return shorten(string(b))
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
