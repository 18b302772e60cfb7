package lean_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/linchpin-cmdb/linchpin/graph/lean"
)

// TestAFieldThatWasCollectedTwiceIsWrittenOnce asks for a field of two types that have nothing to do with each other.
func TestAFieldThatWasCollectedTwiceIsWrittenOnce(t *testing.T) {
	t.Parallel()
	field := func(name, of string) ast.Selection {
		return &ast.Field{Alias: name, Name: name, ObjectDefinition: &ast.Definition{Name: of}}
	}
	for _, others := range []int{0, 1, 2, 3, 100} {
		selections := ast.SelectionSet{field("twice", "Node")}
		want := []string{`"twice":0`}
		for i := range others {
			selections = append(selections, field(fmt.Sprint("f", i), "CI"))
			want = append(want, fmt.Sprintf(`"f%d":%d`, i, i+1))
		}
		selections = append(selections, field("twice", "CI"))
		var shapes lean.Shapes
		for range 2 {
			o := lean.NewObject(shapes.Of(&graphql.OperationContext{}, selections, []string{"CI", "Node"}))
			for i := range o.Values {
				o.Values[i] = graphql.MarshalInt(i)
			}
			var b strings.Builder
			o.MarshalGQL(&b)
			if got := b.String(); got != "{"+strings.Join(want, ",")+"}" {
				t.Errorf("%d other fields: %s", others, got)
			}
			if got := string(lean.Render(o)); got != b.String() {
				t.Errorf("rendered as %s, written as %s", got, b.String())
			}
		}
	}
}

func TestTheSameSelectionOnAnotherTypeIsAnotherShape(t *testing.T) {
	t.Parallel()
	selections := ast.SelectionSet{
		&ast.Field{Alias: "id", Name: "id"},
		&ast.InlineFragment{TypeCondition: "Incident", SelectionSet: ast.SelectionSet{&ast.Field{Alias: "number", Name: "number"}}},
	}
	var shapes lean.Shapes
	op, ci, incident := &graphql.OperationContext{}, []string{"CI", "Node"}, []string{"Incident", "Node"}
	for range 2 {
		if got := len(shapes.Of(op, selections, ci).Fields); got != 1 {
			t.Errorf("a CI shows %d fields", got)
		}
		if got := len(shapes.Of(op, selections, incident).Fields); got != 2 {
			t.Errorf("an incident shows %d fields", got)
		}
	}
	if got := string(lean.Render(lean.NewObject(shapes.Of(op, nil, ci)))); got != "{}" {
		t.Errorf("an object of nothing is %s", got)
	}
}

func TestAnErrorOfAnElementNamesItsPlace(t *testing.T) {
	t.Parallel()
	ctx := graphql.WithResponseContext(context.Background(), graphql.DefaultErrorPresenter, graphql.DefaultRecover)
	ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Field: graphql.CollectedField{Field: &ast.Field{Alias: "list"}}})
	all := lean.Slice(ctx, 3, func(ctx context.Context, i int) graphql.Marshaler {
		return lean.Slice(ctx, 2, func(ctx context.Context, j int) graphql.Marshaler {
			if i != j {
				graphql.AddErrorf(ctx, "%d %d", i, j)
			}
			return graphql.MarshalInt(10*i + j)
		})
	})
	var b bytes.Buffer
	all.MarshalGQL(&b)
	if got, want := b.String(), "[[0,1],[10,11],[20,21]]"; got != want {
		t.Errorf("the list is %s, want %s", got, want)
	}
	var got []string
	for _, err := range graphql.GetErrors(ctx) {
		got = append(got, err.Path.String()+": "+err.Message)
	}
	want := []string{"list[0][1]: 0 1", "list[1][0]: 1 0", "list[2][0]: 2 0", "list[2][1]: 2 1"}
	if !slices.Equal(got, want) {
		t.Errorf("errors %q, want %q", got, want)
	}
}
