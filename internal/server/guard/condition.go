package guard

import (
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// costlyInputs returns the inputs of a schema in which a field costs something, at any depth, and the enums of which a
// value does.
func costlyInputs(s *ast.Schema) map[string]bool {
	costly := map[string]bool{}
	for grows := true; grows; {
		grows = false
		for name, d := range s.Types {
			if d.Kind == ast.Enum && !costly[name] {
				costly[name] = slices.ContainsFunc(d.EnumValues, func(value *ast.EnumValueDefinition) bool {
					_, ok := statedCost(value.Directives)
					return ok
				})
				grows = grows || costly[name]
			}
			if d.Kind != ast.InputObject || costly[name] {
				continue
			}
			costly[name] = slices.ContainsFunc(d.Fields, func(f *ast.FieldDefinition) bool {
				_, ok := statedCost(f.Directives)
				return ok || costly[f.Type.Name()]
			})
			grows = grows || costly[name]
		}
	}
	return costly
}

// conditions returns what the fields of an input cost that a value says. A value that is not of the type costs nothing:
// it is refused elsewhere.
func (v variables) conditions(t *ast.Type, value *ast.Value) (cost int) {
	if value == nil {
		return 0
	}
	if value.Kind == ast.Variable {
		if given, ok := v.given[value.Raw]; ok {
			return v.givenConditions(t, given)
		}
		if declared := v.declared.ForName(value.Raw); declared != nil && declared.DefaultValue != nil && declared.DefaultValue.Kind != ast.Variable {
			return v.conditions(t, declared.DefaultValue)
		}
		return 0
	}
	if value.Kind == ast.ListValue {
		for _, element := range value.Children {
			cost = plus(cost, v.conditions(elementOf(t), element.Value))
		}
		return cost
	}
	of := v.schema.Types[t.Name()]
	if value.Kind == ast.EnumValue {
		return enumCost(of, value.Raw)
	}
	if value.Kind != ast.ObjectValue || of == nil {
		return 0
	}
	for _, said := range value.Children {
		f := of.Fields.ForName(said.Name)
		if f == nil || !v.isGiven(said.Value) {
			continue
		}
		if weight, ok := statedCost(f.Directives); ok {
			cost = plus(cost, weight)
		}
		if v.inputs[f.Type.Name()] {
			cost = plus(cost, v.conditions(f.Type, said.Value))
		}
	}
	return cost
}

// givenConditions returns the same for a value of a variable.
func (v variables) givenConditions(t *ast.Type, given any) (cost int) {
	switch given := given.(type) {
	case string:
		return enumCost(v.schema.Types[t.Name()], given)
	case []any:
		for _, element := range given {
			cost = plus(cost, v.givenConditions(elementOf(t), element))
		}
	case map[string]any:
		of := v.schema.Types[t.Name()]
		if of == nil {
			return 0
		}
		for _, name := range slices.Sorted(maps.Keys(given)) {
			f := of.Fields.ForName(name)
			if f == nil || given[name] == nil {
				continue
			}
			if weight, ok := statedCost(f.Directives); ok {
				cost = plus(cost, weight)
			}
			if v.inputs[f.Type.Name()] {
				cost = plus(cost, v.givenConditions(f.Type, given[name]))
			}
		}
	}
	return cost
}

// enumCost returns what a value of an enum costs.
func enumCost(of *ast.Definition, name string) (cost int) {
	if of == nil || of.Kind != ast.Enum {
		return 0
	}
	if value := of.EnumValues.ForName(name); value != nil {
		cost, _ = statedCost(value.Directives)
	}
	return cost
}

// elementOf returns the type of a list's elements; of what is no list itself, since one value stands for a list of one.
func elementOf(t *ast.Type) *ast.Type {
	if t.Elem != nil {
		return t.Elem
	}
	return t
}
