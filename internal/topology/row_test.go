package topology

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestARowIsAListAndItsPastStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type entry struct {
			arc          Arc
			relationship uint32
		}
		type state struct {
			row  row
			want []entry
		}
		history := []state{{}}
		for range rapid.IntRange(1, 40).Draw(t, "changes") {
			at := len(history) - 1
			before := history[at]
			if rapid.IntRange(0, 3).Draw(t, "beside") == 0 { // as a view changes what the graph may append to
				before = rapid.SampledFrom(history).Draw(t, "past")
				before.row = before.row.clipped()
			}
			after := state{want: slices.Clone(before.want)}
			arcs := rapid.IntRange(1, 1000)
			relationship := uint32(rapid.IntRange(0, 12).Draw(t, "relationship"))
			arc := Arc(arcs.Draw(t, "arc"))
			named := func(e entry) bool { return keyOf(e.arc, e.relationship) == keyOf(arc, relationship) }
			if slices.ContainsFunc(before.want, named) {
				after.row, after.want = before.row.without([]key{keyOf(arc, relationship)}, inTests), slices.DeleteFunc(after.want, named)
			} else {
				after.row, after.want = before.row.with(arc, relationship, inTests), append(after.want, entry{arc, relationship})
			}
			if rapid.Bool().Draw(t, "read") {
				after.row.whole()
			}
			history = append(history, after)
		}
		for i, s := range history {
			var got []entry
			whole := s.row.whole()
			for k, a := range whole.arcs {
				got = append(got, entry{a, whole.relationships[k]})
			}
			if !slices.Equal(got, s.want) {
				t.Fatalf("row %d is %v, want %v", i, got, s.want)
			}
		}
	})
}
