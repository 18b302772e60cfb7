package guard_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
)

// TestDocumentsTakeNoMoreMemoryThanTheirLimit measures what the guard estimates, for documents of much text and for
// documents of many selections.
func TestDocumentsTakeNoMoreMemoryThanTheirLimit(t *testing.T) {
	contract := gqlparser.MustLoadSchema(&ast.Source{Input: "type Query { revision: Int! records(ids: [ID!]!): [Query!]! }"})
	for name, document := range map[string]func(i int) string{
		"200 kB of comments": func(i int) string { return fmt.Sprintf("{ a%d: revision } #%s", i, strings.Repeat("x", 200_000)) },
		"200 kB of selections": func(i int) string {
			var all strings.Builder
			for j := range 12_000 {
				fmt.Fprintf(&all, "a%d_%d:revision ", i, j)
			}
			return "{" + all.String() + "}"
		},
		"60 kB of values": func(i int) string {
			return fmt.Sprintf(`{ a%d: records(ids: [%s]) { revision } }`, i, strings.Repeat(`"ci_1",`, 8_000))
		},
	} {
		t.Run(name, func(t *testing.T) {
			limits := guard.Default
			limits.Document, limits.Tokens, limits.Selections, limits.Cost, limits.Aliases, limits.Documents = 1<<20, 100_000, 100_000, 1<<40, 100_000, 8<<20
			g := guard.New(contract, limits)
			before := inUse()
			for i := range 100 {
				if _, problems := g.Admit(document(i), "", nil); problems != nil {
					t.Fatal(problems)
				}
			}
			taken := inUse() - before
			t.Logf("%d kB of %d", taken>>10, limits.Documents>>10)
			if taken > limits.Documents {
				t.Errorf("documents take %d bytes, and %d is the limit", taken, limits.Documents)
			}
			runtime.KeepAlive(g)
		})
	}
}

func inUse() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
