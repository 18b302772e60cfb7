package ndjson_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/ndjson"
)

// node is a part of the schema.
type node struct {
	Ref        string           `json:"$ref"`
	Properties map[string]*node `json:"properties"`
	Items      *node            `json:"items"`
	Enum       []string         `json:"enum"`
	Defs       map[string]*node `json:"$defs"`
}

func TestTheSchemaHasEachFieldOfARowAndNoOther(t *testing.T) {
	var root node
	if err := json.Unmarshal(ndjson.Schema, &root); err != nil {
		t.Fatal(err)
	}
	var same func(at string, n *node, of reflect.Type)
	same = func(at string, n *node, of reflect.Type) {
		if name, ok := strings.CutPrefix(n.Ref, "#/$defs/"); ok {
			n = root.Defs[name]
		}
		switch of.Kind() { //nolint:exhaustive // others have no fields
		case reflect.Pointer:
			same(at, n, of.Elem())
		case reflect.Slice:
			if n.Items == nil {
				t.Fatalf("%s is no array", at)
			}
			same(at, n.Items, of.Elem())
		case reflect.Struct:
			fields := map[string]reflect.Type{}
			for i := range of.NumField() {
				if name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ","); name != "-" {
					fields[name] = of.Field(i).Type
				}
			}
			if diff := cmp.Diff(slices.Sorted(maps.Keys(fields)), slices.Sorted(maps.Keys(n.Properties))); diff != "" {
				t.Errorf("%s: %s", at, diff)
				return
			}
			for name, of := range fields {
				same(at+"."+name, n.Properties[name], of)
			}
		}
	}
	for name, of := range map[string]reflect.Type{"ci": reflect.TypeFor[importer.CI](), "team": reflect.TypeFor[importer.Team](), "person": reflect.TypeFor[importer.Person]()} {
		same(name, root.Properties[name], of)
	}
	ci := root.Defs["ci"]
	for name, values := range map[string][]string{
		"lifecycle": domain.Live.Values(), "environment": domain.Production.Values(), "criticality": domain.CriticalityHigh.Values(),
	} {
		if diff := cmp.Diff(values, ci.Properties[name].Enum); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if diff := cmp.Diff(domain.FullRun.Values(), root.Properties["run"].Properties["kind"].Enum); diff != "" {
		t.Error(diff)
	}
}

func TestTheSchemaTakesWhatIsReadAndRefusesWhatIsNot(t *testing.T) {
	text, err := jsonschema.UnmarshalJSON(bytes.NewReader(ndjson.Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("row.json", text); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("row.json")
	if err != nil {
		t.Fatal(err)
	}
	for line, fits := range map[string]bool{
		`{"run": {"scope": "prod", "kind": "FULL"}}`:                                             true,
		`{"ci": {"key": "a", "class": "server", "labels": {"x": "1"}, "null": ["description"]}}`: true,
		`{"delete": "a"}`: true,
		`{"ci": {"key": "a"}, "origin": {"file": "a.yaml", "line": 3}, "notices": [{"kind": "warning", "reason": "x"}]}`: true,
		`{"notice": {"kind": "rejected", "reason": "x", "origin": {"file": "a.yaml"}}}`:                                  true,
		`{"notice": {"kind": "conflict", "reason": "x"}}`:                                                                false,
		`{"end": {"rows": 0}, "origin": {}}`:                                                                             false,
		`{"delete": "a", "notices": []}`:                                                                                 false,
		`{"end": {"rows": 0}}`:                                                                                           true,
		`{}`:                                                                                                             false,
		`{"ci": {"class": "server"}}`:                                                                                    false,
		`{"ci": {"key": "a", "klass": "x"}}`:                                                                             false,
		`{"delete": "a", "end": {"rows": 1}}`:                                                                            false,
	} {
		row, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(row); (err == nil) != fits {
			t.Errorf("%s: %v", line, err)
		}
	}
}
