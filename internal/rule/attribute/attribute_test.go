package attribute_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/rule/attribute"
)

func schema(text string) map[string]any {
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		panic(err)
	}
	return v
}

// said returns the failures of err, each as "CODE path message".
func said(t *testing.T, err error) (all []string) {
	t.Helper()
	if err == nil {
		return nil
	}
	found, ok := errs.All(err)
	if !ok {
		t.Fatalf("not in the vocabulary: %v", err)
	}
	for _, e := range found {
		all = append(all, string(e.Code)+" "+strings.Join(e.Field, ".")+" "+e.Message)
	}
	return all
}

func TestAFailureSaysWhichAttributeWhatIsWrongAndWhatWouldBeRight(t *testing.T) {
	s, err := attribute.Compile(
		schema(`{"properties": {"cpu": {"type": "integer", "minimum": 1, "maximum": 64}, "load": {"type": ["number", "null"], "exclusiveMaximum": 1}}, "required": ["owner"]}`),
		nil,
		schema(`{"properties": {
			"role": {"enum": ["primary", "replica"]}, "code": {"type": "string", "pattern": "^[a-z]+$", "minLength": 2, "maxLength": 3},
			"disks": {"type": "array", "items": {"type": "object", "properties": {"gib": {"type": "integer"}}, "additionalProperties": false}},
			"when": {"type": "string", "format": "date"}, "half": {"multipleOf": 0.5}, "fixed": {"const": 7},
			"either": {"anyOf": [{"type": "integer"}, {"type": "boolean"}]}}}`),
	)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		`{"owner": 1}`:                            "",
		`{}`:                                      "REQUIRED owner owner is missing: the schema requires it",
		`{"owner": 1, "cpu": "four"}`:             "INVALID cpu cpu is text: a whole number is expected",
		`{"owner": 1, "cpu": 1.5}`:                "INVALID cpu cpu is a number: a whole number is expected",
		`{"owner": 1, "cpu": 0}`:                  "INVALID cpu cpu is 0: it must be at least 1",
		`{"owner": 1, "cpu": 65}`:                 "INVALID cpu cpu is 65: it must be at most 64",
		`{"owner": 1, "load": 1}`:                 "INVALID load load is 1: it must be less than 1",
		`{"owner": 1, "load": true}`:              "INVALID load load is true or false: null or a number is expected",
		`{"owner": 1, "role": "third"}`:           `INVALID role role is "third": it must be one of "primary", "replica"`,
		`{"owner": 1, "code": "AB"}`:              `INVALID code code is "AB": it must match the pattern ^[a-z]+$`,
		`{"owner": 1, "code": "a"}`:               "INVALID code code has 1 characters: at least 2",
		`{"owner": 1, "code": "abcd"}`:            "INVALID code code has 4 characters: at most 3",
		`{"owner": 1, "disks": [{"gib": "x"}]}`:   "INVALID disks.0.gib disks.0.gib is text: a whole number is expected",
		`{"owner": 1, "disks": [{"tib": 1}]}`:     "INVALID disks.0.tib tib is not in the schema: leave it out, or add it to the schema",
		`{"owner": 1, "when": "tomorrow"}`:        `INVALID when when is "tomorrow": it must be a valid date`,
		`{"owner": 1, "half": 0.7}`:               "INVALID half half is 0.7: it must be a multiple of 0.5",
		`{"owner": 1, "fixed": 8}`:                "INVALID fixed fixed is 8: it must be 7",
		`{"owner": 1, "either": "x"}`:             "INVALID either either fits none of its alternatives: either is text: a whole number is expected, or either is text: true or false is expected",
		`{"owner": 1, "other": {"free": "form"}}`: "",
	} {
		got := strings.Join(said(t, s.Check(t.Context(), schema(text))), " | ")
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestAClassNeverLoosensWhatItInherits(t *testing.T) {
	s, err := attribute.Compile(schema(`{"properties": {"port": {"type": "integer"}}}`), schema(`{"properties": {"port": {}, "extra": {"type": "string"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if s.Check(t.Context(), map[string]any{"port": "x"}) == nil {
		t.Error("the ancestor's schema was forgotten")
	}
	if got := s.Names(); !reflect.DeepEqual(got, []string{"extra", "port"}) {
		t.Errorf("names %v", got)
	}
}

func TestASchemaStandsAlone(t *testing.T) {
	deep := `{"properties": {"a": ` + strings.Repeat(`{"items": `, 60) + `{}` + strings.Repeat(`}`, 60) + `}}`
	for text, want := range map[string]string{
		`{}`:                                     "",
		`{"type": "object"}`:                     "",
		`{"$schema": "` + attribute.Draft + `"}`: "",
		`{"$defs": {"p": {"type": "integer"}}, "properties": {"a": {"$ref": "#/$defs/p"}}}`: "",
		`{"properties": {"a": {"$ref": "other.json"}}}`:                                     "INVALID properties.a.$ref",
		`{"properties": {"a": {"$ref": "file:///etc/passwd"}}}`:                             "INVALID properties.a.$ref",
		`{"properties": {"a": {"$dynamicRef": "http://x"}}}`:                                "INVALID properties.a.$dynamicRef",
		`{"properties": {"a": {"$ref": "` + attribute.Draft + `"}}}`:                        "INVALID properties.a.$ref",
		`{"$id": "http://x"}`:                        "INVALID $id",
		`{"allOf": [{"$id": "http://x"}]}`:           "INVALID allOf.0.$id",
		`{"type": ["object", "null"]}`:               "INVALID type",
		`{"properties": []}`:                         "INVALID properties",
		`{"properties": {"1a": {}}}`:                 "INVALID properties.1a",
		`{"properties": {"a": {"pattern": "("}}}`:    "INVALID properties.a.pattern",
		`{"properties": {"a": {"minimum": "1"}}}`:    "INVALID properties.a.minimum",
		`{"$schema": "https://example.com/dialect"}`: "INVALID $schema",
		deep: "INVALID properties.a.items.items",
	} {
		got := said(t, attribute.Declare(schema(text)))
		if want == "" && got != nil || want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], want+" ")) {
			t.Errorf("%.80s\n got %v\nwant %s", text, got, want)
		}
	}
	if attribute.Declare(map[string]any{"description": strings.Repeat("x", attribute.MaxBytes)}) == nil {
		t.Error("a schema of more than 64 KiB was taken")
	}
}

func TestTheEffectiveSchemaMeansWhatItsPartsMean(t *testing.T) {
	parts := []map[string]any{
		schema(`{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": true}`),
		schema(`{"properties": {"b": {"$ref": "#/$defs/b"}}, "$defs": {"b": {"type": "boolean"}}}`),
		schema(`{"properties": {"a": {"minimum": 3}}}`),
		schema(`{"properties": {"c": {"type": "string"}}, "required": ["c"]}`),
	}
	separate, err := attribute.Compile(parts...)
	if err != nil {
		t.Fatal(err)
	}
	effective := attribute.Effective(parts...)
	one, err := attribute.Compile(effective)
	if err != nil {
		t.Fatal(err)
	}
	if properties := effective["properties"].(map[string]any); properties["a"] == nil || properties["c"] == nil {
		t.Errorf("simple attributes lie side by side: %v", effective)
	}
	values := rapid.OneOf(rapid.Just(any(nil)), rapid.Just(any(true)), rapid.Just(any("x")), rapid.Just(any(1.0)), rapid.Just(any(5.0)), rapid.Just(any(1.5)))
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.MapOf(rapid.SampledFrom([]string{"a", "b", "c", "d"}), values).Draw(t, "attributes")
		if (separate.Check(t.Context(), v) == nil) != (one.Check(t.Context(), v) == nil) {
			t.Fatalf("%v: apart %v, together %v", v, separate.Check(t.Context(), v), one.Check(t.Context(), v))
		}
	})
}

func TestPlainIsWhatTheDatabaseGivesBack(t *testing.T) {
	got, err := attribute.Plain(map[string]any{"i": 3, "n": json.Number("4"), "big": int64(1 << 53), "list": []string{"a"}, "nested": map[string]any{"x": []any{int32(1)}}, "null": nil})
	want := map[string]any{"i": 3.0, "n": 4.0, "big": float64(1 << 53), "list": []any{"a"}, "nested": map[string]any{"x": []any{1.0}}, "null": nil}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	deep := any("x")
	for range attribute.MaxDepth + 1 {
		deep = []any{deep}
	}
	for _, odd := range []any{"\x00", "\xff", json.Number("1e999"), int64(1<<53 + 1), map[string]any{"": 1}, map[string]any{"a\x00": 1}, map[string]any{strings.Repeat("n", 101): 1}, deep, make(chan int)} {
		if _, err := attribute.Plain(map[string]any{"a": odd}); errs.CodeOf(err) != errs.Invalid {
			t.Errorf("%v was taken: %v", odd, err)
		}
	}
}

func TestAMergeNamesExactlyWhatChanged(t *testing.T) {
	value := rapid.OneOf(rapid.Just(any(nil)), rapid.Just(any("x")), rapid.Just(any(1.0)), rapid.Just(any([]any{1.0})))
	object := rapid.MapOf(rapid.SampledFrom([]string{"a", "b", "c"}), value)
	rapid.Check(t, func(t *rapid.T) {
		old, change := object.Draw(t, "old"), object.Draw(t, "change")
		for name, v := range old {
			if v == nil {
				delete(old, name)
			}
		}
		merged, changed := attribute.Merge(old, change)
		names := map[string]bool{}
		for _, name := range changed {
			names[name] = true
		}
		for _, name := range []string{"a", "b", "c"} {
			before, after := old[name], merged[name]
			if given, ok := change[name]; ok && !reflect.DeepEqual(after, given) || !ok && !reflect.DeepEqual(after, before) {
				t.Fatalf("%s became %v", name, after)
			}
			if names[name] == reflect.DeepEqual(before, after) {
				t.Fatalf("%s: %v to %v, said to have changed: %v", name, before, after, names[name])
			}
		}
	})
}
