package attribute_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/rule/attribute"
)

// doubling returns a schema of n definitions, each of which names the next one twice under the keyword combine.
func doubling(n int, combine string) string {
	text := `{"properties": {"x": {"$ref": "#/$defs/a0"}}, "$defs": {`
	for i := range n {
		next := fmt.Sprintf(`{"$ref": "#/$defs/a%d"}`, i+1)
		text += fmt.Sprintf(`"a%d": %s, `, i, strings.ReplaceAll(combine, "NEXT", next))
	}
	return text + fmt.Sprintf(`"a%d": {"type": "integer", "minimum": 3}}}`, n)
}

// ways are the ways of JSON Schema to hold one value against two schemas.
var ways = map[string]string{
	"anyOf": `{"anyOf": [NEXT, NEXT]}`, "allOf": `{"allOf": [NEXT, NEXT]}`, "oneOf": `{"oneOf": [NEXT, NEXT]}`,
	"not": `{"allOf": [{"not": {"not": NEXT}}, {"not": {"not": NEXT}}]}`, "if": `{"if": NEXT, "then": NEXT, "else": NEXT}`,
	"dependentSchemas": `{"allOf": [NEXT], "dependentSchemas": {"y": NEXT}}`,
	"dependencies":     `{"allOf": [NEXT], "dependencies": {"y": NEXT}}`,
}

// bombs returns schemas of at most a few kilobytes whose checking has no end, and a value that sets each off.
func bombs() map[string][2]string {
	all := map[string][2]string{}
	for name, way := range ways {
		value := `{"x": "text"}`
		switch name {
		case "not":
			value = `{"x": 5}`
		case "dependentSchemas", "dependencies":
			value = `{"x": {"y": 1}}`
		}
		all[name] = [2]string{doubling(25, way), value}
	}
	dynamic := `{"properties": {"x": {"$dynamicRef": "#a0"}}, "$defs": {`
	for i := range 25 {
		dynamic += fmt.Sprintf(`"a%d": {"$dynamicAnchor": "a%d", "allOf": [{"$dynamicRef": "#a%d"}, {"$dynamicRef": "#a%d"}]}, `, i, i, i+1, i+1)
	}
	all["dynamicRef"] = [2]string{dynamic + `"a25": {"$dynamicAnchor": "a25", "type": "integer"}}}`, `{"x": "text"}`}
	return all
}

func TestASchemaThatMultipliesIsRefusedWhereItDoes(t *testing.T) {
	for name, bomb := range bombs() {
		got := said(t, attribute.Declare(schema(bomb[0])))
		if len(got) != 1 || !strings.HasPrefix(got[0], "INVALID $defs.a") || !strings.Contains(got[0], "fewer alternatives") {
			t.Errorf("%s: %v", name, got)
		}
	}
	for text, want := range map[string]string{
		`{"properties": {"x": {"$ref": "#/properties/x"}}}`:                                                                           "INVALID properties.x the schema refers back to itself",
		`{"allOf": [{"$ref": "#"}]}`:                                                                                                  "INVALID  the schema refers back to itself",
		`{"properties": {"x": {"pattern": "(.{100}){100}"}}}`:                                                                         "INVALID properties.x.pattern",
		`{"properties": {"x": {"pattern": "` + strings.Repeat("ab?", 1000) + `"}}}`:                                                   "INVALID properties.x.pattern",
		`{"patternProperties": {` + many(30, `"^%d.{900}$": {}`) + `}}`:                                                               "INVALID  the patterns of the schema",
		`{"$defs": {"tree": {"properties": {"l": {"$ref": "#/$defs/tree"}, "r": {"$ref": "#/$defs/tree"}}}}, "$ref": "#/$defs/tree"}`: "",
		`{"properties": {"x": {"oneOf": [` + many(3000, `{"const": %d}`) + `]}}}`:                                                     "",
		`{"patternProperties": {` + many(300, `"^[a-z]{1,%d}_id$": {}`) + `}}`:                                                        "INVALID  the patterns of the schema",
		`{"patternProperties": {` + many(300, `"^[a-z]+_%d$": {"type": "string"}`) + `}}`:                                             "",
		doubling(10, ways["anyOf"]):                                                                                                   "",
	} {
		got := said(t, attribute.Declare(schema(text)))
		if want == "" && got != nil || want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], want)) {
			t.Errorf("%.80s\n got %.300v\nwant %s", text, got, want)
		}
	}
}

// many writes the numbers from 1 to n in a format, with commas between.
func many(n int, format string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(format, i+1)
	}
	return strings.Join(all, ", ")
}

func TestACheckEndsWhateverSchemaIsStored(t *testing.T) {
	all := bombs()
	all["levels"] = [2]string{
		`{"properties": {"x": {"$ref": "#/$defs/t"}}, "$defs": {"t": {"anyOf": [{"items": {"$ref": "#/$defs/t"}}, {"items": {"$ref": "#/$defs/t"}}], "type": "array"}}}`,
		`{"x": ` + strings.Repeat("[", 19) + "1" + strings.Repeat("]", 19) + "}",
	}
	all["names"] = [2]string{`{"patternProperties": {` + many(2000, `"^%d": {"type": "null"}`) + `}}`, `{` + many(2000, `"a%d": 1`) + `}`}
	all["patterns"] = [2]string{`{"patternProperties": {"": {"items": {"pattern": "` + strings.Repeat("x{30}x+", 30) + `y"}}}}`, `{"a": ["` + strings.Repeat("x", 30_000) + `", "` + strings.Repeat("x", 30_000) + `"]}`}
	for name, bomb := range all {
		s, err := attribute.Compile(schema(bomb[0]))
		if err != nil {
			t.Fatal(name, err)
		}
		for range 2 { // a check leaves nothing behind
			got := said(t, s.Check(t.Context(), schema(bomb[1])))
			if len(got) != 1 || !strings.HasPrefix(got[0], "INVALID  checking it takes") {
				t.Errorf("%s: %.300v", name, got)
			}
		}
		if s.Check(t.Context(), nil) != nil {
			t.Errorf("%s: attributes that take nothing are refused", name)
		}
	}
}

func TestACheckEndsWithItsOperation(t *testing.T) {
	s, err := attribute.Compile(schema(`{"properties": {"x": {"items": {"type": "integer"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	v := map[string]any{"x": slices.Repeat([]any{1.0}, 20_000)}
	if err := s.Check(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Check(ctx, v); !errors.Is(err, context.Canceled) {
		t.Errorf("a check whose operation has ended says %v", err)
	}
}
