package schema_test

import (
	"strings"
	"testing"

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
	for _, part := range []string{"\n  serviceByName(", "\nscalar DateTime @specifiedBy(", "Questions to the CMDB."} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in the contract", part)
		}
	}
}
