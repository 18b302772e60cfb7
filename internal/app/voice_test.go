package app_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// thirdPerson matches what the comment of a function begins with after its name: a verb such as "returns".
var thirdPerson = regexp.MustCompile(`^[a-z-]+s\b`)

// notVerbs are words of that form that say what a function is, where a comment has to say what it does.
var notVerbs = map[string]bool{"is": true, "was": true, "this": true, "as": true}

// voice returns what is wrong with the comment of a function, or "".
func voice(name, comment string) string {
	rest, ok := strings.CutPrefix(comment, name+" ")
	if !ok {
		return fmt.Sprintf("begins with %.30q: begin with the function's name", comment)
	}
	verb := thirdPerson.FindString(rest)
	if verb == "" || notVerbs[verb] {
		return fmt.Sprintf("says %.40q: say what it does, with a verb in the third person (returns, reports, sets)", name+" "+rest)
	}
	return ""
}

// handWritten calls check with each hand-written Go file of the repository.
func handWritten(t *testing.T, check func(files *token.FileSet, file *ast.File, text string)) {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && path != root) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil || generated.Match(text) {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, text, parser.ParseComments)
		if err == nil {
			check(files, file, string(text))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCommentsOfFunctionsSayWhatTheyDo(t *testing.T) {
	handWritten(t, func(files *token.FileSet, file *ast.File, _ string) {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Doc == nil || strings.TrimSpace(f.Doc.Text()) == "" {
				continue
			}
			if fault := voice(f.Name.Name, f.Doc.Text()); fault != "" {
				t.Errorf("%s: the comment of %s %s", files.Position(f.Pos()), f.Name.Name, fault)
			}
		}
	})
}

func TestTheVoiceIsHeard(t *testing.T) {
	for comment, good := range map[string]bool{
		"Approve records a yes.": true, "Approve is a yes.": false, "A yes.": false, "Approve the change.": false,
		"Approve reports whether it is so.": true,
	} {
		if fault := voice("Approve", comment); (fault == "") != good {
			t.Errorf("%q: %s", comment, fault)
		}
	}
}
