package main

import (
	"regexp"
	"strings"
)

// lean rewrites a generated file, function by function. What it does not know it leaves as it is.
func lean(text string) string {
	scalars := map[string]bool{}
	for _, part := range scalarField.FindAllStringSubmatch(text, -1) {
		scalars[part[1]] = true
	}
	functions := strings.Split(text, "\nfunc ")
	for i, f := range functions {
		if strings.Contains(f, "WithRootFieldContext") || strings.Contains(f, "RootResolverMiddleware") {
			continue // root fields run side by side, under their interceptor
		}
		f = deferred.ReplaceAllString(f, "")
		f = concurrent.ReplaceAllStringFunc(f, inTurn)
		f = strings.ReplaceAll(f, "atomic.AddUint32(&out.Invalids, 1)", "out.Invalids++")
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

// inTurn is a field that ran in a goroutine, run in its turn.
func inTurn(block string) string {
	part := concurrent.FindStringSubmatch(block)
	text := part[1] + "out.Values[i] = " + part[2] + "\n"
	if part[3] != "" {
		text += part[1] + "if out.Values[i] == graphql." + part[3] + " {\n" + part[1] + "\tout.Invalids++\n" + part[1] + "}\n"
	}
	return text
}

var (
	// scalarField is how the context of a field without children is made.
	scalarField = regexp.MustCompile(`fieldContext_([\p{L}\p{N}_]+)\([^\n]*\n\treturn graphql\.NewScalarFieldContext\(`)
	// deferred is what an object does for @defer, whether there is any or not.
	deferred = regexp.MustCompile(`(?s)\tdeferredFieldSet := graphql\.NewFieldSet\(nil\)\n\tdeferLabelToView := [^\n]*\n|` +
		`\tatomic\.AddInt32\(&ec\.Deferred, [^\n]*\n\n\tec\.ProcessDeferredGroup\(graphql\.DeferredGroup\{.*?\n\t\}\)\n\n?`)
	// concurrent is a field that runs in a goroutine.
	concurrent = regexp.MustCompile(`(?s)(\t+)field := field\n\n\t+innerFunc := func\(ctx context\.Context, fs \*graphql\.FieldSet\) \(res graphql\.Marshaler\) \{\n` +
		`\t+defer func\(\) \{\n.*?\n\t+\}\(\)\n\t+res = ([^\n]*)\n(?:\t+if res == graphql\.([\p{L}\p{N}_]+) \{\n[^\n]*\n\t+\}\n)?\t+return res\n\t+\}\n\n` +
		`\t+if field\.IsDeferred\(\) \{\n.*?\n\t+continue\n\t+\}\n\n\t+out\.Concurrently\(i, [^\n]*\n`)
	slice = regexp.MustCompile(`graphql\.MarshalSliceConcurrently\(\s*ctx,\s*len\(v\),\s*0,\s*false,\s*`)
	// plainField is a field whose value lies in the record.
	plainField = regexp.MustCompile(`(?s)\treturn graphql\.ResolveField\(\n\t\tctx,\n\t\tec\.OperationContext,\n\t\tfield,\n\t\tfunc\([^\n]*\n\t\t\treturn ec\.fieldContext_([\p{L}\p{N}_]+)\(ctx, field\)\n\t\t\},\n` +
		`\t\tfunc\(ctx context\.Context\) \(any, error\) \{\n\t\t\treturn (obj\.[\p{L}\p{N}_]+(?:\(\))?), nil\n\t\t\},\n\t\tnil,\n\t\tfunc\([^\n]*\n\t\t\treturn ec\.([\p{L}\p{N}_]+)\(ctx, selections, v\)\n\t\t\},\n\t\ttrue,\n\t\t(?:true|false),\n\t\)\n`)
	// resolved is any other field, without middleware.
	resolved = regexp.MustCompile(`(?s)graphql\.ResolveField\(\n(\t\tctx,\n\t\tec\.OperationContext,\n.*?)\t\tnil,\n(\t\tfunc\(ctx context\.Context, selections ast\.SelectionSet, [^\n]*\n.*?\n\t\t\},\n)\t\ttrue,\n(\t\t(?:true|false)),\n\t\)\n`)
)
