package schema_test

import (
	"regexp"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/linchpin-cmdb/linchpin/schema"
)

var secrets = regexp.MustCompile(`(?i)passw|passphrase|secret|credential|otp$|^pin$|cookie|bearer`)

// taken lists the arguments and the fields of inputs by which a secret could come.
func taken(s *ast.Schema) (found []string) {
	for _, of := range s.Types {
		for _, f := range of.Fields {
			if of.Kind == ast.InputObject && secrets.MatchString(f.Name) {
				found = append(found, of.Name+"."+f.Name)
			}
			for _, a := range f.Arguments {
				if secrets.MatchString(a.Name) {
					found = append(found, of.Name+"."+f.Name+"("+a.Name+":)")
				}
			}
		}
	}
	return found
}

// TestNoFieldTakesASecret holds the contract to secrets that come by forms and headers alone: an operation is repeated
// by aliases, hashed for its idempotency key, and kept in the history of GraphiQL.
func TestNoFieldTakesASecret(t *testing.T) {
	sdl, err := schema.SDL()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{string(sdl): 0, string(sdl) + `
extend type Query { tryPassword(name: String, userPassword: String): Boolean }
extend input CreatePersonInput { secretKey: String }`: 2} {
		s, err := gqlparser.LoadSchema(&ast.Source{Name: "contract", Input: text})
		if err != nil {
			t.Fatal(err)
		}
		if found := taken(s); len(found) != want {
			t.Errorf("by these a secret could come: %q, not %d", found, want)
		}
	}
}
