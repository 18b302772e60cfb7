package guard

import (
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// enough ends a validation that has found enough.
type enough struct{}

// validate checks a document by the rules of GraphQL and stops at the first Limits.Errors errors: there may be
// thousands, and each takes time to word.
func (g *Guard) validate(doc *ast.QueryDocument) (problems gqlerror.List) {
	defer func() {
		if p := recover(); p != nil && p != (enough{}) {
			panic(p)
		}
	}()
	stopping := rules.NewRules()
	for name, rule := range rules.NewDefaultRules().GetInner() {
		stopping.AddRule(name, func(observers *core.Events, _ core.AddErrFunc) {
			rule(observers, func(options ...core.ErrorOption) {
				problem := &gqlerror.Error{Rule: name}
				for _, option := range options {
					option(problem)
				}
				errcode.Set(problem, errcode.ValidationFailed)
				if problems = append(problems, problem); len(problems) == g.limits.Errors {
					panic(enough{})
				}
			})
		})
	}
	_ = validator.ValidateWithRules(g.schema, doc, stopping) // the errors are in problems
	return problems
}
