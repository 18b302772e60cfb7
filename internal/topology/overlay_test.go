package topology

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// anyPlace draws places in few chunks, at their borders too.
var anyPlace = rapid.Custom(func(t *rapid.T) uint32 {
	return uint32(rapid.SampledFrom([]int{0, 1, 5, 1023, 1024, 1025, 1087, 1088, 5000, 9000}).Draw(t, "base") + rapid.IntRange(0, 70).Draw(t, "beside"))
})

func TestAnOverlayIsAMapAndItsPastStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		flat := make([]int, rapid.IntRange(0, 1200).Draw(t, "flat"))
		want := map[uint32]int{}
		for i := range flat {
			flat[i] = -i
			want[uint32(i)] = -i
		}
		now := table[int]{flat: flat}
		type past struct {
			table table[int]
			want  map[uint32]int
		}
		var history []past
		value := 0
		for edit := range uint64(rapid.IntRange(1, 8).Draw(t, "edits")) {
			for range rapid.IntRange(0, 30).Draw(t, "writes") {
				i := anyPlace.Draw(t, "place")
				value++
				now.delta.set(i, value, edit+1)
				want[i] = value
			}
			history = append(history, past{now, maps.Clone(want)})
		}
		for _, p := range history {
			for i, v := range p.want {
				if got := *p.table.at(i); got != v {
					t.Fatalf("place %d holds %d, want %d", i, got, v)
				}
			}
			for i, v := range p.table.flatten() {
				if v != p.want[uint32(i)] {
					t.Fatalf("flattened, place %d holds %d, want %d", i, v, p.want[uint32(i)])
				}
			}
			var visited []uint32
			p.table.delta.each(func(i uint32, _ *int) { visited = append(visited, i) })
			if !slices.IsSorted(visited) || len(visited) != p.table.delta.count {
				t.Fatalf("visited %v, covered %d", visited, p.table.delta.count)
			}
		}
	})
}
