package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

const introspection = `query {
  __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types { kind name description specifiedByURL
      fields(includeDeprecated: true) { name description isDeprecated deprecationReason args { ...input } type { ...ref } }
      inputFields { ...input } interfaces { name } possibleTypes { name }
      enumValues(includeDeprecated: true) { name description isDeprecated } }
    directives { name locations args { ...input } }
  }
}
fragment input on __InputValue { name description defaultValue type { ...ref } }
fragment ref on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } }`

type typeRef struct {
	Kind, Name string
	OfType     *typeRef
}

func (r *typeRef) String() string {
	switch r.Kind {
	case "NON_NULL":
		return r.OfType.String() + "!"
	case "LIST":
		return "[" + r.OfType.String() + "]"
	}
	return r.Name
}

type named struct{ Name string }

type inputValue struct {
	Name, Description string
	DefaultValue      *string
	Type              *typeRef
}

// contract is a schema as sentences, so that two of them can be compared: what is promised of each place.
type contract map[string]string

func TestTheServedSchemaIsTheOneThatAnswers(t *testing.T) {
	p := serve(t)
	sdl := send(t, http.MethodGet, p.url+"/schema.graphql", "").body
	parsed, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphql", Input: sdl})
	if err != nil {
		t.Fatal(err)
	}
	want := ofDocument(parsed)
	var said struct {
		Schema introspected `json:"__schema"`
	}
	p.ask(t, &said, introspection, nil)
	got := ofIntrospection(said.Schema)
	if len(want) < 1000 {
		t.Fatalf("%d promises only", len(want))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(- /schema.graphql, + introspection)\n%s", diff)
	}
	if s := said.Schema; s.QueryType.Name != "Query" || s.MutationType.Name != "Mutation" || s.SubscriptionType.Name != "Subscription" {
		t.Errorf("roots: %+v, %+v, %+v", s.QueryType, s.MutationType, s.SubscriptionType)
	}
}

func ofDocument(s *ast.Schema) contract {
	c := contract{}
	for _, d := range s.Types {
		if strings.HasPrefix(d.Name, "__") {
			continue
		}
		sentence := string(d.Kind) + " " + d.Description
		if by := d.Directives.ForName("specifiedBy"); by != nil {
			sentence += " by " + by.Arguments.ForName("url").Value.Raw
		}
		c[d.Name] = sentence
		c[d.Name+" is"] = join(d.Interfaces)
		if d.Kind == ast.Interface || d.Kind == ast.Union {
			var possible []string
			for _, one := range s.GetPossibleTypes(d) {
				possible = append(possible, one.Name)
			}
			c[d.Name+" may be"] = join(possible)
		}
		for _, f := range d.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			c[d.Name+"."+f.Name] = f.Type.String() + deprecated(f.Directives) + byDefault(f.DefaultValue) + " " + f.Description
			for _, a := range f.Arguments {
				c[d.Name+"."+f.Name+"("+a.Name+")"] = a.Type.String() + byDefault(a.DefaultValue) + " " + a.Description
			}
		}
		for _, v := range d.EnumValues {
			c[d.Name+":"+v.Name] = deprecated(v.Directives) + v.Description
		}
	}
	return c
}

func deprecated(d ast.DirectiveList) string {
	if d.ForName("deprecated") != nil {
		return " deprecated"
	}
	return ""
}

func byDefault(v *ast.Value) string {
	if v == nil {
		return ""
	}
	return " = " + v.String()
}

func join(names []string) string {
	names = slices.Clone(names)
	slices.Sort(names)
	return strings.Join(names, " ")
}

type introspected struct {
	QueryType, MutationType *named
	SubscriptionType        *named
	Types                   []struct {
		Kind, Name, Description string
		SpecifiedByURL          *string
		Fields                  []struct {
			Name, Description string
			IsDeprecated      bool
			Args              []inputValue
			Type              *typeRef
		}
		InputFields               []inputValue
		Interfaces, PossibleTypes []named
		EnumValues                []struct {
			Name, Description string
			IsDeprecated      bool
		}
	}
	Directives json.RawMessage
}

func ofIntrospection(s introspected) contract {
	c := contract{}
	mark := func(isDeprecated bool) string {
		if isDeprecated {
			return " deprecated"
		}
		return ""
	}
	value := func(v inputValue) string {
		sentence := v.Type.String()
		if v.DefaultValue != nil {
			sentence += " = " + *v.DefaultValue
		}
		return sentence + " " + v.Description
	}
	names := func(all []named) string {
		var list []string
		for _, n := range all {
			list = append(list, n.Name)
		}
		return join(list)
	}
	for _, d := range s.Types {
		if strings.HasPrefix(d.Name, "__") {
			continue
		}
		sentence := d.Kind + " " + d.Description
		if d.SpecifiedByURL != nil {
			sentence += " by " + *d.SpecifiedByURL
		}
		c[d.Name] = sentence
		c[d.Name+" is"] = names(d.Interfaces)
		if d.Kind == string(ast.Interface) || d.Kind == string(ast.Union) {
			c[d.Name+" may be"] = names(d.PossibleTypes)
		}
		for _, f := range d.Fields {
			c[d.Name+"."+f.Name] = f.Type.String() + mark(f.IsDeprecated) + " " + f.Description
			for _, a := range f.Args {
				c[d.Name+"."+f.Name+"("+a.Name+")"] = value(a)
			}
		}
		for _, f := range d.InputFields {
			c[d.Name+"."+f.Name] = value(f)
		}
		for _, v := range d.EnumValues {
			c[d.Name+":"+v.Name] = mark(v.IsDeprecated) + v.Description
		}
	}
	return c
}
