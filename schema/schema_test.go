package schema_test

import (
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/linchpin-cmdb/linchpin/schema"
)

func TestTheContractIsOneDocumentWithoutExtensions(t *testing.T) {
	sdl, err := schema.SDL()
	if err != nil {
		t.Fatal(err)
	}
	text := string(sdl)
	if !strings.Contains(text, "\ntype Query {\n") || strings.Contains(text, "\nextend ") {
		t.Error("a type is in pieces")
	}
	for _, part := range []string{"\n  serviceByName(", "\nscalar DateTime @specifiedBy(", "Queries of the CMDB."} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in the contract", part)
		}
	}
}

func TestTheSubgraphHasItsKeysAndTheContractHasNone(t *testing.T) {
	sdl, err := schema.SDL()
	if err != nil {
		t.Fatal(err)
	}
	subgraph, err := schema.Subgraph()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`type CI implements Node @key(fields: "id") {`, "type PageInfo @shareable {", "extend schema @link("} {
		if !strings.Contains(subgraph.SDL, part) {
			t.Errorf("%q is not in the subgraph", part)
		}
	}
	for _, part := range []string{"@key", "@shareable", "@link"} {
		if strings.Contains(string(sdl), part) {
			t.Errorf("%s is in the contract", part)
		}
	}
	if strings.Contains(subgraph.SDL, "_entities") {
		t.Error("the subgraph repeats what every subgraph has")
	}
}

func TestEveryPayloadHasWarnings(t *testing.T) {
	sdl, err := schema.SDL()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := gqlparser.LoadSchema(&ast.Source{Name: "contract", Input: string(sdl)})
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range doc.Mutation.Fields {
		if strings.HasPrefix(verb.Name, "__") {
			continue
		}
		if f := doc.Types[verb.Type.Name()].Fields.ForName("warnings"); f == nil || f.Type.String() != "[Warning!]!" {
			t.Errorf("the payload of %s has no warnings", verb.Name)
		}
	}
}
