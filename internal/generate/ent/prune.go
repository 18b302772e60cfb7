package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/imports"
)

// isPruned reports whether a function that ent writes is one that nothing here calls, and that each table has: one that
// reads a single column by the type of its values (Strings stays); the text of a record, which would show its fields to
// a log; and what updates many rows at once, which the journal could not tell: it is for versions alone.
func isPruned(receiver, name string) bool {
	switch {
	case receiver == "selector":
		return name != "Strings"
	case isBulkUpdate(receiver):
		return true
	case strings.HasSuffix(receiver, "Client"):
		return name == "Update" && receiver != "VersionClient"
	default:
		return receiver != "" && name == "String" || name == "ExistX"
	}
}

func isBulkUpdate(builder string) bool {
	return strings.HasSuffix(builder, "Update") && builder != "VersionUpdate"
}

// prune deletes methods from the generated files of a folder: a record's type takes part in a hundred others, and
// every method of it is compiled for each of them.
func prune(folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return err
	}
	pruned := map[string]int{}
	for _, name := range files {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		var gone []ast.Decl
		file.Decls = slices.DeleteFunc(file.Decls, func(d ast.Decl) bool {
			switch d := d.(type) {
			case *ast.GenDecl:
				of, ok := d.Specs[0].(*ast.TypeSpec)
				if !ok || !isBulkUpdate(of.Name.Name) {
					return false
				}
				pruned["type"]++
			case *ast.FuncDecl:
				if !isPruned(receiverOf(d), d.Name.Name) {
					return false
				}
				pruned[d.Name.Name]++
			}
			gone = append(gone, d)
			return true
		})
		if len(gone) == 0 {
			continue
		}
		file.Comments = slices.DeleteFunc(file.Comments, func(c *ast.CommentGroup) bool {
			return slices.ContainsFunc(gone, func(d ast.Decl) bool { return c.End() <= d.End() && c.Pos() >= beginOf(d) })
		})
		dispatch(file)
		var text bytes.Buffer
		if err := format.Node(&text, set, file); err != nil {
			return err
		}
		out, err := imports.Process(name, text.Bytes(), nil)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(name, out, 0o600); err != nil {
			return err
		}
	}
	for _, name := range []string{"String", "Ints", "ExistX", "Update", "type"} {
		if pruned[name] == 0 {
			return fmt.Errorf("ent no longer writes %s: look at what prune deletes", name)
		}
	}
	return nil
}

// beginOf returns where a declaration begins, with its comment.
func beginOf(d ast.Decl) token.Pos {
	var doc *ast.CommentGroup
	switch d := d.(type) {
	case *ast.FuncDecl:
		doc = d.Doc
	case *ast.GenDecl:
		doc = d.Doc
	}
	if doc == nil {
		return d.Pos()
	}
	return doc.Pos()
}

// dispatch deletes the case of bulk updates from what a client does with a mutation, if their builder is gone.
func dispatch(file *ast.File) {
	ast.Inspect(file, func(n ast.Node) bool {
		s, ok := n.(*ast.SwitchStmt)
		if !ok {
			return true
		}
		s.Body.List = slices.DeleteFunc(s.Body.List, func(c ast.Stmt) bool {
			builds := false
			ast.Inspect(c, func(n ast.Node) bool {
				made, ok := n.(*ast.CompositeLit)
				if ok {
					of, isNamed := made.Type.(*ast.Ident)
					builds = builds || isNamed && isBulkUpdate(of.Name)
				}
				return true
			})
			return builds
		})
		return true
	})
}

// receiverOf returns the type whose method a function is; "": none's.
func receiverOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	of := f.Recv.List[0].Type
	if pointer, ok := of.(*ast.StarExpr); ok {
		of = pointer.X
	}
	name, _ := of.(*ast.Ident)
	if name == nil {
		return ""
	}
	return name.Name
}
