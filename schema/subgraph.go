package schema

import (
	"slices"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
)

// Service is a subgraph as federation gateways see it.
type Service struct{ SDL string }

// Subgraph returns the contract for federation gateways (Apollo Federation 2): without the fields that every subgraph
// has, and with the keys by which others extend its entities. The directives are here alone, since other clients do not
// know them.
func Subgraph() (Service, error) { return subgraph() }

const link = "\nextend schema @link(url: \"https://specs.apollo.dev/federation/v2.3\", import: [\"@key\", \"@shareable\"])\n"

var subgraph = sync.OnceValues(func() (Service, error) {
	contract, err := load()
	if err != nil {
		return Service{}, err
	}
	id := &ast.Argument{Name: "fields", Value: &ast.Value{Kind: ast.StringValue, Raw: "id"}}
	for _, name := range contract.Types["_Entity"].Types {
		entity := contract.Types[name]
		entity.Directives = append(entity.Directives, &ast.Directive{Name: "key", Arguments: ast.ArgumentList{id}})
	}
	page := contract.Types["PageInfo"]
	page.Directives = append(page.Directives, &ast.Directive{Name: "shareable"})
	for _, name := range []string{"_Entity", "_Any", "_Service"} {
		delete(contract.Types, name)
	}
	contract.Query.Fields = slices.DeleteFunc(contract.Query.Fields, func(f *ast.FieldDefinition) bool { return f.Name[0] == '_' })
	return Service{string(document(contract)) + link}, nil
})
