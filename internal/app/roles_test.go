package app_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
)

// roleNames are the constants of auth that name roles.
var roleNames = []string{"Viewer", "Operator", "ChangeManager", "CatalogEditor", "Integrator", "Auditor", "Admin"}

// compared lists the places where a file compares roles itself, in place of asking what an actor has: there a token
// would not narrow, and a team's role would hold everywhere.
func compared(file *ast.File) (found []token.Pos) {
	isRole := func(e ast.Expr) bool {
		s, ok := e.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		from, ok := s.X.(*ast.Ident)
		return ok && from.Name == "auth" && slices.Contains(roleNames, s.Sel.Name) || s.Sel.Name == "Narrowed"
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if (n.Op == token.EQL || n.Op == token.NEQ) && (isRole(n.X) || isRole(n.Y)) {
				found = append(found, n.Pos())
			}
		case *ast.CaseClause:
			if slices.ContainsFunc(n.List, isRole) {
				found = append(found, n.Pos())
			}
		case *ast.CallExpr:
			if called, ok := n.Fun.(*ast.SelectorExpr); ok && called.Sel.Name == "Contains" && slices.ContainsFunc(n.Args, isRole) {
				found = append(found, n.Pos())
			}
		}
		return true
	})
	return found
}

func TestActorsAreAskedForTheirRoles(t *testing.T) {
	if len(roleNames) != len(auth.AllRoles) {
		t.Errorf("there are roles beside %q", roleNames)
	}
	files := 0
	handWritten(t, func(set *token.FileSet, file *ast.File, _ string) {
		path := filepath.ToSlash(set.Position(file.Pos()).Filename)
		if strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/internal/auth/") {
			return
		}
		if files++; strings.Contains(path, "/internal/practice/identity/") || strings.HasSuffix(path, "/graph/read/viewer.go") {
			return // they say which roles an input gives, and which role shows its sources
		}
		for _, at := range compared(file) {
			t.Errorf("%s: roles are compared: ask the actor by Has, or auth.Require", set.Position(at))
		}
	})
	if files < 200 {
		t.Errorf("only %d files", files)
	}
}

func TestAComparisonOfRolesIsFound(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "", `package p
func f() {
	_ = role == auth.Admin
	_ = auth.Operator != role
	_ = slices.Contains(actor.Roles, auth.CatalogEditor)
	_ = actor.Pass.Narrowed == nil
	switch role {
	case auth.Viewer, auth.Auditor:
	}
	_ = actor.Has(auth.Admin)
	_ = []auth.Role{auth.Admin}
}`, 0)
	if err != nil || len(compared(file)) != 5 {
		t.Errorf("%d found: %v", len(compared(file)), err)
	}
}
