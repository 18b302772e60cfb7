package app_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// bare lists where a file starts goroutines of which nobody catches a panic: by go, or by the Go of a group.
func bare(file *ast.File) (found []token.Pos) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = append(found, n.Pos())
		case *ast.CallExpr:
			if called, is := n.Fun.(*ast.SelectorExpr); is && called.Sel.Name == "Go" {
				if from, is := called.X.(*ast.Ident); !is || from.Name != "safe" {
					found = append(found, n.Pos())
				}
			}
		}
		return true
	})
	return found
}

func TestEveryGoroutineOfTheProductIsSafe(t *testing.T) {
	const root = "../.."
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == "clients" || name == ".git" || name == "safe" || strings.HasSuffix(name, "test") { // pgtest, storetest, …
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if files++; ast.IsGenerated(file) {
			return nil
		}
		for _, at := range bare(file) {
			t.Errorf("%s: a panic of this goroutine ends the process: start it by safe.Go or safe.Crew", set.Position(at))
		}
		return nil
	})
	if err != nil || files < 200 {
		t.Errorf("%d files: %v", files, err)
	}
}

func TestABareGoroutineIsFound(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "", `package p
func f() {
	go f()
	go func() {}()
	g.Go(f)
	p.crew.Go(f)
	safe.Go(nil, "fine", f)
	defer f()
}`, 0)
	if err != nil || len(bare(file)) != 4 {
		t.Errorf("%d found: %v", len(bare(file)), err)
	}
}
