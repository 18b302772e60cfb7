package server

import (
	"context"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

const depthLimit = 15 // of fields within fields; introspection needs 13

// guard admits operations: by depth, and by asking the policy for every field, before anything is resolved.
type guard struct{}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationContextMutator
} = guard{}

// ExtensionName names the guard.
func (guard) ExtensionName() string { return "Guard" }

// Validate accepts every schema.
func (guard) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext refuses an operation that must not run.
func (guard) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	actor, known := auth.From(ctx)
	if !known {
		return refusal(errs.Unauthenticated, "nobody is signed in", nil)
	}
	w := walk{actor: actor, fragments: map[string]int{}}
	if op.Operation.Operation != ast.Mutation { // mutations say which input is wrong
		w.isQuery = true
		w.checkText(op.Variables, op.Operation.Position)
	}
	if w.depth(op.Operation.SelectionSet, parentOf(op.Operation)) > depthLimit && w.refused == nil {
		w.refused = refusal("QUERY_TOO_DEEP", "the operation nests fields deeper than 15", op.Operation.Position)
	}
	return w.refused
}

func parentOf(op *ast.OperationDefinition) string {
	switch op.Operation {
	case ast.Mutation:
		return "Mutation"
	case ast.Subscription:
		return "Subscription"
	case ast.Query:
	}
	return "Query"
}

func refusal(code errs.Code, message string, at *ast.Position) *gqlerror.Error {
	e := gqlerror.ErrorPosf(at, "%s", message)
	e.Extensions = map[string]any{"code": code}
	return e
}

// walk visits each selection once: fragments are remembered, so that spreading one often costs nothing.
type walk struct {
	actor     auth.Actor
	isQuery   bool
	fragments map[string]int
	refused   *gqlerror.Error
}

// depth is how deep a selection set nests. On the way it asks the policy for each field.
func (w *walk) depth(set ast.SelectionSet, parent string) int {
	deepest := 0
	for _, selection := range set {
		here := 0
		switch s := selection.(type) {
		case *ast.Field:
			if s.ObjectDefinition != nil {
				parent = s.ObjectDefinition.Name
			}
			if s.Name != "__typename" && !isIntrospection(s.Name) && !auth.MayRead(w.actor, parent, s.Name) && w.refused == nil {
				w.refused = refusal(errs.Forbidden, w.actor.Name+" may not read "+parent+"."+s.Name, s.Position)
			}
			if w.isQuery {
				for _, argument := range s.Arguments {
					w.checkLiteral(argument.Value)
				}
			}
			here = 1 + w.depth(s.SelectionSet, "")
		case *ast.InlineFragment:
			here = w.depth(s.SelectionSet, s.TypeCondition)
		case *ast.FragmentSpread:
			known, seen := w.fragments[s.Name]
			if !seen {
				w.fragments[s.Name] = 0 // validation has refused cycles
				known = w.depth(s.Definition.SelectionSet, s.Definition.TypeCondition)
				w.fragments[s.Name] = known
			}
			here = known
		}
		deepest = max(deepest, here)
	}
	return deepest
}

// checkText refuses text with NUL: PostgreSQL does not take it, and nothing that is recorded has it.
func (w *walk) checkText(value any, at *ast.Position) {
	switch v := value.(type) {
	case string:
		if strings.ContainsRune(v, 0) && w.refused == nil {
			w.refused = refusal(errs.BadUserInput, "a text holds the character NUL", at)
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
