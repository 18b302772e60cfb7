package server

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
)

// policy asks for every field of an operation whether the caller may read it, before anything is resolved.
type policy struct{}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationContextMutator
} = policy{}

// ExtensionName returns "Policy".
func (policy) ExtensionName() string { return "Policy" }

// Validate refuses a schema with an interface that shows a field its objects hide.
func (policy) Validate(s graphql.ExecutableSchema) error { return tight(s.Schema(), auth.MayRead) }

// tight returns an error at the first field that somebody may read on an interface and not on an object of it. The
// policy judges an operation by the types that it names, so that the interface would be a way round the object's rule.
func tight(schema *ast.Schema, mayRead func(a auth.Actor, typeName, field string) bool) error {
	for _, name := range slices.Sorted(maps.Keys(schema.Types)) {
		shown := schema.Types[name]
		if shown.Kind != ast.Interface {
			continue
		}
		for _, field := range shown.Fields {
			for _, object := range schema.GetPossibleTypes(shown) {
				for _, role := range auth.AllRoles {
					a := auth.Actor{Roles: []auth.Role{role}}
					if mayRead(a, name, field.Name) && !mayRead(a, object.Name, field.Name) {
						return fmt.Errorf("the policy lets %s read %s.%s and not %s.%s: give both the same rule", role, name, field.Name, object.Name, field.Name)
					}
				}
			}
		}
	}
	return nil
}

// MutateOperationContext refuses an operation that must not run.
func (policy) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	actor, ok := auth.From(ctx)
	if !ok {
		return guard.Refuse(errs.Unauthenticated, nil, "nobody is signed in")
	}
	w := walk{actor: actor, fragments: map[string]bool{}}
	if op.Operation.Operation != ast.Mutation { // mutations say which input is wrong
		w.isQuery = true
		w.checkText(op.Variables, op.Operation.Position)
	}
	w.visit(op.Operation.SelectionSet)
	return w.refused
}

// walk visits each selection once: fragments are remembered, so that spreading one often costs nothing.
type walk struct {
	actor     auth.Actor
	isQuery   bool
	fragments map[string]bool
	refused   *gqlerror.Error
}

// visit asks the policy for each field of a selection set and below.
func (w *walk) visit(set ast.SelectionSet) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			parent := s.ObjectDefinition.Name
			if s.Name != "__typename" && !isIntrospection(s.Name) && !auth.MayRead(w.actor, parent, s.Name) && w.refused == nil {
				w.refused = guard.Refuse(errs.Forbidden, s.Position, "%s may not read %s.%s", w.actor.Name, parent, s.Name)
			}
			if w.isQuery {
				for _, argument := range s.Arguments {
					w.checkLiteral(argument.Value)
				}
			}
			w.visit(s.SelectionSet)
		case *ast.InlineFragment:
			w.visit(s.SelectionSet)
		case *ast.FragmentSpread:
			if !w.fragments[s.Name] {
				w.fragments[s.Name] = true
				w.visit(s.Definition.SelectionSet)
			}
		}
	}
}

// checkText refuses text with NUL: PostgreSQL does not take it, and no record has it.
func (w *walk) checkText(value any, at *ast.Position) {
	switch v := value.(type) {
	case string:
		if strings.ContainsRune(v, 0) && w.refused == nil {
			w.refused = guard.Refuse(errs.BadUserInput, at, "a text holds the character NUL")
		}
	case []any:
		for _, e := range v {
			w.checkText(e, at)
		}
	case map[string]any:
		for name, e := range v {
			w.checkText(name, at)
			w.checkText(e, at)
		}
	}
}

func (w *walk) checkLiteral(v *ast.Value) {
	w.checkText(v.Raw, v.Position)
	for _, child := range v.Children {
		w.checkLiteral(child.Value)
	}
}

// isIntrospection reports whether a field of Query shows the schema, which is public.
func isIntrospection(field string) bool { return field == "__schema" || field == "__type" }
