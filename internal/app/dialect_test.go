package app_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fault is something that the voice does not allow.
type fault struct {
	at   token.Pos
	says string
}

// dialect lists what is wrong with the comments, the names and the skips of a file.
func dialect(file *ast.File) (faults []fault) {
	for _, c := range file.Comments {
		if says := inDialect(c.Text()); says != "" {
			faults = append(faults, fault{c.Pos(), says})
		}
		if said := led(c.Text()); said != "" {
			faults = append(faults, fault{c.Pos(), "name the subject of " + said})
		}
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		faults = append(faults, misnamed(f.Body)...)
		if clause.MatchString(f.Name.Name) {
			faults = append(faults, fault{f.Pos(), "name the subject of " + f.Name.Name})
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && isUnreasoned(call) {
			faults = append(faults, fault{call.Pos(), "a skip says why, in a sentence"})
		}
		return true
	})
	return faults
}

var (
	none    = regexp.MustCompile(`(?i)\b(where|when) there (is|are|was|were) no(ne\b|thing to tell|t any)|\b(nil|null) where\b`)
	clause  = regexp.MustCompile(`^Test(What|Whatever|Whoever)[A-Z]`)
	wide    = regexp.MustCompile(`(?m)^\t*// .{117}.+$`)
	subject = regexp.MustCompile(`(^|[.;:] )(What|Whatever|Who|Whoever) [^?]*?([.;:]|$)`)
)

// inDialect returns what is wrong with a text that describes something, or "".
func inDialect(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if said := none.FindString(text); said != "" {
		return "write \"if there is none\" in place of " + said
	}
	return ""
}

// led returns the relative clause that a sentence of a comment begins with, or "".
func led(text string) string { return subject.FindString(strings.Join(strings.Fields(text), " ")) }

// commaOK is a definition whose last value says whether the others are there, and the node that it is in scope of.
type commaOK struct {
	name  *ast.Ident
	scope ast.Node
	// isSure is false for a call, which may return any bool: its name tells.
	isSure bool
}

// tells are names of comma-ok in place of ok.
var tells = map[string]bool{
	"known": true, "found": true, "is": true, "has": true, "there": true, "exists": true, "hit": true, "held": true, "any": true, "given": true,
	"stated": true,
}

// misnamed lists the comma-oks of a body that are not called ok, but for those that share a scope with another one.
func misnamed(body *ast.BlockStmt) (faults []fault) {
	var all []commaOK
	var stack []ast.Node
	ast.Inspect(body, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		if a, ok := n.(*ast.AssignStmt); ok && a.Tok == token.DEFINE && len(a.Rhs) == 1 && len(a.Lhs) > 1 {
			if name, ok := a.Lhs[len(a.Lhs)-1].(*ast.Ident); ok && name.Name != "_" {
				switch x := a.Rhs[0].(type) {
				case *ast.IndexExpr, *ast.TypeAssertExpr:
					all = append(all, commaOK{name, stack[len(stack)-1], true})
				case *ast.UnaryExpr:
					all = append(all, commaOK{name, stack[len(stack)-1], x.Op == token.ARROW})
				case *ast.CallExpr:
					all = append(all, commaOK{name, stack[len(stack)-1], false})
				}
			}
		}
		stack = append(stack, n)
		return true
	})
	for i, one := range all {
		if one.name.Name == "ok" || !one.isSure && !tells[one.name.Name] {
			continue
		}
		isAlone := true
		for j, other := range all {
			if i != j && (other.isSure || other.name.Name == "ok") && (one.precedes(other) || other.precedes(one)) {
				isAlone = false
			}
		}
		if isAlone {
			faults = append(faults, fault{one.name.Pos(), "comma-ok is called ok, not " + one.name.Name})
		}
	}
	return faults
}

// precedes reports whether c is in scope where the other is defined.
func (c commaOK) precedes(other commaOK) bool {
	return c.name.Pos() < other.name.Pos() && other.name.Pos() < c.scope.End()
}

// isUnreasoned reports whether a call skips a test without a sentence that says why.
func isUnreasoned(call *ast.CallExpr) bool {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !strings.HasPrefix(f.Sel.Name, "Skip") {
		return false
	}
	if _, ok := f.X.(*ast.Ident); !ok {
		return false
	}
	switch f.Sel.Name {
	case "SkipNow":
		return true
	case "Skip", "Skipf":
		reason, ok := call.Args[0].(*ast.BasicLit)
		return ok && len(strings.Fields(reason.Value)) < 5
	}
	return false
}

func TestTheVoiceIsHeldInCommentsNamesAndSkips(t *testing.T) {
	handWritten(t, func(files *token.FileSet, file *ast.File, text string) {
		for _, f := range dialect(file) {
			t.Errorf("%s: %s", files.Position(f.at), f.says)
		}
		for _, line := range wide.FindAllString(text, -1) {
			t.Errorf("%s: %.60q…: prose ends at 120 columns", files.Position(file.Pos()).Filename, line)
		}
	})
}

func TestTheVoiceIsHeldInTheContract(t *testing.T) {
	parts, err := filepath.Glob(filepath.Join("..", "..", "schema", "*.graphql"))
	if err != nil || len(parts) < 20 {
		t.Fatal(parts, err)
	}
	for _, part := range parts {
		text, err := os.ReadFile(part)
		if err != nil {
			t.Fatal(err)
		}
		for _, described := range regexp.MustCompile(`(?s)"""(.*?)"""`).FindAllSubmatch(text, -1) {
			if says := inDialect(string(described[1])); says != "" {
				t.Errorf("%s: %q: %s", filepath.Base(part), described[1], says)
			}
		}
	}
}

func TestTheVoiceIsHeardInAFile(t *testing.T) {
	for code, want := range map[string]string{
		`v, ok := m[1]; use(v, ok)`:                                        "",
		`v, found := m[1]; use(v, found)`:                                  "comma-ok is called ok, not found",
		`if v, isThere := m[1]; isThere { use(v) }`:                        "comma-ok is called ok, not isThere",
		`v, known := x.(int); use(v, known)`:                               "comma-ok is called ok, not known",
		`v, more := <-c; use(v, more)`:                                     "comma-ok is called ok, not more",
		`before, found := strings.CutPrefix(a, b); use(before, found)`:     "comma-ok is called ok, not found",
		`rows, more := cut(a); use(rows, more)`:                            "",
		`a, found := m[1]; b, ok := m[2]; use(a, b, found, ok)`:            "",
		`if a, found := m[1]; found { use(a) }; b, ok := m[2]; use(b, ok)`: "comma-ok is called ok, not found",
		`t.Skip("slow")`: "a skip says why, in a sentence",
		`t.SkipNow()`:    "a skip says why, in a sentence",
		`t.Skip("only root can mount a small disk")`:                                  "",
		`}; func TestWhatIsKeptIsTold() {`:                                            "name the subject of TestWhatIsKeptIsTold",
		`}; func TestARecordTellsWhatIsKept() {`:                                      "",
		`t.Skip(err)`:                                                                 "",
		"use(1) // nil where there is none":                                           `write "if there is none" in place of nil where`,
		"// It returns zero when there\n// is none.\nuse(1)":                          `write "if there is none" in place of when there is none`,
		"// It waits. What is written\n// meanwhile is told.\nuse(1)":                 "name the subject of . What is written meanwhile is told.",
		"use(1) // Whoever asks is told.":                                             "name the subject of Whoever asks is told.",
		"use(1) // What is it? It tells what is written to an actor who is involved.": "",
		"use(1) // empty if there is none":                                            "",
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc f() {\n"+code+"\n}\n", parser.ParseComments)
		if err != nil {
			t.Fatal(code, err)
		}
		got := ""
		for _, f := range dialect(file) {
			got += f.says
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", code, got, want)
		}
	}
}
