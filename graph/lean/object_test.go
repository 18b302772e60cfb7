package lean_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/linchpin-cmdb/linchpin/graph/lean"
)

func TestAFieldThatWasCollectedTwiceIsWrittenOnce(t *testing.T) {
	t.Parallel()
	for _, others := range []int{0, 1, 100} {
		names := []string{"twice"}
		want := `"twice":0`
		for i := range others {
			names = append(names, fmt.Sprint("f", i))
			want += fmt.Sprintf(`,"f%d":%d`, i, i+1)
		}
		names = append(names, "twice")
		var fields []graphql.CollectedField
		for _, name := range names {
			fields = append(fields, graphql.CollectedField{Field: &ast.Field{Alias: name}})
		}
		o := lean.NewObject(fields)
		for i := range o.Values {
			o.Values[i] = graphql.MarshalInt(i)
		}
		var b strings.Builder
		o.MarshalGQL(&b)
		if got := b.String(); got != "{"+want+"}" {
			t.Errorf("%d other fields: %s", others, got)
		}
	}
}
