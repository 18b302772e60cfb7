package main

import (
	"fmt"

	"github.com/99designs/gqlgen/codegen"
)

// federation makes ordinary resolvers of the two fields that gateways ask for: gqlgen keeps their names for a plugin of
// its own, which puts its directives into the contract.
type federation struct{}

func (federation) Name() string { return "federation resolvers" }

// GenerateCode binds the two fields to ordinary resolvers.
func (federation) GenerateCode(data *codegen.Data) error {
	names := map[string]string{"_service": "Subgraph", "_entities": "Entities"}
	for _, field := range data.QueryRoot.Fields {
		if name, ok := names[field.Name]; ok {
			field.GoFieldName, field.GoFieldType, field.GoReceiverName = name, codegen.GoFieldUndefined, "obj"
			field.IsResolver, field.MethodHasContext, field.NoErr = true, false, false
			delete(names, field.Name)
		}
	}
	if len(names) > 0 {
		return fmt.Errorf("the contract lacks fields of Query that gateways need: %v", names)
	}
	return nil
}
