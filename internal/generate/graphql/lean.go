package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/codegen"
	"golang.org/x/tools/imports"
)

// inTurn makes fields run one after another. Root fields of queries run side by side.
type inTurn struct{}

func (inTurn) Name() string { return "fields in their turn" }

// GenerateCode disables the concurrency of all objects but the roots.
func (inTurn) GenerateCode(data *codegen.Data) error { //nolint:unparam // as the hook has it
	for _, object := range data.Objects {
		object.DisableConcurrency = object.DisableConcurrency || !object.Root
	}
	return nil
}

// makeLean rewrites the generated files of a folder. If a pattern does not find what it must, it returns an error and
// leaves them as gqlgen wrote them.
func makeLean(folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return err
	}
	s, texts := &slimmer{}, make([][]byte, len(files))
	for i, name := range files {
		text, err := os.ReadFile(name) //nolint:gosec // the files that were generated just now
		if err != nil {
			return err
		}
		texts[i] = []byte(s.lean(filepath.Base(name), string(text)))
	}
	if err := s.check(); err != nil {
		return err
	}
	for i, name := range files {
		text, err := imports.Process(name, texts[i], nil)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(name, text, 0o644); err != nil { //nolint:gosec // source is for everyone to read
			return err
		}
	}
	return nil
}

// pattern is code that gqlgen writes, and what it becomes.
type pattern struct {
	name string
	code *regexp.Regexp
	lean string
	left *regexp.Regexp // stands in a text in which code should have matched and did not; nil for nothing
}

// slimmer makes generated files lean and notes what its patterns have found.
type slimmer struct {
	file  string
	found map[string]int // by the name of a pattern
	left  []string       // what was not found
}

// check returns an error that names each pattern that found nothing, or less than there was.
func (s *slimmer) check() error {
	var wrong []error
	for _, p := range patterns {
		if s.found[p.name] == 0 {
			wrong = append(wrong, fmt.Errorf("pattern %q matches nothing", p.name))
		}
	}
	for _, left := range s.left {
		wrong = append(wrong, errors.New(left))
	}
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("gqlgen writes other code than lean.go knows; compare the patterns with its templates:\n%w", errors.Join(wrong...))
}

// replace replaces what a pattern matches.
func (s *slimmer) replace(p *pattern, text string) string {
	matches := p.code.FindAllStringSubmatchIndex(text, -1)
	s.note(p, len(matches))
	var out []byte
	from := 0
	for _, m := range matches {
		out = p.code.ExpandString(append(out, text[from:m[0]]...), p.lean, text, m)
		from = m[1]
	}
	text = string(out) + text[from:]
	if p.left != nil {
		if at := p.left.FindStringIndex(text); at != nil {
			s.miss(p, text, at[0])
		}
	}
	return text
}

func (s *slimmer) note(p *pattern, times int) {
	if s.found == nil {
		s.found = map[string]int{}
	}
	s.found[p.name] += times
}

// miss notes a place at which a pattern should have matched.
func (s *slimmer) miss(p *pattern, text string, at int) {
	within, _, _ := strings.Cut(text[max(0, strings.LastIndex(text[:at], "\nfunc ")):], "{\n")
	line, _, _ := strings.Cut(text[at:], "\n")
	s.left = append(s.left, fmt.Sprintf("pattern %q misses %q in %s: %.120s", p.name, line, s.file, strings.TrimSpace(within)))
}

// lean rewrites a generated file, function by function.
func (s *slimmer) lean(file, text string) string {
	s.file = file
	scalars, places := map[string]bool{}, map[string]string{}
	for _, part := range scalarField.FindAllStringSubmatch(text, -1) {
		scalars[part[1]] = true
	}
	for _, part := range simpleField.FindAllStringSubmatch(text, -1) {
		places[part[1]] = place(part[2]+part[5], part[3]+part[6], part[4]+part[7])
	}
	for _, p := range []*pattern{&inputs, &rendered, &shared, &unread} {
		text = s.replace(p, text)
	}
	functions := strings.Split(text, "\nfunc ")
	kept := slices.DeleteFunc(slices.Clone(functions), children.code.MatchString)
	s.note(&children, len(functions)-len(kept))
	for i, f := range kept {
		f = s.replace(&child, f)
		if strings.Contains(f, "WithRootFieldContext") || strings.Contains(f, "RootResolverMiddleware") {
			kept[i] = f
			continue // root fields run side by side, under their interceptor
		}
		for _, p := range []*pattern{&deferred, &shaped, &dispatched, &slice} {
			f = s.replace(p, f)
		}
		if part := plain.left.FindStringSubmatch(f); part != nil && scalars[part[1]] {
			f = s.replace(&plain, f)
		}
		f = s.replace(&forwarded, s.replace(&resolved, f))
		if part := opened.code.FindStringSubmatch(f); part != nil && strings.Contains(f, "lean.Resolve(") {
			at, ok := places[part[1]]
			if !ok {
				at = "lean.Place{Open: ec.fieldContext_" + part[1] + "}" // it has arguments
			}
			f = opened.code.ReplaceAllLiteralString(f, "\t\t"+at+",\n")
			s.note(&opened, 1)
		}
		kept[i] = f
	}
	text = s.dropUncalled(strings.Join(kept, "\nfunc "))
	if strings.Contains(text, "lean.") {
		text = strings.Replace(text, "\nimport (\n", "\nimport (\n\t\"github.com/linchpin-cmdb/linchpin/graph/lean\"\n", 1)
	}
	return text
}

// place writes where a field stands.
func place(object, isMethod, isResolver string) string {
	text := "lean.Place{Object: " + object
	if isMethod == "true" {
		text += ", IsMethod: true"
	}
	if isResolver == "true" {
		text += ", IsResolver: true"
	}
	return text + "}"
}

// dropUncalled deletes the functions that make contexts of fields which need none.
func (s *slimmer) dropUncalled(text string) string {
	called := map[string]bool{}
	for _, part := range call.FindAllStringSubmatch(text, -1) {
		called[part[1]] = true
	}
	begin, functions, ok := strings.Cut(text, "\nfunc ")
	if !ok {
		return text
	}
	var out strings.Builder
	out.WriteString(begin)
	for f := range strings.SplitSeq(functions, "\nfunc ") {
		if part := uncalled.code.FindStringSubmatch(f); part != nil && !called[part[1]] {
			_, after, _ := strings.Cut(f, "\n}\n")
			out.WriteString("\n" + after) // such as a variable that stands behind the function
			s.note(&uncalled, 1)
			continue
		}
		out.WriteString("\nfunc " + f)
	}
	return out.String()
}

// call is how the context of a field is made.
var call = regexp.MustCompile(`\bec\.fieldContext_([\p{L}\p{N}_]+)`)

// simpleField is the context of a field without arguments: the object, whether a method answers it, whether a resolver
// does.
var simpleField = regexp.MustCompile(`(?s)\) fieldContext_([\p{L}\p{N}_]+)\([^\n]*\n(?:` +
	`\treturn graphql\.NewScalarFieldContext\(("\w+"), field, (true|false), (true|false), [^\n]*\n\}|` +
	`\tfc = &graphql\.FieldContext\{\n\t\tObject: +("\w+"),\n\t\tField: +field,\n\t\tIsMethod: +(true|false),\n\t\tIsResolver: +(true|false),\n` +
	`(?:\t\tChild: func\([^\n]*\n(?:\t\t\t[^\n]*\n)*\t\t\},\n)?\t\}\n\treturn fc, nil\n\})`)

// scalarField is how the context of a field without children is made.
var scalarField = regexp.MustCompile(`fieldContext_([\p{L}\p{N}_]+)\([^\n]*\n\treturn graphql\.NewScalarFieldContext\(`)

// patterns are all that must be found in what gqlgen writes.
var patterns = []*pattern{&inputs, &rendered, &shared, &children, &child, &deferred, &shaped, &dispatched, &slice, &plain, &resolved, &forwarded, &opened, &uncalled, &unread}

var (
	inputs = pattern{
		name: "inputs", // how resolvers could read inputs by themselves: none does
		code: regexp.MustCompile(`(?s)\tinputUnmarshalMap := graphql\.BuildUnmarshalerMap\(.*?\n\t\)\n|\tctx = graphql\.WithUnmarshalerMap\(ctx, inputUnmarshalMap\)\n`),
		left: regexp.MustCompile(`graphql\.\w+UnmarshalerMap\(`),
	}
	rendered = pattern{
		name: "rendered", // how an answer becomes a text
		code: regexp.MustCompile(`\tvar buf bytes\.Buffer\n\s*data\.MarshalGQL\(&buf\)\n\s*(response\.Data) = buf\.Bytes\(\)\n`),
		lean: "\t$1 = lean.Render(data)\n",
		left: regexp.MustCompile(`response\.Data = buf\.`),
	}
	shared = pattern{
		name: "shared", // what all functions of an operation share
		code: regexp.MustCompile(`type executionContext struct \{\n`),
		lean: "${0}\tshapes lean.Shapes\n",
	}
	unread = pattern{
		name: "unread", // what becomes of a mutation whose input cannot be read
		code: regexp.MustCompile(`(\tif fc\.Args, err = ec\.field_Mutation_\w+_args\([^\n]*; err != nil \{\n)\t\tec\.Error\(ctx, err\)\n\t\treturn fc, err\n`),
		lean: "$1\t\treturn fc, lean.Unread{Err: err}\n",
		left: regexp.MustCompile(`ec\.field_Mutation_\w+_args\([^\n]*err != nil \{\n\t\tec\.Error`),
	}
	children = pattern{
		name: "children", // the functions that make the contexts of children, which nothing calls
		code: regexp.MustCompile(`^\(ec \*executionContext\) childFields_`),
	}
	child = pattern{
		name: "child", // how a field's context calls them
		code: regexp.MustCompile(`(?s)\t\tChild: func\(.*?\n\t\t\},\n`),
		left: regexp.MustCompile(`\bChild:|\bchildFields_\w+\(`),
	}
	deferred = pattern{
		name: "deferred", // what an object does for @defer, whether there is any or not
		code: regexp.MustCompile(`(?s)\tdeferredFieldSet := graphql\.NewFieldSet\(nil\)\n\tdeferLabelToView := [^\n]*\n|` +
			`\tatomic\.AddInt32\(&ec\.Deferred, [^\n]*\n\n\tec\.ProcessDeferredGroup\(graphql\.DeferredGroup\{.*?\n\t\}\)\n\n?`),
		left: regexp.MustCompile(`\bdeferredFieldSet\b|\bdeferLabelToView\b|\bDeferredGroup\b`),
	}
	shaped = pattern{
		name: "shaped", // how an object begins
		code: regexp.MustCompile(`\tfields := graphql\.CollectFields\(([^\n]*)\)\n\n\tout := graphql\.NewFieldSet\(fields\)\n`),
		lean: "\tshape := ec.shapes.Of($1)\n\tfields, out := shape.Fields, lean.NewObject(shape)\n",
		left: regexp.MustCompile(`graphql\.NewFieldSet\(`),
	}
	dispatched = pattern{
		name: "dispatched", // how an object waits for its fields
		code: regexp.MustCompile(`\tout\.Dispatch\(ctx\)\n`),
		left: regexp.MustCompile(`\.Dispatch\(`),
	}
	slice = pattern{
		name: "slice", // how a list is made
		code: regexp.MustCompile(`graphql\.MarshalSliceConcurrently\(\s*ctx,\s*len\(v\),\s*0,\s*false,\s*`),
		lean: "lean.Slice(ctx, len(v), ",
		left: regexp.MustCompile(`graphql\.MarshalSlice\w*\(`),
	}
	plain = pattern{
		name: "plain", // a field whose value lies in the record
		code: regexp.MustCompile(`(?s)\treturn graphql\.ResolveField\(\n\t\tctx,\n\t\tec\.OperationContext,\n\t\tfield,\n\t\tfunc\([^\n]*\n\t\t\treturn ec\.fieldContext_([\p{L}\p{N}_]+)\(ctx, field\)\n\t\t\},\n` +
			`\t\tfunc\(ctx context\.Context\) \(any, error\) \{\n\t\t\treturn (obj\.[\p{L}\p{N}_]+(?:\(\))?), nil\n\t\t\},\n\t\tnil,\n\t\tfunc\([^\n]*\n\t\t\treturn ec\.([\p{L}\p{N}_]+)\(ctx, selections, v\)\n\t\t\},\n\t\ttrue,\n\t\t(?:true|false),\n\t\)\n`),
		lean: "\treturn ec.$3(ctx, field.Selections, $2)\n",
		left: regexp.MustCompile(`(?s)\bfieldContext_([\p{L}\p{N}_]+)\(ctx, field\).*return obj\.[\p{L}\p{N}_]+(?:\(\))?, nil\n`),
	}
	resolved = pattern{
		name: "resolved", // any other field, without middleware: the contract has no directive that runs
		code: regexp.MustCompile(`(?s)graphql\.ResolveField\(\n(\t\tctx,\n\t\tec\.OperationContext,\n.*?)\t\tnil,\n(\t\tfunc\(ctx context\.Context, selections ast\.SelectionSet, [^\n]*\n.*?\n\t\t\},\n)\t\ttrue,\n(\t\t(?:true|false)),\n\t\)\n`),
		lean: "lean.Resolve(\n$1$2$3,\n\t)\n",
		left: regexp.MustCompile(`graphql\.ResolveField\(`),
	}
	forwarded = pattern{
		name: "forwarded", // a function that only calls another one
		code: regexp.MustCompile(`\t\tfunc\(ctx context\.Context, selections ast\.SelectionSet, v [^\n]*\) graphql\.Marshaler \{\n\t\t\treturn (ec\.[\p{L}\p{N}_]+)\(ctx, selections, v\)\n\t\t\},\n`),
		lean: "\t\t$1,\n",
	}
	opened = pattern{
		name: "opened", // how a field makes its context
		code: regexp.MustCompile(`\t\tfunc\(ctx context\.Context, field graphql\.CollectedField\) \(\*graphql\.FieldContext, error\) \{\n\t\t\treturn ec\.fieldContext_([\p{L}\p{N}_]+)\(ctx, field\)\n\t\t\},\n`),
	}
	uncalled = pattern{
		name: "uncalled", // the functions that make contexts of fields which need none
		code: regexp.MustCompile(`^\(ec \*executionContext\) fieldContext_([\p{L}\p{N}_]+)\(`),
	}
)
