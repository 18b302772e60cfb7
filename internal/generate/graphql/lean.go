package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/codegen"
)

// inTurn lets fields run one after another. Root fields of queries run side by side.
type inTurn struct{}

func (inTurn) Name() string { return "fields in their turn" }

// GenerateCode changes what will be generated.
func (inTurn) GenerateCode(data *codegen.Data) error { //nolint:unparam // as the hook has it
	for _, object := range data.Objects {
		object.DisableConcurrency = object.DisableConcurrency || !object.Root
	}
	return nil
}

// lean rewrites a generated file, function by function. What it does not know it leaves as it is.
func lean(text string) string {
	scalars := map[string]bool{}
	for _, part := range scalarField.FindAllStringSubmatch(text, -1) {
		scalars[part[1]] = true
	}
	text = inputs.ReplaceAllString(text, "")
	text = rendered.ReplaceAllString(text, "\t$1 = lean.Render(data)\n")
	text = strings.Replace(text, "type executionContext struct {\n", "type executionContext struct {\n\tshapes lean.Shapes\n", 1)
	functions := slices.DeleteFunc(strings.Split(text, "\nfunc "), func(f string) bool { return strings.HasPrefix(f, "(ec *executionContext) childFields_") })
	for i, f := range functions {
		f = child.ReplaceAllString(f, "")
		if strings.Contains(f, "WithRootFieldContext") || strings.Contains(f, "RootResolverMiddleware") {
			continue // root fields run side by side, under their interceptor
		}
		f = deferred.ReplaceAllString(f, "")
		f = shaped.ReplaceAllString(f, "\tshape := ec.shapes.Of($1)\n\tfields, out := shape.Fields, lean.NewObject(shape)\n")
		f = strings.ReplaceAll(f, "\tout.Dispatch(ctx)\n", "")
		f = slice.ReplaceAllString(f, "lean.Slice(ctx, len(v), ")
		if part := plainField.FindStringSubmatch(f); part != nil && scalars[part[1]] {
			f = plainField.ReplaceAllString(f, "\treturn ec.$3(ctx, field.Selections, $2)\n")
		}
		functions[i] = resolved.ReplaceAllString(f, "lean.Resolve(\n$1$2$3,\n\t)\n")
	}
	text = strings.Join(functions, "\nfunc ")
	if strings.Contains(text, "lean.") {
		text = strings.Replace(text, "\nimport (\n", "\nimport (\n\t\"github.com/linchpin-cmdb/linchpin/graph/lean\"\n", 1)
	}
	return text
}

var (
	// scalarField is how the context of a field without children is made.
	scalarField = regexp.MustCompile(`fieldContext_([\p{L}\p{N}_]+)\([^\n]*\n\treturn graphql\.NewScalarFieldContext\(`)
	// deferred is what an object does for @defer, whether there is any or not.
	deferred = regexp.MustCompile(`(?s)\tdeferredFieldSet := graphql\.NewFieldSet\(nil\)\n\tdeferLabelToView := [^\n]*\n|` +
		`\tatomic\.AddInt32\(&ec\.Deferred, [^\n]*\n\n\tec\.ProcessDeferredGroup\(graphql\.DeferredGroup\{.*?\n\t\}\)\n\n?`)
	// shaped is how an object begins.
	shaped = regexp.MustCompile(`\tfields := graphql\.CollectFields\(([^\n]*)\)\n\n\tout := graphql\.NewFieldSet\(fields\)\n`)
	// inputs is how resolvers could read inputs by themselves: none does.
	inputs = regexp.MustCompile(`(?s)\tinputUnmarshalMap := graphql\.BuildUnmarshalerMap\(.*?\n\t\)\n|\tctx = graphql\.WithUnmarshalerMap\(ctx, inputUnmarshalMap\)\n`)
	// rendered is how an answer becomes a text.
	rendered = regexp.MustCompile(`\tvar buf bytes\.Buffer\n\s*data\.MarshalGQL\(&buf\)\n\s*(response\.Data) = buf\.Bytes\(\)\n`)
	// child is how a field's context makes those of its children, for whoever asks: nobody does.
	child = regexp.MustCompile(`(?s)\t\tChild: func\(.*?\n\t\t\},\n`)
	slice = regexp.MustCompile(`graphql\.MarshalSliceConcurrently\(\s*ctx,\s*len\(v\),\s*0,\s*false,\s*`)
	// plainField is a field whose value lies in the record.
	plainField = regexp.MustCompile(`(?s)\treturn graphql\.ResolveField\(\n\t\tctx,\n\t\tec\.OperationContext,\n\t\tfield,\n\t\tfunc\([^\n]*\n\t\t\treturn ec\.fieldContext_([\p{L}\p{N}_]+)\(ctx, field\)\n\t\t\},\n` +
		`\t\tfunc\(ctx context\.Context\) \(any, error\) \{\n\t\t\treturn (obj\.[\p{L}\p{N}_]+(?:\(\))?), nil\n\t\t\},\n\t\tnil,\n\t\tfunc\([^\n]*\n\t\t\treturn ec\.([\p{L}\p{N}_]+)\(ctx, selections, v\)\n\t\t\},\n\t\ttrue,\n\t\t(?:true|false),\n\t\)\n`)
	// resolved is any other field, without middleware.
	resolved = regexp.MustCompile(`(?s)graphql\.ResolveField\(\n(\t\tctx,\n\t\tec\.OperationContext,\n.*?)\t\tnil,\n(\t\tfunc\(ctx context\.Context, selections ast\.SelectionSet, [^\n]*\n.*?\n\t\t\},\n)\t\ttrue,\n(\t\t(?:true|false)),\n\t\)\n`)
)
