package impact

import (
	"math/bits"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// region is a part of a snapshot compiled for simulating what goes DOWN: dense places, causes before what
// they harm (cycles apart), and only the arcs that can bring anything DOWN. A group that any one member breaks
// is no group here but HARD arcs.
type region struct {
	s        *topology.Snapshot
	vertices []topology.Vertex // by place
	offsets  []uint32
	arcs     []uint32 // two bits of kind, thirty of place or group; after a heavyArc its weight
	groups   []regionGroup
	planes   int
}

// regionGroup is a group that one member does not break. Its counter is bit-sliced: plane i holds bit i of 64
// counters. It starts at 2^planes less what breaks the group, so that the carry out of the last plane says
// in which lanes it broke.
type regionGroup struct {
	index     topology.GroupIndex
	dependent uint32
	first     uint32 // plane
	planes    uint32
	start     uint64
}

const (
	hardArc   = iota << 30
	unitArc   // to a group, counts 1
	heavyArc  // to a group, counts the word that follows
	pairArc   // to a group, only noted: see simulation.pairs
	kindMask  = 3 << 30
	placeMask = 1<<30 - 1
)

// scope says what belongs to a region.
type scope struct {
	s       *topology.Snapshot
	given   *baseline
	admits  func(topology.Vertex) bool     // nil admits all
	watched func(topology.GroupIndex) bool // groups to note members of, whatever breaks them; nil: none
}

// breaksAt returns how much a group must lose to break its dependent; 0 if it never does, 1 if it has too little
// already.
func breaksAt(c *topology.Counter) uint64 {
	switch {
	case c.Need == 0:
		return 0
	case c.IsShort():
		return 1
	}
	return uint64(c.Total) - uint64(c.Need) + 1
}

// cone compiles everything whose failure could take one of roots DOWN, in one depth-first search against the arcs:
// its postorder puts causes first. O(arcs of the cone). It stops when p is spent.
func (c scope) cone(roots []topology.Vertex, p *patience) *region {
	m := borrow(c.s)
	defer m.release()
	r := &region{s: c.s}
	d := descent{scope: c, m: m, r: r}
	for _, root := range roots {
		d.enter(root)
		for len(d.stack) > 0 && !p.isSpent(1) {
			d.step()
		}
		if p.err != nil {
			return r
		}
	}
	r.offsets = make([]uint32, 1, len(r.vertices)+1)
	for _, v := range r.vertices {
		d.lay(v)
		r.offsets = append(r.offsets, uint32(len(r.arcs)))
		if p.isSpent(1) {
			return r
		}
	}
	return r
}

// descent is the search that finds a region.
type descent struct {
	scope
	m     *scratch
	r     *region
	stack []frame
}

type frame struct {
	v           topology.Vertex
	arc, member int
}

const isOpen = ^uint32(0) // in place of a place, before there is one

func (d *descent) enter(v topology.Vertex) {
	if _, ok := d.m.marked(v); !ok && !d.given.isGone(v) && (d.admits == nil || d.admits(v)) {
		d.m.mark(v, isOpen)
		d.stack = append(d.stack, frame{v: v})
	}
}

// step enters the next cause of the top of the stack, or leaves it.
func (d *descent) step() {
	top := &d.stack[len(d.stack)-1]
	arcs := d.s.In(top.v)
	for top.arc < len(arcs) {
		a := arcs[top.arc]
		switch a.Kind() {
		case topology.SoftArc:
		case topology.HardArc:
			top.arc++
			d.enter(a.Vertex())
			return
		case topology.GroupArc, topology.WeightedArc:
			if members := d.s.Counter(a.Group()).Members; top.member < len(members) {
				top.member++
				if from := members[top.member-1].From; from != 0 {
					d.enter(from)
				}
				return
			}
			top.member = 0
		}
		top.arc++
	}
	d.m.mark(top.v, uint32(len(d.r.vertices)))
	d.r.vertices = append(d.r.vertices, top.v)
	d.stack = d.stack[:len(d.stack)-1]
}

// lay compiles the arcs of one CI.
func (d *descent) lay(v topology.Vertex) {
	arcs := d.s.Out(v)
	for i, a := range arcs {
		switch a.Kind() {
		case topology.SoftArc:
		case topology.HardArc:
			if to, ok := d.m.marked(a.Vertex()); ok {
				d.r.arcs = append(d.r.arcs, hardArc|to)
			}
		case topology.GroupArc, topology.WeightedArc:
			c := d.s.Counter(a.Group())
			to, ok := d.m.marked(c.Dependent)
			breaks := d.given.breaksAt(c, a.Group())
			if !ok || breaks == 0 {
				continue
			}
			weight := uint32(1)
			if a.Kind() == topology.WeightedArc {
				weight = c.WeightOf(d.s.OutRelationships(v)[i])
			}
			d.layGroup(a.Group(), breaks, to, weight)
		}
	}
}

func (d *descent) layGroup(g topology.GroupIndex, breaks uint64, dependent, weight uint32) {
	isWatched := d.watched != nil && d.watched(g)
	if uint64(weight) >= breaks {
		d.r.arcs = append(d.r.arcs, hardArc|dependent)
		if isWatched {
			d.r.arcs = append(d.r.arcs, pairArc|d.group(g, breaks, dependent))
		}
		return
	}
	at := d.group(g, breaks, dependent)
	if weight == 1 {
		d.r.arcs = append(d.r.arcs, unitArc|at)
	} else {
		d.r.arcs = append(d.r.arcs, heavyArc|at, weight)
	}
}

// group returns the place of a group in the region. A group that has no place yet is added.
func (d *descent) group(g topology.GroupIndex, breaks uint64, dependent uint32) uint32 {
	if word := d.m.groups[g]; uint32(word>>32) == d.m.epoch {
		return uint32(word)
	}
	at := uint32(len(d.r.groups))
	d.m.groups[g] = uint64(d.m.epoch)<<32 | uint64(at)
	planes := uint32(bits.Len64(breaks - 1))
	d.r.groups = append(d.r.groups, regionGroup{index: g, dependent: dependent, first: uint32(d.r.planes), planes: planes, start: 1<<planes - breaks})
	d.r.planes += int(planes)
	return at
}

// places gives the places of vertices, in their order; those that are not in the region are left out.
func (r *region) places(of []topology.Vertex) []uint32 {
	m := borrow(r.s)
	defer m.release()
	for at, v := range r.vertices {
		m.mark(v, uint32(at))
	}
	places := make([]uint32, 0, len(of))
	for _, v := range of {
		if at, ok := m.marked(v); ok {
			places = append(places, at)
		}
	}
	return places
}

// flags is a bit for each place.
type flags []uint64

func (r *region) flags(where func(at uint32) bool) flags {
	f := make(flags, len(r.vertices)/64+1)
	for at := range uint32(len(r.vertices)) {
		if where(at) {
			f.set(at)
		}
	}
	return f
}

func (f flags) set(at uint32)      { f[at>>6] |= 1 << (at & 63) }
func (f flags) clear(at uint32)    { f[at>>6] &^= 1 << (at & 63) }
func (f flags) has(at uint32) bool { return f[at>>6]>>(at&63)&1 != 0 }

type estateRegionKey struct{ given *baseline }

// wholeRegion returns the region of all CIs that have any arc. It compiles it once for each snapshot, and once more
// beside the facts; beside failures each time.
func wholeRegion(s *topology.Snapshot, given *baseline, p *patience) *region {
	if !given.isKept() {
		return scope{s: s, given: given}.cone(linked(s), p)
	}
	return s.Memo(estateRegionKey{given}, func() any {
		return scope{s: s, given: given}.cone(linked(s), &patience{ctx: noHurry})
	}).(*region)
}

// linked returns the CIs that have any arc.
func linked(s *topology.Snapshot) []topology.Vertex {
	var vertices []topology.Vertex
	for v := range topology.Vertex(s.Vertices()) {
		if len(s.Out(v)) > 0 || len(s.In(v)) > 0 {
			vertices = append(vertices, v)
		}
	}
	return slices.Clip(vertices)
}

// within returns the places from which a path leads to some vertices, in order: since causes come before what they
// harm, one pass from the end finds them, and another for each cycle that it went against.
func (r *region) within(vertices []topology.Vertex) []uint32 {
	isIn := make(flags, len(r.vertices)/64+1)
	for _, at := range r.places(vertices) {
		isIn.set(at)
	}
	for grows := true; grows; {
		grows = false
		for at := len(r.vertices) - 1; at >= 0; at-- {
			if !isIn.has(uint32(at)) && r.leads(uint32(at), isIn) {
				isIn.set(uint32(at))
				grows = true
			}
		}
	}
	places := []uint32{}
	for at := range uint32(len(r.vertices)) {
		if isIn.has(at) {
			places = append(places, at)
		}
	}
	return places
}

// leads reports whether an arc goes from a place to a flagged one.
func (r *region) leads(at uint32, flagged flags) bool {
	arcs := r.arcs[r.offsets[at]:r.offsets[at+1]]
	for i := 0; i < len(arcs); i++ {
		to := arcs[i] & placeMask
		if kind := arcs[i] & kindMask; kind != hardArc {
			to = r.groups[to].dependent
			if kind == heavyArc {
				i++
			}
		}
		if flagged.has(to) {
			return true
		}
	}
	return false
}
