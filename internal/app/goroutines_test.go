package app_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// starters call what they are given in a goroutine of its own, and have a counterpart in safe; wrapped ones have none,
// and what they are given has to make itself safe.
var (
	starters = []string{"Go", "AfterFunc", "RegisterOnShutdown"}
	wrapped  = []string{"DoChan", "NewGaugeFunc", "NewCounterFunc"}
)

// bare lists the places where a file starts goroutines whose panics nobody catches: by go, by the Go of a group, or by
// a function that starts one: at the end of a context, after a while, when a server stops or is measured.
func bare(file *ast.File) (found []token.Pos) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = append(found, n.Pos())
		case *ast.CallExpr:
			called, ok := n.Fun.(*ast.SelectorExpr)
			if !ok {
				break
			}
			from, isName := called.X.(*ast.Ident)
			isSafe := isName && from.Name == "safe"
			if slices.Contains(starters, called.Sel.Name) && !isSafe || slices.Contains(wrapped, called.Sel.Name) && !slices.ContainsFunc(n.Args, callsSafe) {
				found = append(found, n.Pos())
			}
		}
		return true
	})
	return found
}

// callsSafe reports whether an expression calls a function of safe.
func callsSafe(e ast.Expr) (is bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			from, ok := s.X.(*ast.Ident)
			is = is || ok && from.Name == "safe"
		}
		return true
	})
	return is
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
			t.Errorf("%s: a panic of this goroutine ends the process: start it by a function of safe", set.Position(at))
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
	context.AfterFunc(ctx, f)
	time.AfterFunc(1, f)
	s.RegisterOnShutdown(f)
	g.DoChan("key", f)
	prometheus.NewGaugeFunc(o, f)
	safe.Go(nil, "fine", f)
	defer safe.AfterFunc(ctx, nil, "fine", f)()
	g.DoChan("key", func() (any, error) { return nil, safe.Call(f) })
	prometheus.NewGaugeFunc(o, safe.Measure(nil, "fine", f))
	defer f()
}`, 0)
	if err != nil || len(bare(file)) != 9 {
		t.Errorf("%d found: %v", len(bare(file)), err)
	}
}
