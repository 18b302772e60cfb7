package guard

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// node is one response key of an operation, with all fragments and repeats that ask for it merged. Or it is a value of
// an argument that costs something.
type node struct {
	key      string
	field    *ast.Field
	value    *ast.Value // of the argument; nil for a response key
	input    *ast.Type  // of the argument, if fields of it cost something
	base     int        // the cost that it has once
	weight   int        // the cost that it has each time it occurs
	kind     kind
	sizes    []size
	children []*node
}

// outliner makes the tree of an operation's answer, in which each selection occurs once for each place that selects it.
// The number of places is bounded, so that 2^n fragments cost no more than a large document.
type outliner struct {
	schema    *ast.Schema
	limits    Limits
	fragments map[string]*ast.FragmentDefinition
	left      int // selections that may still be met
	refused   *gqlerror.Error

	arguments []*node             // values that cost something, those that are remembered once
	inputs    map[string]bool     // in which a field costs something
	seen      map[*ast.Value]bool // their places in the document
	priced    map[string]bool     // their contents
}

// outline returns the tree of one operation's answer, and checks its depth and its repetitions. The operation need not
// be valid.
func (g *Guard) outline(doc *ast.QueryDocument, op *ast.OperationDefinition) (*node, *gqlerror.Error) {
	o := outliner{
		schema: g.schema, limits: g.limits, left: g.limits.Selections, fragments: make(map[string]*ast.FragmentDefinition, len(doc.Fragments)),
		inputs: g.inputs, seen: map[*ast.Value]bool{}, priced: map[string]bool{},
	}
	for _, f := range doc.Fragments {
		if _, ok := o.fragments[f.Name]; !ok {
			o.fragments[f.Name] = f
		}
	}
	var root *ast.Definition
	switch op.Operation {
	case ast.Query:
		root = g.schema.Query
	case ast.Mutation:
		root = g.schema.Mutation
	case ast.Subscription:
		root = g.schema.Subscription
	}
	n := &node{}
	n.children = o.merge([]part{{op.SelectionSet, root}}, n, 1)
	n.children = append(n.children, o.arguments...)
	return n, o.refused
}

// part is a selection set on a type, which is nil if it is unknown.
type part struct {
	set ast.SelectionSet
	on  *ast.Definition
}

// group holds the fields that answer under one response key.
type group struct {
	node  *node
	parts []part
	count int
}

// level holds the selection sets that are merged into one object of the answer.
type level struct {
	groups  []*group
	byKey   map[string]*group
	spread  map[string]bool
	aliases int
}

func (o *outliner) merge(parts []part, parent *node, depth int) []*node {
	l := level{byKey: map[string]*group{}}
	for _, p := range parts {
		o.collect(&l, p, parent)
	}
	if len(l.groups) == 0 || o.refused != nil {
		return nil
	}
	if depth > o.limits.Depth {
		first := l.groups[0].node
		o.refuse(errs.TooDeep, first.field.Position, "the field %s lies deeper than %d fields within each other, which is the limit", first.key, o.limits.Depth)
		return nil
	}
	nodes := make([]*node, 0, len(l.groups))
	for _, g := range l.groups {
		if len(g.parts) > 0 {
			g.node.children = o.merge(g.parts, g.node, depth+1)
		}
		if o.refused != nil {
			return nil
		}
		nodes = append(nodes, g.node)
	}
	return nodes
}

// collect sorts the fields of a selection set and its fragments by response key, as an executor does.
func (o *outliner) collect(l *level, p part, parent *node) {
	for _, selection := range p.set {
		if o.left--; o.left < 0 {
			o.refuse(errs.TooCostly, position(selection), "with its fragments written out the operation has more than %d selections, which is the limit", o.limits.Selections)
		}
		if o.refused != nil {
			return
		}
		switch s := selection.(type) {
		case *ast.Field:
			o.add(l, p.on, s, parent)
		case *ast.InlineFragment:
			on := p.on
			if s.TypeCondition != "" {
				on = o.schema.Types[s.TypeCondition]
			}
			o.collect(l, part{s.SelectionSet, on}, parent)
		case *ast.FragmentSpread:
			f, ok := o.fragments[s.Name]
			if !ok || l.spread[s.Name] {
				continue
			}
			if l.spread == nil {
				l.spread = map[string]bool{}
			}
			l.spread[s.Name] = true
			o.collect(l, part{f.SelectionSet, o.schema.Types[f.TypeCondition]}, parent)
		}
	}
}

func (o *outliner) add(l *level, on *ast.Definition, f *ast.Field, parent *node) {
	var def *ast.FieldDefinition
	if on != nil {
		def = on.Fields.ForName(f.Name)
	}
	g, ok := l.byKey[f.Alias]
	if !ok {
		g = &group{node: &node{key: f.Alias, field: f}}
		l.byKey[f.Alias] = g
		l.groups = append(l.groups, g)
		if f.Alias != f.Name {
			if l.aliases++; l.aliases > o.limits.Aliases {
				o.refuse(errs.TooLarge, f.Position, "the field %s is asked under another alias, and more than %d aliases in one selection set are too many", f.Name, o.limits.Aliases)
				return
			}
		}
	}
	if g.count++; g.count > o.limits.Aliases {
		o.refuse(errs.TooLarge, f.Position, "the field %s is asked more than %d times in one selection set, which is the limit", f.Alias, o.limits.Aliases)
		return
	}
	var of *ast.Definition
	if def != nil {
		of = o.schema.Types[def.Type.Name()]
		g.node.measure(on, f, def, of, parent)
		o.measureArguments(f, def)
	}
	if len(f.SelectionSet) > 0 {
		g.parts = append(g.parts, part{f.SelectionSet, of})
	}
}

func (o *outliner) refuse(code errs.Code, at *ast.Position, format string, args ...any) {
	if o.refused == nil {
		o.refused = Refuse(code, at, format, args...)
	}
}
