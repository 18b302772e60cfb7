package attribute

import (
	"context"
	"net/url"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// Bounds of the cost of checking values. A schema of two kilobytes can hold a value against millions of schemas:
// references multiply where they meet under anyOf, and again with each level of a value.
const (
	// MaxExpansion is how many schemas one value may be held against, each counted once for every way that leads to it.
	MaxExpansion = 5_000
	// MaxPattern is how many steps the longest pattern may have, its repetitions written out; MaxPatterns, all
	// together.
	MaxPattern  = 2_000
	MaxPatterns = 20_000
	// MaxSteps is how many comparisons of a value with a schema one check may take. It also holds for schemas that were
	// stored before they were counted, and for values that multiply the work of a schema at each of their levels.
	MaxSteps = 250_000
)

// here returns the schemas that a value is held against if it is held against s.
func here(s *jsonschema.Schema) []*jsonschema.Schema {
	all := append(append(append([]*jsonschema.Schema{s.Ref, s.RecursiveRef, s.Not, s.If, s.Then, s.Else}, s.AllOf...), s.AnyOf...), s.OneOf...)
	if s.DynamicRef != nil {
		all = append(all, s.DynamicRef.Ref) // a schema stands alone, and a name leads to one place in it
	}
	for _, dependent := range s.DependentSchemas {
		all = append(all, dependent)
	}
	for _, dependent := range s.Dependencies {
		if dependent, ok := dependent.(*jsonschema.Schema); ok {
			all = append(all, dependent)
		}
	}
	return all
}

// below returns the schemas that parts of a value, or the names of its parts, are held against if the value is held
// against s.
func below(s *jsonschema.Schema) []*jsonschema.Schema {
	all := append([]*jsonschema.Schema{s.PropertyNames, s.UnevaluatedProperties, s.Contains, s.Items2020, s.UnevaluatedItems, s.ContentSchema}, s.PrefixItems...)
	for _, property := range s.Properties {
		all = append(all, property)
	}
	for _, property := range s.PatternProperties {
		all = append(all, property)
	}
	if additional, ok := s.AdditionalProperties.(*jsonschema.Schema); ok {
		all = append(all, additional)
	}
	return all
}

// reachable returns all schemas that a check by root may come to.
func reachable(root *jsonschema.Schema) []*jsonschema.Schema {
	all, met := []*jsonschema.Schema{root}, map[*jsonschema.Schema]bool{nil: true, root: true}
	for i := 0; i < len(all); i++ {
		for _, next := range append(here(all[i]), below(all[i])...) {
			if !met[next] {
				met[next] = true
				all = append(all, next)
			}
		}
	}
	return all
}

// expand refuses a schema that holds a value against too many schemas, or against itself without end.
func expand(root *jsonschema.Schema) error {
	const open = -1
	counts := map[*jsonschema.Schema]int{nil: 0}
	var count func(s *jsonschema.Schema) (int, error)
	count = func(s *jsonschema.Schema) (int, error) {
		switch n, ok := counts[s]; {
		case n == open:
			return 0, errs.New(errs.Invalid, "the schema refers back to itself without going into a part of the value, so that "+
				"nothing can be checked by it: refer to it below properties or items").At(place(s)...)
		case ok:
			return n, nil
		}
		counts[s] = open
		n := 1
		for _, next := range here(s) {
			more, err := count(next)
			if err != nil {
				return 0, err
			}
			if n += more; n > MaxExpansion {
				return 0, errs.New(errs.Invalid, "a value would be held against more than %d schemas here, each counted once for every reference "+
					"that leads to it: let fewer alternatives refer to the same schema", MaxExpansion).At(place(s)...)
			}
		}
		counts[s] = n
		return n, nil
	}
	all := reachable(root)
	slices.SortFunc(all, func(a, b *jsonschema.Schema) int { return strings.Compare(a.Location, b.Location) })
	for _, s := range all {
		if _, err := count(s); err != nil {
			return err
		}
	}
	return nil
}

// place returns the place of s in the whole schema.
func place(s *jsonschema.Schema) []string {
	_, pointer, _ := strings.Cut(s.Location, "#/")
	if pointer == "" {
		return nil
	}
	path := strings.Split(pointer, "/")
	for i, step := range path {
		if plain, err := url.PathUnescape(step); err == nil {
			step = plain
		}
		path[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
	}
	return path
}

// steps counts the steps of one check. A validator cannot be told to stop, so steps panics with enough.
type steps struct {
	ctx   context.Context
	taken int
}

// enough ends a check: at its bound, or with its context.
type enough struct{ err error }

func (s *steps) take(n int) {
	before := s.taken
	if s.taken += n; s.taken > MaxSteps {
		panic(enough{errs.New(errs.Invalid, "checking it takes more than %d comparisons with its schema: "+
			"give fewer or flatter values, or let the schema have fewer alternatives", MaxSteps)})
	}
	if s.taken>>10 != before>>10 && s.ctx.Err() != nil {
		panic(enough{context.Cause(s.ctx)})
	}
}

// within calls check, a check or a compilation, and ends it with ctx or at the bound.
func (s *steps) within(ctx context.Context, check func()) (err error) {
	s.ctx, s.taken = ctx, 0
	defer func() {
		switch p := recover().(type) {
		case nil:
		case enough:
			err = p.err
		default:
			panic(p)
		}
	}()
	check()
	return ctx.Err()
}

// count lets a compiled schema take steps. It sets the format of each schema, which validation asks for first.
func (s *steps) count(root *jsonschema.Schema) {
	for _, schema := range reachable(root) {
		fixed := 1
		for _, next := range here(schema) {
			if next != nil {
				fixed++
			}
		}
		if schema.Enum != nil {
			fixed += len(schema.Enum.Values)
		}
		format := schema.Format
		counted := &jsonschema.Format{Validate: func(v any) error {
			n := fixed
			switch v := v.(type) {
			case map[string]any:
				n += len(v) * (2 + len(schema.PatternProperties))
			case []any:
				n += 2 * len(v)
			case string:
				n += len(v) / 256
			}
			if s.take(n); format != nil {
				return format.Validate(v)
			}
			return nil
		}}
		if format != nil {
			counted.Name = format.Name
		}
		schema.Format = counted
	}
}

// patterns compiles the patterns of one schema, each once.
type patterns struct {
	steps *steps
	known map[string]*pattern
	size  int
	err   error // of the first pattern that is too large
}

// pattern is a regular expression that counts its steps.
type pattern struct {
	*regexp.Regexp
	size  int
	steps *steps
}

// MatchString reports whether the pattern occurs in s.
func (p *pattern) MatchString(s string) bool {
	p.steps.take(1 + len(s)*p.size/256)
	return p.Regexp.MatchString(s)
}

func (p *patterns) compile(text string) (jsonschema.Regexp, error) {
	if known, ok := p.known[text]; ok {
		return known, nil
	}
	size, err := patternSize(text)
	if err != nil {
		return nil, err
	}
	if p.size += size; size > MaxPattern || p.size > MaxPatterns {
		p.err = errs.New(errs.Invalid, "the patterns of the schema have more than %d steps, or one of them has more than %d, with repetitions written out: "+
			"let fewer things repeat, and bound lengths by minLength and maxLength", MaxPatterns, MaxPattern)
		return nil, p.err
	}
	compiled, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	made := &pattern{compiled, size, p.steps}
	p.known[text] = made
	return made, nil
}

// patternSize returns how many steps a pattern has with its repetitions written out, without writing them out.
func patternSize(text string) (int, error) {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return 0, err
	}
	return stepsOf(parsed), nil
}

func stepsOf(re *syntax.Regexp) int {
	n := 1
	if re.Op == syntax.OpLiteral {
		n = len(re.Rune)
	}
	for _, sub := range re.Sub {
		n += stepsOf(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return n
}
