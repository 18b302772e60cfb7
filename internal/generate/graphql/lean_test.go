package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden sample anew")

// sampleConfig binds the sample as gqlgen.yml binds the contract: models of the package, and a field that is resolved.
const sampleConfig = `schema: [sample.graphql]
exec: {layout: follow-schema, dir: exec, package: exec, filename_template: "{name}.go"}
model: {filename: exec/model.go, package: exec}
models: {Shelf: {fields: {books: {resolver: true}}}}
omit_gqlgen_file_notice: true
skip_mod_tidy: true
skip_validation: true
omit_root_models: true
omit_complexity: true
`

// generateSample lets gqlgen generate the sample in a module of its own, with the versions of this one. It returns the
// files that gqlgen writes.
func generateSample(t *testing.T) (files []string) {
	t.Helper()
	_, required, _ := strings.Cut(read(t, "../../../go.mod"), "\n")
	texts := map[string]string{
		"go.mod": "module sample\n" + required, "go.sum": read(t, "../../../go.sum"),
		"sample.graphql": read(t, "testdata/sample.graphql"), "gqlgen.yml": sampleConfig,
	}
	folder := t.TempDir()
	t.Chdir(folder)
	for name, text := range texts {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := config.LoadConfig("gqlgen.yml")
	if err != nil {
		t.Fatal(err)
	}
	if err := api.Generate(c, api.PrependPlugin(inTurn{})); err != nil {
		t.Fatal(err)
	}
	if files, err = filepath.Glob(filepath.Join(folder, "exec", "*.go")); err != nil {
		t.Fatal(err)
	}
	return files
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPatternsMakeOfASmallContractWhatTheGoldenSampleHolds(t *testing.T) {
	golden, err := filepath.Abs("testdata/sample.golden")
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Dir(generateSample(t)[0])
	if err := makeLean(folder); err != nil {
		t.Fatal(err)
	}
	got, root := read(t, filepath.Join(folder, "sample.go")), read(t, filepath.Join(folder, "root_.generated.go"))
	for _, begins := range []string{"func (e *executableSchema) Exec(", "type executionContext struct {"} {
		_, rest, ok := strings.Cut(root, "\n"+begins)
		excerpt, _, ends := strings.Cut(rest, "\n}\n")
		if !ok || !ends {
			t.Fatalf("root_.generated.go lacks %q", begins)
		}
		got += "\n" + begins + excerpt + "\n}\n"
	}
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(read(t, golden), got); diff != "" {
		t.Errorf("(- golden, + generated; -update writes it anew)\n%s", diff)
	}
}

func TestGenerationFailsAndSaysWhichPatternFoundLessThanItMust(t *testing.T) {
	files := generateSample(t)
	// check changes what gqlgen wrote so often at most, from the first place on; negative for everywhere.
	check := func(t *testing.T, from, to string, times int) error {
		s, changed := &slimmer{}, 0
		for _, name := range files {
			text := read(t, name)
			n := strings.Count(text, from)
			if times >= 0 {
				n = min(n, times-changed)
			}
			changed += n
			s.lean(filepath.Base(name), strings.Replace(text, from, to, n))
		}
		if from != to && changed == 0 {
			t.Errorf("gqlgen does not write %q", from)
		}
		return s.check()
	}
	if err := check(t, "x", "x", 0); err != nil {
		t.Errorf("as gqlgen writes it: %v", err)
	}
	faults := map[*pattern][2]string{
		&inputs:     {"inputUnmarshalMap := ", "unmarshalers := "},
		&rendered:   {"response.Data = buf.Bytes()", "response.Data = buf.AvailableBuffer()"},
		&shared:     {"type executionContext struct {", "type executionContext = struct {"},
		&children:   {") childFields_", ") fieldsOf_"},
		&child:      {"Child: func(", "Child: (func("},
		&deferred:   {"\tdeferLabelToView := ", "\tvar deferLabelToView = "},
		&shaped:     {"graphql.NewFieldSet(fields)", "graphql.NewFieldSet(fields...)"},
		&dispatched: {"out.Dispatch(ctx)", "out.Dispatch(ctx, nil)"},
		&slice:      {"graphql.MarshalSliceConcurrently(", "graphql.MarshalSlice("},
		&plain:      {"\t\tfield,\n\t\tfunc(", "\t\t&field,\n\t\tfunc("},
		&resolved:   {"(ctx)\n\t\t},\n\t\tnil,\n", "(ctx)\n\t\t},\n\t\tmiddleware,\n"},
		&forwarded:  {"(ctx, selections, v)\n", "(ctx, field.Selections, v)\n"},
		&opened:     {"return ec.fieldContext_", "return ec.contextOf_"},
		&unread:     {"ec.field_Mutation_addBook_args(ctx, field.ArgumentMap(ec.Variables)); err != nil {\n\t\tec.Error(ctx, err)", "ec.field_Mutation_addBook_args(ctx, field.ArgumentMap(ec.Variables)); err != nil {\n\t\tec.Error(ctx, (err))"},
		&uncalled:   {"func (ec *executionContext) fieldContext_", "func (ec *executionContext) contextOf_"},
	}
	for _, p := range patterns {
		fault, ok := faults[p]
		if !ok {
			t.Errorf("no fault is planted for %q", p.name)
			continue
		}
		for name, times := range map[string]int{"everywhere": -1, "once": 1} {
			if times == 1 && p.left == nil {
				continue
			}
			t.Run(p.name+"/"+name, func(t *testing.T) {
				if err := check(t, fault[0], fault[1], times); err == nil || !strings.Contains(err.Error(), `pattern "`+p.name+`"`) {
					t.Errorf("%v", err)
				}
			})
		}
	}
}
