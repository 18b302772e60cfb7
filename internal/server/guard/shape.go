package guard

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// elementSize is about how many bytes one selection, argument or value takes in memory.
const elementSize = 500

// shape checks each element of a document once, in the order in which it is written.
type shape struct {
	limits     Limits
	elements   int // selections, arguments, values, directives
	selections int // in the definition at hand
	directives int
	refused    *gqlerror.Error
}

// checkShape checks each definition by itself, and how often a validator would walk each: it walks every fragment again
// for each definition that reaches it.
func (g *Guard) checkShape(doc *ast.QueryDocument) (elements int, refused *gqlerror.Error) {
	s := shape{limits: g.limits}
	type definition struct {
		set  ast.SelectionSet
		size int
	}
	definitions := make([]definition, 0, len(doc.Operations)+len(doc.Fragments))
	for _, op := range doc.Operations {
		s.name(op.Name, op.Position)
		for _, v := range op.VariableDefinitions {
			s.name(v.Variable, v.Position)
			s.typed(v.Type, v.Position)
			s.value(v.DefaultValue, 0)
			s.directive(v.Directives)
		}
		s.directive(op.Directives)
		definitions = append(definitions, definition{op.SelectionSet, s.count(op.SelectionSet)})
	}
	fragments := make(map[string]definition, len(doc.Fragments))
	for _, f := range doc.Fragments {
		s.name(f.Name, f.Position)
		s.name(f.TypeCondition, f.Position)
		s.directive(f.Directives)
		d := definition{f.SelectionSet, s.count(f.SelectionSet)}
		definitions = append(definitions, d)
		if _, ok := fragments[f.Name]; !ok {
			fragments[f.Name] = d
		}
	}
	if s.refused != nil {
		return 0, s.refused
	}
	walked := 0
	for _, d := range definitions {
		seen := map[string]bool{}
		open := []ast.SelectionSet{d.set}
		for walked += d.size; len(open) > 0; {
			set := open[len(open)-1]
			open = open[:len(open)-1]
			for _, selection := range set {
				switch sel := selection.(type) {
				case *ast.Field:
					if len(sel.SelectionSet) > 0 {
						open = append(open, sel.SelectionSet)
					}
				case *ast.InlineFragment:
					open = append(open, sel.SelectionSet)
				case *ast.FragmentSpread:
					if f, ok := fragments[sel.Name]; ok && !seen[sel.Name] {
						seen[sel.Name] = true
						open = append(open, f.set)
						walked += f.size
					}
				}
			}
			if walked > g.limits.Selections {
				return 0, Refuse(errs.TooLarge, nil, "with its fragments written out the document has more than %d selections, which is the limit", g.limits.Selections)
			}
		}
	}
	return s.elements, nil
}

// count checks a definition's selections and returns their number.
func (s *shape) count(set ast.SelectionSet) int {
	s.selections = 0
	s.selection(set, 1)
	return s.selections
}

func (s *shape) selection(set ast.SelectionSet, depth int) {
	if len(set) > 0 && depth > 2*s.limits.Depth { // inline fragments add no depth to the answer
		s.refuse(errs.TooDeep, position(set[0]), "selections nest deeper than %d levels, which is the limit", 2*s.limits.Depth)
		return
	}
	s.selections += len(set)
	s.elements += len(set)
	for _, selection := range set {
		if s.refused != nil {
			return
		}
		switch sel := selection.(type) {
		case *ast.Field:
			s.name(sel.Name, sel.Position)
			s.name(sel.Alias, sel.Position)
			s.argument(sel.Arguments)
			s.directive(sel.Directives)
			s.selection(sel.SelectionSet, depth+1)
		case *ast.InlineFragment:
			s.name(sel.TypeCondition, sel.Position)
			s.directive(sel.Directives)
			s.selection(sel.SelectionSet, depth+1)
		case *ast.FragmentSpread:
			s.name(sel.Name, sel.Position)
			s.directive(sel.Directives)
		}
	}
}

func position(sel ast.Selection) *ast.Position {
	switch s := sel.(type) {
	case *ast.Field:
		return s.Position
	case *ast.InlineFragment:
		return s.Position
	case *ast.FragmentSpread:
		return s.Position
	}
	return nil
}

func (s *shape) argument(all ast.ArgumentList) {
	s.elements += len(all)
	for _, a := range all {
		s.name(a.Name, a.Position)
		s.value(a.Value, 0)
	}
}

func (s *shape) directive(all ast.DirectiveList) {
	s.directives += len(all)
	s.elements += len(all)
	if len(all) > 0 && s.directives > s.limits.Directives {
		s.refuse(errs.TooLarge, all[0].Position, "the document has more than %d directives, which is the limit", s.limits.Directives)
		return
	}
	for _, d := range all {
		s.name(d.Name, d.Position)
		s.argument(d.Arguments)
	}
}

func (s *shape) value(v *ast.Value, depth int) {
	if v == nil || s.refused != nil {
		return
	}
	s.elements++
	if depth > s.limits.Nesting {
		s.refuse(errs.TooDeep, v.Position, "a value nests lists and objects deeper than %d, which is the limit", s.limits.Nesting)
		return
	}
	if v.Kind == ast.EnumValue || v.Kind == ast.Variable {
		s.name(v.Raw, v.Position)
	}
	for _, child := range v.Children {
		s.name(child.Name, child.Position)
		s.value(child.Value, depth+1)
	}
}

func (s *shape) typed(t *ast.Type, at *ast.Position) {
	for depth := 0; t != nil; depth++ {
		if depth > s.limits.Nesting {
			s.refuse(errs.TooDeep, at, "the type of a variable nests lists deeper than %d, which is the limit", s.limits.Nesting)
			return
		}
		s.name(t.NamedType, at)
		t = t.Elem
	}
}

func (s *shape) name(name string, at *ast.Position) {
	if len(name) > nameLimit {
		s.refuse(errs.TooLarge, at, "a name of %d characters is longer than %d, which is the limit", len(name), nameLimit)
	}
}

func (s *shape) refuse(code errs.Code, at *ast.Position, format string, args ...any) {
	if s.refused == nil {
		s.refused = Refuse(code, at, format, args...)
	}
}
