package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/linchpin-cmdb/linchpin/schema"
)

// family is an attack that is made on each place of the contract where it can be made, so that what somebody adds is
// attacked, too.
type family struct {
	*ast.Schema
	all []attack
}

// familyAttacks returns the attacks that the contract has places for, beside those of the corpus.
func familyAttacks(t testing.TB) []attack {
	t.Helper()
	text, err := schema.SDL()
	if err != nil {
		t.Fatal(err)
	}
	contract, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphql", Input: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	f := &family{Schema: contract}
	f.lists()
	f.mutations()
	f.subscriptions()
	f.records()
	return f.all
}

func (f *family) add(code, name, document string, variables any) {
	a := attack{name: name, code: code, method: "POST", document: document, parameters: map[string]json.RawMessage{}}
	if variables != nil {
		text, err := json.Marshal(variables)
		if err != nil {
			panic(err) // texts and numbers
		}
		a.parameters["variables"] = text
	}
	f.all = append(f.all, a)
}

// lists attacks each list of Query: by pages, cursors, filters and directives.
func (f *family) lists() {
	for _, list := range f.Query.Fields {
		if list.Arguments.ForName("first") == nil || list.Arguments.ForName("after") == nil {
			continue
		}
		ask := func(arguments, directives string) string {
			given := strings.Trim(f.required(list.Arguments)+", "+arguments, ", ")
			if given != "" {
				given = "(" + given + ")"
			}
			return "{ " + list.Name + given + directives + " { nodes { __typename } } }"
		}
		f.add("COMPLEXITY_LIMIT_EXCEEDED", list.Name+": a page of two thousand millions", ask("first: 2147483647", ""), nil)
		if f.required(list.Arguments) == "" { // what is asked about is not here
			f.add("BAD_CURSOR", list.Name+": a cursor of sixty thousand characters", ask(`after: "`+strings.Repeat("x", 60_000)+`"`, ""), nil)
			f.add("BAD_CURSOR", list.Name+": a cursor of no list", ask(`after: "eyJ2IjoxLCJmIjoieCIsInAiOjF9"`, ""), nil)
		}
		f.add("GRAPHQL_VALIDATION_FAILED", list.Name+": a stream of a list", ask("", " @stream(initialCount: 0)"), nil)
		f.add("QUERY_TOO_LARGE", list.Name+": fifty-one directives", ask("", strings.Repeat(" @include(if: true)", 51)), nil)
		filter := list.Arguments.ForName("filter")
		if filter == nil {
			continue
		}
		fields := f.Types[filter.Type.Name()].Fields
		if fields.ForName("not") != nil {
			f.add("BAD_USER_INPUT", list.Name+": filters six deep", ask("filter: "+strings.Repeat("{not: ", 7)+"{}"+strings.Repeat("}", 7), ""), nil)
			f.add("QUERY_TOO_DEEP", list.Name+": filters forty deep", ask("filter: "+strings.Repeat("{or: [", 20)+"{}"+strings.Repeat("]}", 20), ""), nil)
			f.add("BAD_USER_INPUT", list.Name+": a hundred and one conditions", ask("filter: {or: ["+strings.Repeat("{}, ", 101)+"]}", ""), nil)
		}
		if name := fields.ForName("name"); name != nil && name.Type.Name() == "StringFilter" {
			f.add("BAD_USER_INPUT", list.Name+": a hundred and one names", ask("filter: {name: {in: ["+strings.Repeat(`"x", `, 101)+"]}}", ""), nil)
			f.add("GRAPHQL_VALIDATION_FAILED", list.Name+": a name that is ten thousand names",
				"query($f: "+filter.Type.Name()+") "+strings.Replace(ask("filter: $f", ""), "{ ", "{", 1), map[string]any{"f": map[string]any{"name": map[string]any{"eq": make([]int, 10_000)}}})
		}
	}
}

// mutations attacks each mutation by repeating it, and by what cannot be its input. Nothing is written.
func (f *family) mutations() {
	for _, m := range f.Mutation.Fields {
		input := m.Arguments[0].Type.Name()
		var many strings.Builder
		for i := range 31 {
			fmt.Fprintf(&many, "a%d: %s(%s) { __typename } ", i, m.Name, f.required(m.Arguments))
		}
		f.add("QUERY_TOO_LARGE", m.Name+": thirty-one times", "mutation { "+many.String()+"}", nil)
		whole := fmt.Sprintf("mutation($input: %s!) { %s(input: $input) { __typename } }", input, m.Name)
		f.add("GRAPHQL_VALIDATION_FAILED", m.Name+": an input that is a text", whole, map[string]any{"input": strings.Repeat("x", 60_000)})
		f.add("GRAPHQL_VALIDATION_FAILED", m.Name+": an input of fields that nobody knows", whole, map[string]any{"input": map[string]any{strings.Repeat("x", 10_000): 1}})
	}
}

// subscriptions attacks each subscription.
func (f *family) subscriptions() {
	for _, s := range f.Subscription.Fields {
		f.add("QUERY_TOO_LARGE", s.Name+": thirty-one times", "subscription { "+strings.Repeat(s.Name+" { revision } ", 31)+"}", nil)
		f.add("GRAPHQL_VALIDATION_FAILED", s.Name+": two at once", "subscription { "+s.Name+" { revision } other: "+s.Name+" { revision } }", nil)
		f.add("GRAPHQL_VALIDATION_FAILED", s.Name+": deferred", "subscription { "+s.Name+" { ... @defer { revision } } }", nil)
	}
}

// records attacks each type of record by ways that lead back to it, and by fragments that do.
func (f *family) records() {
	for _, d := range f.GetPossibleTypes(f.Types["Node"]) {
		on := func(selection string) string {
			return `{ node(id: "ci_1") { ... on ` + d.Name + " " + selection + " } }"
		}
		f.add("GRAPHQL_VALIDATION_FAILED", d.Name+": a fragment in itself", on("{ ...f }")+" fragment f on "+d.Name+" { id ...f }", nil)
		f.add("GRAPHQL_VALIDATION_FAILED", d.Name+": fragments in a circle",
			on("{ ...a }")+" fragment a on "+d.Name+" { ...b } fragment b on "+d.Name+" { ...c } fragment c on "+d.Name+" { ...a }", nil)
		if way := f.circle(d); way != nil {
			selection := strings.Repeat("{ "+strings.Join(way, " { ")+" ", 20) + "{ __typename }" + strings.Repeat(strings.Repeat(" }", len(way)), 20)
			f.add("QUERY_TOO_DEEP", d.Name+": back to itself twenty times", on(selection), nil)
		}
	}
}

// circle returns the fields of the shortest way from a type to itself without arguments that have to be given.
func (f *family) circle(from *ast.Definition) []string {
	type place struct {
		at  *ast.Definition
		way []string
	}
	seen := map[string]bool{}
	for queue := []place{{at: from}}; len(queue) > 0; queue = queue[1:] {
		p := queue[0]
		for _, field := range p.at.Fields {
			to := f.Types[field.Type.Name()]
			if to.Kind != ast.Object || strings.HasPrefix(field.Name, "__") || f.required(field.Arguments) != "" {
				continue
			}
			way := append(slices.Clone(p.way), field.Name)
			if to == from {
				return way
			}
			if !seen[to.Name] {
				seen[to.Name] = true
				queue = append(queue, place{to, way})
			}
		}
	}
	return nil
}

// required writes the arguments that have to be given.
func (f *family) required(arguments ast.ArgumentDefinitionList) string {
	var all []string
	for _, a := range arguments {
		if a.Type.NonNull && a.DefaultValue == nil {
			all = append(all, a.Name+": "+f.value(a.Type))
		}
	}
	return strings.Join(all, ", ")
}

// value writes a value of a type, of an input what has to be given.
func (f *family) value(t *ast.Type) string {
	if t.Elem != nil {
		return "[" + f.value(t.Elem) + "]"
	}
	switch d := f.Types[t.Name()]; {
	case d.Kind == ast.Enum:
		return d.EnumValues[0].Name
	case d.Kind == ast.InputObject:
		var all []string
		for _, field := range d.Fields {
			if field.Type.NonNull && field.DefaultValue == nil {
				all = append(all, field.Name+": "+f.value(field.Type))
			}
		}
		return "{" + strings.Join(all, ", ") + "}"
	case d.Name == "Int", d.Name == "Float", d.Name == "Revision":
		return "1"
	case d.Name == "Boolean":
		return "true"
	case d.Name == "DateTime":
		return `"2027-01-10T22:00:00Z"`
	case d.Name == "Date":
		return `"2027-01-10"`
	case d.Name == "Duration":
		return `"PT1H"`
	case d.Name == "JSON":
		return "{}"
	case d.Name == "ID":
		return `"ci_1"`
	}
	return `"x"`
}
