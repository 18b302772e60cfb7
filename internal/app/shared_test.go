package app_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// youngest is the practice that the test takes as its example, as names of the code have it, and where it is named
// beside its own files: a practice to come takes a line in each of the first five, and the others say why they know of
// this one.
var (
	youngest      = regexp.MustCompile(`(?i)service_?level`)
	sharedByRight = []string{
		"internal/ident/kind.go",     // its kinds of record
		"internal/auth/policy.go",    // who may read and do what
		"graph/resolver.go",          // its verbs
		"internal/app/app.go",        // its assembly
		"graph/read/node.go",         // its records by their global ids
		"internal/app/chores.go",     // what it does unasked
		"internal/domain/enum.go",    // its words
		"internal/store/insert.go",   // its rows of an invented year go in by many
		"internal/fill/year.go",      // the invented year has its marks
		"internal/fill/fill.go",      // and its targets
		"internal/practice/incident", // an incident that stops writes the marks before
		"graph/read/kpi_sql.go",      // key figures count breaches
	}
)

func TestTheYoungestPracticeIsNamedInFewSharedFiles(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if d.IsDir() {
			if name == "clients" || name == "graph/exec" || strings.HasPrefix(d.Name(), ".") && name != "." {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || isOfThePractice(name) {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if generated.Match(text) || !youngest.Match(text) {
			return nil
		}
		named[name] = true
		if !slices.ContainsFunc(sharedByRight, func(right string) bool { return name == right || strings.HasPrefix(name, right+"/") }) {
			t.Errorf("%s names service levels: a practice stands in its own files and in few shared ones", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, right := range sharedByRight[:5] {
		if !named[right] {
			t.Errorf("%s does not name service levels: does the test look for the right words?", right)
		}
	}
}

var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

// isOfThePractice reports whether a file is the practice's own.
func isOfThePractice(name string) bool {
	return strings.HasSuffix(name, "/servicelevel.go") || strings.Contains(name, "/servicelevel/") || strings.HasSuffix(name, "/promise.go")
}
