package topology

import (
	"cmp"
	"slices"
)

// order lists the vertices so that CIs that harm each other lie close together: reverse Cuthill–McKee, a breadth-first
// search from the CIs of the lowest degree that takes neighbours by degree, read backwards. Cuthill and McKee,
// "Reducing the bandwidth of sparse symmetric matrices", 1969; George, "Computer implementation of the finite element
// method", 1971. CIs without relationships come last, 0 stays first. O(m log d) for m arcs and the highest degree d.
func (t *tables) order() []Vertex {
	n := max(t.vertices(), 1)
	degrees := make([]uint32, n)
	for v := range degrees {
		degrees[v] = uint32(len(t.out.arcsOf(Vertex(v))) + len(t.in.arcsOf(Vertex(v))))
	}
	seen := make([]bool, n)
	seen[0] = true
	order := make([]Vertex, 1, n)
	visit := func(v Vertex) {
		if !seen[v] {
			seen[v] = true
			order = append(order, v)
		}
	}
	for _, start := range ascending(degrees) {
		head := len(order)
		for visit(start); head < len(order); head++ {
			from := len(order)
			t.eachNeighbour(order[head], visit)
			slices.SortFunc(order[from:], func(a, b Vertex) int {
				return cmp.Or(cmp.Compare(degrees[a], degrees[b]), cmp.Compare(a, b))
			})
		}
	}
	slices.Reverse(order[1:])
	return order
}

// ascending lists vertices by degree, by a counting sort that tells degrees up to a thousand.
func ascending(degrees []uint32) []Vertex {
	const most = 1 << 10
	var next [most + 1]int
	for _, d := range degrees {
		next[min(d, most-1)+1]++
	}
	for d := range most {
		next[d+1] += next[d]
	}
	sorted := make([]Vertex, len(degrees))
	for v, d := range degrees {
		at := &next[min(d, most-1)]
		sorted[*at] = Vertex(v)
		*at++
	}
	return sorted
}

// eachNeighbour visits the CIs that the CI at v harms and those that harm it.
func (t *tables) eachNeighbour(v Vertex, visit func(Vertex)) {
	for _, a := range t.out.arcsOf(v) {
		if k := a.Kind(); k == HardArc || k == SoftArc {
			visit(a.Vertex())
		} else {
			visit(t.groups.at(uint32(a.Group())).Dependent)
		}
	}
	for _, a := range t.in.arcsOf(v) {
		if k := a.Kind(); k == HardArc || k == SoftArc {
			visit(a.Vertex())
			continue
		}
		for _, m := range t.groups.at(uint32(a.Group())).Members {
			if m.From != 0 {
				visit(m.From)
			}
		}
	}
}

// asTheyLie returns the order that moves nothing.
func asTheyLie(n int) []Vertex {
	order := make([]Vertex, n)
	for v := range order {
		order[v] = Vertex(v)
	}
	return order
}

// vertices returns one more than the highest Vertex.
func (t *tables) vertices() int { return max(t.cis.len(), t.out.len(), t.in.len()) }
