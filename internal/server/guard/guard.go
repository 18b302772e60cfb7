package guard

import (
	"context"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/server/recent"
)

// Guard admits operations on one schema.
type Guard struct {
	schema    *ast.Schema
	limits    Limits
	inputs    map[string]bool // in which a field costs something
	documents *recent.Cache[*Document]
	turns     turns
}

// New returns a guard of operations on a schema.
func New(schema *ast.Schema, limits Limits) *Guard {
	return &Guard{schema: schema, limits: limits, inputs: costlyInputs(schema), documents: recent.New[*Document](limits.Documents), turns: newTurns()}
}

// Limits returns the limits of operations.
func (g *Guard) Limits() Limits { return g.limits }

// Remembered returns about how many bytes the kept documents take.
func (g *Guard) Remembered() int { return g.documents.Bytes() }

// Document is a document that may run: within the limits, and valid.
type Document struct {
	AST  *ast.QueryDocument
	cost map[*ast.OperationDefinition]*node
	size int // bytes of memory, estimated
}

// Admission is the document and the cost of an admitted operation.
type Admission struct {
	Document *Document
	Cost     int
}

// Admit returns the document of an operation that may run, or the reasons why it may not, with the codes
// QUERY_TOO_LARGE, QUERY_TOO_DEEP, COMPLEXITY_LIMIT_EXCEEDED, GRAPHQL_PARSE_FAILED, GRAPHQL_VALIDATION_FAILED, at most
// Limits.Errors of them. Its time grows with the limits and never with the request. It remembers the documents it
// admits.
func (g *Guard) Admit(query, operation string, variables map[string]any) (Admission, gqlerror.List) {
	if refused := g.checkVariables(variables); refused != nil {
		return Admission{}, gqlerror.List{refused}
	}
	doc, ok := g.documents.Find(query)
	if !ok {
		var problems gqlerror.List
		if doc, problems = g.read(query, operation, variables); problems != nil {
			return Admission{}, problems
		}
		g.documents.Keep(query, doc, doc.size)
	}
	cost, refused := g.price(doc, operation, variables)
	if refused != nil {
		return Admission{}, gqlerror.List{refused}
	}
	return Admission{Document: doc, Cost: cost}, nil
}

// read parses and checks a document that is not remembered, the cheap checks first.
func (g *Guard) read(query, operation string, variables map[string]any) (*Document, gqlerror.List) {
	if len(query) > g.limits.Document {
		return nil, gqlerror.List{Refuse(errs.TooLarge, nil, "the document has %d bytes, and %d is the limit", len(query), g.limits.Document)}
	}
	query, refused := unescape(query)
	if refused != nil {
		return nil, gqlerror.List{refused}
	}
	defer g.turns.take()()
	parsed, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, g.limits.Tokens)
	if err != nil {
		return nil, gqlerror.List{g.parseFailure(err)}
	}
	if len(parsed.Operations) == 0 {
		problem := gqlerror.Errorf("the document holds no operation")
		errcode.Set(problem, errcode.ValidationFailed)
		return nil, gqlerror.List{problem}
	}
	doc := &Document{AST: parsed, cost: map[*ast.OperationDefinition]*node{}}
	elements, refused := g.checkShape(parsed)
	if refused != nil {
		return nil, gqlerror.List{refused}
	}
	doc.size = len(query) + len(query)/8 + (elements+4)*elementSize
	for _, op := range parsed.Operations {
		if doc.cost[op], refused = g.outline(parsed, op); refused != nil {
			return nil, gqlerror.List{refused}
		}
	}
	// A document that is too costly need not be found valid first, which costs more than to price it.
	if _, refused = g.price(doc, operation, variables); refused != nil {
		return nil, gqlerror.List{refused}
	}
	if problems := g.validate(parsed); problems != nil {
		return nil, problems
	}
	return doc, nil
}

// parseFailure returns a parser's error with its code.
func (g *Guard) parseFailure(err error) *gqlerror.Error {
	problem, ok := err.(*gqlerror.Error) //nolint:errorlint // what the parser makes, never wrapped
	if !ok {
		problem = gqlerror.WrapPath(nil, err)
	}
	switch {
	case strings.HasPrefix(problem.Message, "exceeded token limit"):
		return Refuse(errs.TooLarge, nil, "the document has more than %d tokens, which is the limit", g.limits.Tokens)
	case strings.HasPrefix(problem.Message, "exceeded maximum nesting depth"):
		refused := Refuse(errs.TooDeep, nil, "the document nests deeper than %d", parser.MaxNestingDepth)
		refused.Locations = problem.Locations
		return refused
	}
	errcode.Set(problem, errcode.ParseFailed)
	return problem
}

// Refuse returns an error with a code, at the place of the document that is to blame, if there is one.
func Refuse(code errs.Code, at *ast.Position, format string, args ...any) *gqlerror.Error {
	refused := gqlerror.Errorf(format, args...)
	if at != nil {
		refused.Locations = []gqlerror.Location{{Line: at.Line, Column: at.Column}}
	}
	refused.Extensions = map[string]any{"code": code}
	return refused
}

type admittedKey struct{}

// With returns a context in which an operation is admitted.
func With(ctx context.Context, a Admission) context.Context {
	return context.WithValue(ctx, admittedKey{}, a)
}

// From returns the admission of ctx, and reports whether there is one.
func From(ctx context.Context) (Admission, bool) {
	a, ok := ctx.Value(admittedKey{}).(Admission)
	return a, ok
}

// Admitted gives gqlgen's executor the document that was admitted, so that it is neither parsed nor validated twice.
type Admitted struct{}

var _ graphql.Cache[*ast.QueryDocument] = Admitted{}

// Get returns the document of ctx.
func (Admitted) Get(ctx context.Context, _ string) (*ast.QueryDocument, bool) {
	a, ok := From(ctx)
	if !ok {
		return nil, false
	}
	return a.Document.AST, true
}

// Add does nothing: the guard keeps documents.
func (Admitted) Add(context.Context, string, *ast.QueryDocument) {}
