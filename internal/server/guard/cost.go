package guard

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// The cost of fields. The unit is one record: a scalar costs nothing, an object 1, a connection 1 and the selection of
// each record of its page, whose size is first or last; other lists count as listRows records. A count costs 1, a
// mutation mutationCost, and a field that computes over the graph the number in its directive @cost: once, beside the
// records that it lists. An argument with a @cost costs it once for each value that it has in an operation: a graph of
// the past is made once, however many fields ask. A field of an input with a @cost, such as a condition that reads the
// whole of a table, costs it each time that it is said. Selections that @skip and @include leave out are counted.
const (
	listRows          = 10
	introspectionRows = 7 // the schema lies in memory, and its lists nest deeper than any other
	mutationCost      = 10
	most              = 1<<53 - 1 // where sums and products stay: the largest number that JSON carries everywhere
)

// kind says how often a node occurs in its parent.
type kind int

const (
	once kind = iota
	many
	row // once for each row of the connection around it
	connection
)

// measure notes the cost of a field by itself and how often it occurs. Several fields may answer under one key, on
// types that exclude each other: the dearest counts.
func (n *node) measure(on *ast.Definition, f *ast.Field, def *ast.FieldDefinition, of *ast.Definition, parent *node) {
	stated, isStated := statedCost(def.Directives)
	if of == nil || of.IsLeafType() {
		if f.Name == "totalCount" {
			n.weight = max(n.weight, 1)
		}
		n.weight = max(n.weight, stated)
		return
	}
	weight, k := 1, once
	switch {
	case strings.HasSuffix(of.Name, "Connection"):
		k = connection
		n.sizes = append(n.sizes, size{first: argument(f, def, "first"), last: argument(f, def, "last"), otherwise: page.Default})
	case def.Type.Elem == nil:
	case parent.kind == connection && (f.Name == "edges" || f.Name == "nodes"):
		k = row
	case strings.HasPrefix(on.Name, "__"):
		k = many
		n.sizes = append(n.sizes, size{otherwise: introspectionRows})
	default:
		k = many
		n.sizes = append(n.sizes, size{first: argument(f, def, "first"), last: argument(f, def, "ids"), otherwise: listRows})
	}
	if of.Name == "PageInfo" || strings.HasSuffix(of.Name, "Edge") {
		weight = 0
	}
	if on.Name == "Mutation" {
		weight += mutationCost
	}
	switch {
	case isStated && k == many: // it is worked out once, and then listed
		n.base = max(n.base, stated)
	case isStated:
		weight = stated
	}
	n.weight, n.kind = max(n.weight, weight), max(n.kind, k)
}

// statedCost returns the cost in a directive @cost, and whether there is one.
func statedCost(all ast.DirectiveList) (cost int, isStated bool) {
	directive := all.ForName("cost")
	if directive == nil {
		return 0, false
	}
	cost, err := strconv.Atoi(directive.Arguments.ForName("weight").Value.Raw)
	return cost, err == nil
}

// measureArguments notes the values of a field's arguments that cost something, each as a child of the root, where
// nothing multiplies it.
func (o *outliner) measureArguments(f *ast.Field, def *ast.FieldDefinition) {
	for _, a := range f.Arguments {
		declared := def.Arguments.ForName(a.Name)
		if declared == nil || a.Value == nil {
			continue
		}
		if o.inputs[declared.Type.Name()] { // each place of a fragment reads by itself
			o.arguments = append(o.arguments, &node{key: f.Alias + "(" + a.Name + ":)", field: f, value: a.Value, input: declared.Type})
			continue
		}
		weight, ok := statedCost(declared.Directives)
		if !ok || o.seen[a.Value] { // a fragment's may be met thousands of times
			continue
		}
		o.seen[a.Value] = true
		if value := a.Name + ": " + a.Value.String(); !o.priced[value] {
			o.priced[value] = true
			o.arguments = append(o.arguments, &node{key: f.Alias + "(" + a.Name + ":)", field: f, value: a.Value, weight: weight})
		}
	}
}

// argument returns the value of an argument, or its default. If there is neither, it returns nil.
func argument(f *ast.Field, def *ast.FieldDefinition, name string) *ast.Value {
	declared := def.Arguments.ForName(name)
	if declared == nil {
		return nil
	}
	if given := f.Arguments.ForName(name); given != nil {
		return given.Value
	}
	return declared.DefaultValue
}

// size holds the arguments that set the number of rows, and the number without them.
type size struct {
	first, last *ast.Value
	otherwise   int
}

// variables are the values of an operation's variables.
type variables struct {
	given    map[string]any
	declared ast.VariableDefinitionList
	schema   *ast.Schema
	inputs   map[string]bool    // in which a field costs something
	worked   map[*ast.Value]int // what arguments cost, once for all places of a fragment
}

// rows returns the largest number of any of the sizes.
func (v variables) rows(sizes []size) int {
	rows := 0
	for _, s := range sizes {
		first, isFirst := v.number(s.first)
		last, isLast := v.number(s.last)
		if !isFirst && !isLast {
			first = s.otherwise
		}
		rows = max(rows, first, last)
	}
	return rows
}

// number returns a number, or the length of a list. If the value is neither, which is refused elsewhere, it returns
// false.
func (v variables) number(value *ast.Value) (int, bool) {
	if value == nil {
		return 0, false
	}
	switch value.Kind {
	case ast.IntValue, ast.FloatValue, ast.StringValue:
		return parse(value.Raw)
	case ast.ListValue:
		return len(value.Children), true
	case ast.Variable:
	default:
		return 0, false
	}
	given, ok := v.given[value.Raw]
	if !ok {
		if declared := v.declared.ForName(value.Raw); declared != nil && (declared.DefaultValue == nil || declared.DefaultValue.Kind != ast.Variable) {
			return v.number(declared.DefaultValue)
		}
		return 0, false
	}
	switch g := given.(type) {
	case json.Number:
		return parse(g.String())
	case string:
		return parse(g)
	case float64:
		return bounded(g), true
	case int:
		return min(max(g, 0), most), true
	case int64:
		return int(min(max(g, 0), most)), true
	case []any:
		return len(g), true
	}
	return 0, false
}

// isGiven reports whether there is a value that is not null.
func (v variables) isGiven(value *ast.Value) bool {
	if value == nil || value.Kind == ast.NullValue {
		return false
	}
	if value.Kind != ast.Variable {
		return true
	}
	if given, ok := v.given[value.Raw]; ok {
		return given != nil
	}
	declared := v.declared.ForName(value.Raw)
	return declared != nil && declared.DefaultValue != nil && declared.DefaultValue.Kind != ast.NullValue
}

// parse reads a number. If the text is too large a number, it returns the largest.
func parse(text string) (int, bool) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	return bounded(f), true
}

func bounded(f float64) int {
	if f >= most {
		return most
	}
	return int(max(f, 0))
}

// cost returns the cost of a node, with all below it, if the connection around it has so many rows.
func (n *node) cost(v variables, page int) int {
	if n.input != nil {
		cost, ok := v.worked[n.value]
		if !ok {
			cost = v.conditions(n.input, n.value)
			v.worked[n.value] = cost
		}
		return cost
	}
	if n.value != nil && !v.isGiven(n.value) {
		return 0
	}
	each, below := n.weight, page
	if n.kind == connection {
		below = v.rows(n.sizes)
	}
	for _, c := range n.children {
		each = plus(each, c.cost(v, below))
	}
	switch n.kind {
	case row:
		return times(page, each)
	case many:
		return plus(n.base, times(v.rows(n.sizes), each))
	default:
		return each
	}
}

func plus(a, b int) int { return min(a+b, most) } // neither is above most, so the sum fits

func times(a, b int) int {
	if a > 0 && b > most/a {
		return most
	}
	return a * b
}

// price returns the cost of an operation of a document, or a refusal if it is too much. An operation that is not there
// costs nothing: the executor refuses it.
func (g *Guard) price(doc *Document, operation string, given map[string]any) (int, *gqlerror.Error) {
	op := doc.AST.Operations.ForName(operation)
	if op == nil {
		return 0, nil
	}
	v := variables{given, op.VariableDefinitions, g.schema, g.inputs, map[*ast.Value]int{}}
	root := doc.cost[op]
	cost := root.cost(v, 1)
	if cost <= g.limits.Cost {
		return cost, nil
	}
	path, at := root.dearest(v)
	refused := Refuse(errs.TooCostly, at, "the operation costs %d, and %d is the limit; most of it is %s: ask for smaller pages, for less of each record, or in several operations",
		cost, g.limits.Cost, path)
	refused.Extensions["cost"], refused.Extensions["limit"] = cost, g.limits.Cost
	return 0, refused
}

// dearest returns the path of the children that cost most, down to the last list.
func (n *node) dearest(v variables) (path string, at *ast.Position) {
	var keys []string
	named, page := 0, 1
	for len(n.children) > 0 {
		below := page
		if n.kind == connection {
			below = v.rows(n.sizes)
		}
		best, highest := n.children[0], -1
		for _, c := range n.children {
			if cost := c.cost(v, below); cost > highest {
				best, highest = c, cost
			}
		}
		n, page = best, below
		keys = append(keys, n.key)
		if n.kind != once || at == nil {
			named, at = len(keys), n.field.Position
		}
	}
	return strings.Join(keys[:named], "."), at
}
