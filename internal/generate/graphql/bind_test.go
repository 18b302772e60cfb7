package main

import (
	"strings"
	"testing"

	"github.com/99designs/gqlgen/codegen/config"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

const small = `
type Query { cis(filter: CIFilter): CIConnection! }
type Mutation {
  createCI(input: CreateCIInput!): CreateCIPayload!
  draftChange(input: DraftChangeInput!): DeleteCIPayload!
}
type CI { id: ID!, lifecycle: Lifecycle! }
enum Lifecycle { LIVE RETIRED }
input LifecycleFilter { eq: Lifecycle }
input CIFilter { lifecycle: LifecycleFilter }
type CIConnection { edges: [CIEdge!]! }
type CIEdge { node: CI! }
input CreateCIInput { name: String! }
input DraftChangeInput { title: String! }
type CreateCIPayload { ci: CI, userErrors: [UserError!]!, warnings: [Warning!]! }
type DeleteCIPayload { deletedId: ID, userErrors: [UserError!]!, warnings: [Warning!]! }
type UserError { message: String! }
type Warning { message: String! }
`

func declared() map[string]map[string]bool {
	return map[string]map[string]bool{
		readPackage:            {"CI": true, "CIFilter": true},
		presentPackage:         {"UserError": true},
		domainPackage:          {"Lifecycle": true, "Warning": true},
		practices + "/cmdb":    {"CreateCI": true},
		practices + "/change":  {"Draft": true},
		practices + "/catalog": {},
	}
}

func derived(t *testing.T, sdl string, types map[string]map[string]bool, given config.TypeMap) (config.TypeMap, map[string][]byte, error) {
	t.Helper()
	contract, err := gqlparser.LoadSchema(&ast.Source{Name: "small.graphql", Input: sdl})
	if err != nil {
		t.Fatal(err)
	}
	return derive(contract, types, given)
}

func TestTheContractIsBoundByItsNames(t *testing.T) {
	bound, files, err := derived(t, small, declared(), config.TypeMap{})
	if err != nil {
		t.Fatal(err)
	}
	const want = `CI graph/read.CI
CIConnection graph/read.CIConnection
CIEdge graph/read.CIEdge
CIFilter graph/read.CIFilter
CreateCIInput internal/practice/cmdb.CreateCI
CreateCIPayload graph/present.CIPayload
DeleteCIPayload graph/present.DeletedPayload
DraftChangeInput internal/practice/change.Draft
Lifecycle internal/domain.Lifecycle
LifecycleFilter graph/read.LifecycleFilter
UserError graph/present.UserError
Warning internal/domain.Warning
`
	if got := string(golden(bound)); got != want {
		t.Errorf("bound:\n%s\nwant:\n%s", got, want)
	}
	if field := bound["CreateCIPayload"].Fields["ci"].FieldName; field != "Record" {
		t.Errorf("ci of the payload is bound to %q", field)
	}
	for path, lines := range map[string][]string{
		readPackage + "/page_names.go":       {"CIConnection    = page.Connection[*CI]", "LifecycleFilter = where.Choice[domain.Lifecycle]"},
		presentPackage + "/payload_names.go": {"CIPayload      = Payload[*read.CI]", "DeletedPayload = Payload[*ident.ID]"},
	} {
		for _, line := range lines {
			if !strings.Contains(string(files[path]), line) {
				t.Errorf("%s lacks %q:\n%s", path, line, files[path])
			}
		}
	}
}

func TestATypeThatNothingIsNamedForIsRefused(t *testing.T) {
	types := declared()
	delete(types[domainPackage], "Lifecycle")
	_, _, err := derived(t, small, types, config.TypeMap{})
	if err == nil || !strings.Contains(err.Error(), "Lifecycle (small.graphql): no Go type has its name") {
		t.Errorf("refused with %v", err)
	}
	bound, _, err := derived(t, small, types, config.TypeMap{
		"Lifecycle": {Model: config.StringList{"x.Y"}}, "LifecycleFilter": {Model: config.StringList{"x.Z"}},
	})
	if err != nil || bound.UserDefined("Lifecycle") {
		t.Errorf("what gqlgen.yml binds is bound again: %v, %v", bound["Lifecycle"], err)
	}
}

func TestANameOfTwoPracticesIsRefused(t *testing.T) {
	types := declared()
	types[practices+"/catalog"]["CreateCI"] = true
	_, _, err := derived(t, small, types, config.TypeMap{})
	if err == nil || !strings.Contains(err.Error(), "internal/practice/catalog.CreateCI, internal/practice/cmdb.CreateCI") {
		t.Errorf("refused with %v", err)
	}
}
