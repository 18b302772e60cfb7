package graph_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// drawer draws operations over the whole contract: whatever field, argument or input somebody adds is drawn too. It
// fills them with what there is in a world, by the names and the types that the contract gives them.
type drawer struct {
	*rand.Rand
	s       *ast.Schema
	now     time.Time
	ids     map[ident.Kind][]string
	rare    map[ident.Kind][]string // ids that are drawn now and then
	texts   map[string][]string     // values of text by what the argument is called
	words   []string                // all other texts
	cursors []string                // of pages that were read
	labels  []map[string]any
	depth   int // of selections that are drawn
	budget  int // of fields in the operation that is being drawn
}

// most is how many fields an operation selects.
const most = 40

// operation draws an operation on one root field of Query or Mutation.
func (d *drawer) operation(root *ast.Definition) (name, text string) {
	var fields ast.FieldList
	for _, f := range root.Fields {
		if !strings.HasPrefix(f.Name, "_") {
			fields = append(fields, f)
		}
	}
	f := fields[d.IntN(len(fields))]
	d.depth, d.budget = 3+d.IntN(4), most
	return f.Name, strings.ToLower(root.Name) + " { " + d.field(root, f, d.depth) + " }"
}

// field draws a field with its arguments and what it selects.
func (d *drawer) field(of *ast.Definition, f *ast.FieldDefinition, depth int) string {
	d.budget--
	text := f.Name + d.arguments(of, f)
	if result := d.s.Types[f.Type.Name()]; !result.IsLeafType() {
		text += " { " + d.selection(result, depth-1) + " }"
	}
	return text
}

// selection draws what is asked of an object.
func (d *drawer) selection(of *ast.Definition, depth int) string {
	if of.IsAbstractType() {
		text := "__typename"
		possible := d.s.GetPossibleTypes(of)
		for range 2 {
			one := possible[d.IntN(len(possible))]
			if text += " ... on " + one.Name + " { "; depth > 0 {
				text += d.aliased(one, depth)
			}
			text += " __typename }"
		}
		return text
	}
	return d.aliased(of, depth)
}

// aliased draws fields of an object under names that say of which type they are: those of fragments must not meet.
func (d *drawer) aliased(of *ast.Definition, depth int) string {
	var leaves, objects ast.FieldList
	for _, f := range of.Fields {
		switch {
		case strings.HasPrefix(f.Name, "__"):
		case d.s.Types[f.Type.Name()].IsLeafType():
			leaves = append(leaves, f)
		default:
			objects = append(objects, f)
		}
	}
	var chosen ast.FieldList
	if depth > 0 {
		d.Shuffle(len(objects), func(i, j int) { objects[i], objects[j] = objects[j], objects[i] })
		chosen = append(chosen, objects[:min(len(objects), 1+d.IntN(3))]...)
	}
	d.Shuffle(len(leaves), func(i, j int) { leaves[i], leaves[j] = leaves[j], leaves[i] })
	chosen = append(chosen, leaves[:min(len(leaves), 1+d.IntN(8))]...)
	text := "__typename"
	for _, f := range chosen {
		if d.budget > 0 {
			text += fmt.Sprintf(" %s_%s: %s", of.Name, f.Name, d.field(of, f, depth))
		}
	}
	return text
}

// arguments draws arguments: those that are required, and some of the others.
func (d *drawer) arguments(of *ast.Definition, f *ast.FieldDefinition) string {
	var all []string
	for _, a := range f.Arguments {
		if !a.Type.NonNull && a.Name != "first" && d.IntN(3) > 0 || a.Name == "last" || a.Name == "before" || a.Name == "after" && d.IntN(4) > 0 {
			continue
		}
		about := a.Name
		if about == "id" || about == "ids" {
			about = f.Type.Name()
		}
		if a.Name == "input" {
			about = of.Name + " " + d.s.Types[f.Type.Name()].Fields[0].Type.Name()
		}
		all = append(all, a.Name+": "+d.value(a.Type, a.Name, about, 4))
	}
	if len(all) == 0 {
		return ""
	}
	return "(" + strings.Join(all, ", ") + ")"
}

// value draws a value as GraphQL writes it: name is what the argument or the field is called, about what it belongs to.
func (d *drawer) value(t *ast.Type, name, about string, depth int) string {
	if t.Elem != nil {
		var all []string
		for range 1 + d.IntN(2) {
			all = append(all, d.value(t.Elem, name, about, depth))
		}
		return "[" + strings.Join(all, ", ") + "]"
	}
	if !t.NonNull && d.IntN(30) == 0 {
		return "null"
	}
	def := d.s.Types[t.Name()]
	switch def.Kind { //nolint:exhaustive // inputs are of no other kinds
	case ast.Enum:
		return def.EnumValues[d.IntN(len(def.EnumValues))].Name
	case ast.InputObject:
		if def.Name == "LabelInput" {
			return d.label()
		}
		return d.input(def, name, about, depth)
	}
	quoted := func(text string) string {
		raw, err := json.Marshal(text)
		if err != nil {
			panic(err)
		}
		return string(raw)
	}
	switch def.Name {
	case "ID":
		return quoted(d.id(name, about))
	case "Boolean":
		return fmt.Sprint(d.IntN(2) == 0)
	case "Int":
		return fmt.Sprint(1 + d.IntN(5))
	case "Float":
		return fmt.Sprint(d.IntN(100))
	case "Revision":
		return fmt.Sprint(d.IntN(120))
	case "DateTime", "Date":
		return quoted(d.moment(name).Format(map[string]string{"DateTime": time.RFC3339, "Date": time.DateOnly}[def.Name]))
	case "Duration":
		return fmt.Sprintf("\"PT%dM\"", 30+d.IntN(600))
	case "URL":
		return `"https://example.com/runbook"`
	case "JSON":
		return d.object()
	case "JSONValue":
		return quoted(d.words[d.IntN(len(d.words))])
	case "_Any":
		return fmt.Sprintf("{__typename: %q, id: %q}", "CI", d.id("ci", "CI"))
	}
	return quoted(d.text(name))
}

// input draws an input: what is required, and of the rest up to three fields.
func (d *drawer) input(def *ast.Definition, name, about string, depth int) string {
	var chosen, optional ast.FieldList
	for _, f := range def.Fields {
		switch nests := f.Name == "and" || f.Name == "or" || f.Name == "not"; {
		case f.Type.NonNull && f.DefaultValue == nil:
			chosen = append(chosen, f)
		case f.Name == "expectedVersion" && d.IntN(10) > 0, depth == 0, nests && d.IntN(4) > 0:
		default:
			optional = append(optional, f)
		}
	}
	d.Shuffle(len(optional), func(i, j int) { optional[i], optional[j] = optional[j], optional[i] })
	least := 0
	if len(chosen) == 0 {
		least = 1 // an operator, or one of several operations
	}
	chosen = append(chosen, optional[:min(len(optional), max(least, d.IntN(4)*d.IntN(2)))]...)
	all := make([]string, len(chosen))
	for i, f := range chosen {
		of, called := about, f.Name
		switch {
		case f.Name != "id" && f.Name != "eq" && f.Name != "in":
			if of = def.Name; f.Name == "ids" {
				of = about
			}
		case strings.HasSuffix(def.Name, "Input") && !strings.HasPrefix(about, "Mutation"), def.Name == "IDFilter", def.Name == "CodeFilter":
			called = name
		}
		if strings.HasPrefix(about, "Mutation") && f.Name == "id" {
			_, of, _ = strings.Cut(about, " ")
		}
		all[i] = f.Name + ": " + d.value(f.Type, called, of, max(0, depth-1))
	}
	return "{" + strings.Join(all, ", ") + "}"
}

// kinds are those that the ids mean which arguments and fields are called so, by parts of their names.
var kinds = []struct {
	part string
	kind ident.Kind
}{
	{"dependencygroup", ident.DependencyGroup},
	{"relationship", ident.Relationship},
	{"removed", ident.Relationship},
	{"group", ident.DependencyGroup},
	{"window", ident.ChangeWindow},
	{"template", ident.ChangeTemplate},
	{"policy", ident.ApprovalPolicy},
	{"calendar", ident.Calendar},
	{"target", ident.CI},
	{"incident", ident.Incident},
	{"parent", ident.Incident},
	{"change", ident.Change},
	{"service", ident.Service},
	{"team", ident.Team},
	{"person", ident.Person},
	{"caller", ident.Person},
	{"assignee", ident.Person},
	{"requester", ident.Person},
	{"ci", ident.CI},
}

// id draws an id: mostly one of the kind that the names mean, now and then any.
func (d *drawer) id(name, about string) string {
	kind := ident.CI
	for _, of := range []string{name, about} {
		for _, k := range kinds {
			if of := strings.ToLower(of); strings.Contains(of, k.part) && d.IntN(15) > 0 {
				return d.of(k.kind)
			}
		}
	}
	if about == "Node" || d.IntN(6) == 0 {
		all := slices.Collect(func(yield func(ident.Kind) bool) {
			for _, k := range kinds {
				if !yield(k.kind) {
					return
				}
			}
		})
		kind = all[d.IntN(len(all))]
	}
	return d.of(kind)
}

func (d *drawer) of(kind ident.Kind) string {
	ids := d.ids[kind]
	if rare := d.rare[kind]; len(rare) > 0 && (d.IntN(6) == 0 || len(ids) == 0) {
		ids = rare
	}
	if len(ids) == 0 {
		return ident.New(kind, 1).String()
	}
	return ids[d.IntN(len(ids))]
}

func (d *drawer) text(name string) string {
	if (name == "after" || name == "before") && len(d.cursors) > 0 {
		return d.cursors[d.IntN(len(d.cursors))]
	}
	if of := d.texts[name]; len(of) > 0 && d.IntN(8) > 0 {
		return of[d.IntN(len(of))]
	}
	return d.words[d.IntN(len(d.words))]
}

// moment draws a time near now; those that begin something lie before those that end it.
func (d *drawer) moment(name string) time.Time {
	at := d.now.Add(time.Duration(d.IntN(48)-24) * time.Hour)
	switch {
	case name == "to" || strings.Contains(name, "End") || name == "lt" || strings.Contains(name, "Until"):
		return at.Add(5 * 24 * time.Hour)
	case strings.Contains(name, "Start") || strings.Contains(name, "starts"):
		return at.Add(48 * time.Hour)
	case strings.Contains(name, "detected"):
		return d.now.Add(-time.Hour)
	}
	return at.Add(-48 * time.Hour)
}

// label draws a label to set or to remove.
func (d *drawer) label() string {
	for name, value := range d.labels[d.IntN(len(d.labels))] { // they have one each
		if d.IntN(10) == 0 {
			return fmt.Sprintf("{name: %q, value: null}", name)
		}
		return fmt.Sprintf("{name: %q, value: %q}", name, value)
	}
	return `{name: "zone"}`
}

// object draws attributes.
func (d *drawer) object() string {
	labels := d.labels[d.IntN(len(d.labels))]
	var all []string
	for name, value := range labels {
		text, err := json.Marshal(value)
		if err != nil {
			panic(err)
		}
		all = append(all, name+": "+string(text))
	}
	slices.Sort(all)
	return "{" + strings.Join(all, ", ") + "}"
}
