package impact

import (
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// fare is how one CI fares: its state in the lower two bits, and marks.
type fare uint8

const (
	fareState   fare = 3
	fareOnBrink fare = 4
	fareShort   fare = 8 // DOWN though nothing failed
)

func (f fare) state() State    { return State(f & fareState) }
func (f fare) isOnBrink() bool { return f&fareOnBrink != 0 }

func fareOf(h hit) fare {
	f := fare(h.state)
	if h.has(onBrink) {
		f |= fareOnBrink
	}
	if h.has(isShort) {
		f |= fareShort
	}
	return f
}

// fares tells how each CI of a snapshot fares, by vertex, in chunks that snapshots share while nothing in them differs.
// They never change. The nil fares are those of an estate in which all is well.
type fares struct {
	chunks []*fareChunk
	unwell int // CIs that are not OPERATIONAL
}

const fareBits = 10

type fareChunk [1 << fareBits]fare

func (f *fares) at(v topology.Vertex) fare {
	if f == nil || int(v>>fareBits) >= len(f.chunks) {
		return 0
	}
	if c := f.chunks[v>>fareBits]; c != nil {
		return c[v&(1<<fareBits-1)]
	}
	return 0
}

// faresOf returns how the CIs of an answer fare.
func faresOf(a *Answer) *fares {
	b := (*fares)(nil).edit()
	if a != nil {
		for _, h := range a.hits {
			b.set(h.vertex, fareOf(h))
		}
	}
	return &b.fares
}

// fareEdit makes fares of others.
type fareEdit struct {
	fares
	own map[int]bool
}

func (f *fares) edit() *fareEdit {
	e := &fareEdit{own: map[int]bool{}}
	if f != nil {
		e.chunks, e.unwell = slices.Clone(f.chunks), f.unwell
	}
	return e
}

func (e *fareEdit) set(v topology.Vertex, f fare) {
	was := e.at(v)
	switch {
	case was == f:
		return
	case was == 0:
		e.unwell++
	case f == 0:
		e.unwell--
	}
	at := int(v >> fareBits)
	for at >= len(e.chunks) {
		e.chunks = append(e.chunks, nil)
	}
	if !e.own[at] {
		chunk := new(fareChunk)
		if e.chunks[at] != nil {
			*chunk = *e.chunks[at]
		}
		e.chunks[at], e.own[at] = chunk, true
	}
	e.chunks[at][v&(1<<fareBits-1)] = f
}

// differences visits the CIs that fare differently in two, in order. It looks at what they do not share.
func (f *fares) differences(other *fares, visit func(topology.Vertex, fare, fare)) {
	for at := range max(len(f.chunks), len(other.chunks)) {
		var a, b *fareChunk
		if at < len(f.chunks) {
			a = f.chunks[at]
		}
		if at < len(other.chunks) {
			b = other.chunks[at]
		}
		if a == b {
			continue
		}
		for v := topology.Vertex(at << fareBits); v < topology.Vertex((at+1)<<fareBits); v++ {
			if x, y := f.at(v), other.at(v); x != y {
				visit(v, x, y)
			}
		}
	}
}
