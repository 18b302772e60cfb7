// Package attribute decides which values may describe a record: it checks the JSON Schemas that people declare, such as
// those of classes of CIs, and values against a schema and those it extends. It refuses schemas that reach outside
// themselves.
package attribute

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// Draft is the only dialect of JSON Schema.
const Draft = "https://json-schema.org/draft/2020-12/schema"

// Schema is a schema and all that it extends. Values must satisfy each, so that a schema adds to those it extends and
// never loosens them.
type Schema struct {
	own   []map[string]any
	parts []*jsonschema.Schema
	steps *steps // of the running check
	one   sync.Mutex
}

// Compile returns one Schema of schemas, each of which extends those before. Empty ones are passed over.
func Compile(schemas ...map[string]any) (*Schema, error) {
	s := &Schema{steps: &steps{}}
	for _, own := range schemas {
		if len(own) == 0 {
			continue
		}
		part, err := compile(own, s.steps)
		if err != nil {
			return nil, err
		}
		s.own, s.parts = append(s.own, own), append(s.parts, part)
	}
	return s, nil
}

// compile compiles one schema, whose checks take steps.
func compile(own map[string]any, s *steps) (part *jsonschema.Schema, err error) {
	const address = "linchpin:schema"
	p := patterns{steps: s, known: map[string]*pattern{}}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(closed{})
	c.AssertFormat()
	c.UseRegexpEngine(p.compile)
	if err := c.AddResource(address, own); err != nil {
		return nil, err
	}
	if out := s.within(context.Background(), func() { part, err = c.Compile(address) }); out != nil {
		return nil, out
	}
	if p.err != nil {
		return nil, p.err
	}
	if err == nil {
		s.count(part)
	}
	return part, err
}

// closed is a loader that loads nothing: a schema stands alone.
type closed struct{}

func (closed) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s lies outside the schema", url)
}

// Names returns the names that the schemas declare, sorted.
func (s *Schema) Names() []string {
	names := map[string]bool{}
	for _, own := range s.own {
		properties, _ := own["properties"].(map[string]any)
		for name := range properties {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// Declare checks a schema that somebody declares: an object schema of draft 2020-12, complete in itself.
func Declare(own map[string]any) error {
	if len(own) == 0 {
		return nil
	}
	text, err := json.Marshal(own)
	if err != nil {
		return errs.New(errs.Invalid, "the schema is not JSON: %v", err)
	}
	if len(text) > MaxBytes {
		return errs.New(errs.Invalid, "the schema has %d bytes: at most %d", len(text), MaxBytes)
	}
	if dialect, ok := own["$schema"]; ok && dialect != Draft && dialect != Draft+"#" {
		return errs.New(errs.Invalid, "the schema is of %v: schemas are written in %s", dialect, Draft).At("$schema")
	}
	if kind, ok := own["type"]; ok && kind != "object" {
		return errs.New(errs.Invalid, "the type of the schema is %v: it describes an object, write \"object\" or leave it out", kind).At("type")
	}
	if err := standsAlone(own, nil); err != nil {
		return err
	}
	properties, isObject := own["properties"].(map[string]any)
	if _, stated := own["properties"]; stated && !isObject {
		return errs.New(errs.Invalid, "properties must be an object, from names to their schemas").At("properties")
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if !isName(name) {
			return errs.New(errs.Invalid, "%q is not a name for a value: letters, digits and underscores, starting with a letter, at most 100", name).At("properties", name)
		}
	}
	// The compiler wants values as encoding/json decodes them: a schema made in Go may hold ints and []string.
	plain, err := Plain(own)
	if err != nil {
		return err
	}
	compiled, err := compile(plain, &steps{})
	if err != nil {
		return explainSchema(err)
	}
	return expand(compiled)
}

// standsAlone refuses keywords that would make a schema mean something else elsewhere.
func standsAlone(v any, path []string) error {
	if len(path) > MaxDepth*2 {
		return errs.New(errs.Invalid, "the schema is nested more than %d levels deep", MaxDepth*2).At(path[:4]...)
	}
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			at := append(slices.Clone(path), key)
			text, ok := v[key].(string)
			switch {
			case (key == "$ref" || key == "$dynamicRef") && ok && !strings.HasPrefix(text, "#"):
				return errs.New(errs.Invalid, "%q refers to something outside the schema: a reference starts with #, such as #/$defs/port", text).At(at...)
			case (key == "$id" || key == "$vocabulary" || key == "$schema" && len(path) > 0) && ok:
				return errs.New(errs.Invalid, "%s has no place in a schema that stands alone", key).At(at...)
			case key == "pattern" && ok:
				if size, err := patternSize(text); err == nil && size > MaxPattern {
					return errs.New(errs.Invalid, "the pattern has %d steps with its repetitions written out: at most %d, bound lengths by maxLength", size, MaxPattern).At(at...)
				}
			}
			if err := standsAlone(v[key], at); err != nil {
				return err
			}
		}
	case []any:
		for i, item := range v {
			if err := standsAlone(item, append(slices.Clone(path), fmt.Sprint(i))); err != nil {
				return err
			}
		}
	}
	return nil
}

func isName(s string) bool {
	if s == "" || len(s) > 100 {
		return false
	}
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r != '_' && (r < '0' || r > '9')) {
			return false
		}
	}
	return true
}

// explainSchema returns the failures of a schema against the metaschema in the words of this package.
func explainSchema(err error) error {
	if _, ok := errs.All(err); ok {
		return err
	}
	invalid := (*jsonschema.SchemaValidationError)(nil)
	if errors.As(err, &invalid) {
		if detail := (*jsonschema.ValidationError)(nil); errors.As(invalid.Err, &detail) {
			return explain(detail, "the schema")
		}
	}
	return errs.New(errs.Invalid, "the schema cannot be used: %v", err)
}

// Effective returns schemas, each of which extends those before, as one JSON Schema. It merges their properties if they
// are simple, and puts other schemas under allOf.
func Effective(schemas ...map[string]any) map[string]any {
	properties, required, rest := map[string]any{}, map[string]bool{}, []any{}
	for i, own := range schemas {
		if len(own) == 0 {
			continue
		}
		if !isSimple(own, properties) {
			part := maps.Clone(own)
			delete(part, "$schema")
			part["$id"] = fmt.Sprintf("linchpin:class/%d", i) // so that its references stay its own
			rest = append(rest, part)
			continue
		}
		declared, _ := own["properties"].(map[string]any)
		maps.Copy(properties, declared)
		for _, name := range texts(own["required"]) {
			required[name] = true
		}
	}
	one := map[string]any{"$schema": Draft, "type": "object", "properties": properties}
	if len(required) > 0 {
		names := []any{}
		for _, name := range slices.Sorted(maps.Keys(required)) {
			names = append(names, name)
		}
		one["required"] = names
	}
	if len(rest) > 0 {
		one["allOf"] = rest
	}
	return one
}

// isSimple reports whether a schema can be merged with the others: it declares properties and no more, and none that
// another schema declares.
func isSimple(own, properties map[string]any) bool {
	for key, value := range own {
		switch key {
		case "$schema", "type", "required", "title", "description", "$comment":
		case "additionalProperties":
			if value != true {
				return false
			}
		case "properties":
			declared, _ := value.(map[string]any)
			for name, schema := range declared {
				if _, ok := properties[name]; ok || refers(schema) {
					return false
				}
			}
		default:
			return false
		}
	}
	return true
}

func refers(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		if v["$ref"] != nil || v["$dynamicRef"] != nil {
			return true
		}
		for _, inner := range v {
			if refers(inner) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, refers)
	}
	return false
}

func texts(v any) (all []string) {
	list, _ := v.([]any)
	for _, item := range list {
		if s, ok := item.(string); ok {
			all = append(all, s)
		}
	}
	return all
}
