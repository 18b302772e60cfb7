package topology

import "unsafe"

// Rewound returns the snapshot as it was in an earlier revision, which b names. b holds the differences: facts as they
// were, and as removed the records that did not exist yet. Facts in b that do not differ do no harm. The result is a
// view, and costs what With costs; if the difference is a large part of the graph, it is compiled anew, in O(facts),
// and read as fast as any. Failures: errs.Invalid if a fact is impossible.
func (s *Snapshot) Rewound(b Batch) (*Snapshot, error) {
	b, err := b.normalise()
	if err != nil {
		return nil, err
	}
	facts := len(b.CIs) + len(b.Relationships) + len(b.Groups) + len(b.Removed)
	past, _ := s.view(b, facts > vastFrom+s.relationships.len()/16)
	past.revision, past.superseded = b.Revision, make(chan struct{})
	return past, nil
}

// vastFrom is the number of facts that are laid over any graph, however small.
const vastFrom = 4096

// Beside returns about how many bytes s keeps in memory that other does not: the cost of keeping a view, or an old
// snapshot, beside other. O(rows laid over the base).
func (s *Snapshot) Beside(other *Snapshot) (bytes int64) {
	bytes += flatBeside(s.places, other.places) + flatBeside(s.numbers, other.numbers)
	bytes += flatBeside(s.cis.flat, other.cis.flat) + overlayBytes(&s.cis.delta, nil)
	bytes += flatBeside(s.relationships.flat, other.relationships.flat) + overlayBytes(&s.relationships.delta, nil)
	arrivals := func(c *Counter) int { return len(c.Members) * int(unsafe.Sizeof(Arrival{})) }
	if groups := flatBeside(s.groups.flat, other.groups.flat); groups > 0 {
		bytes += groups
		for g := range s.groups.flat {
			bytes += int64(arrivals(&s.groups.flat[g]))
		}
	}
	bytes += overlayBytes(&s.groups.delta, arrivals)
	for _, d := range [][2]*adjacency{{&s.out, &other.out}, {&s.in, &other.in}} {
		bytes += flatBeside(d[0].offsets, d[1].offsets) + flatBeside(d[0].arcs, d[1].arcs) + flatBeside(d[0].relationships, d[1].relationships)
		bytes += overlayBytes(&d[0].delta, func(r *row) int {
			return (cap(r.arcs) + r.changes()) * int(unsafe.Sizeof(Arc(0))+unsafe.Sizeof(uint32(0)))
		})
	}
	lists := func(l *[]uint32) int { return len(*l) * int(unsafe.Sizeof(uint32(0))) }
	needs := func(l *[]key) int { return len(*l) * int(unsafe.Sizeof(key(0))) }
	return bytes + overlayBytes(&s.memberships, lists) + overlayBytes(&s.awaiting, lists) + overlayBytes(&s.unmet, needs)
}

// Size returns about how many bytes s keeps in memory. O(rows laid over the base + groups).
func (s *Snapshot) Size() int64 { return s.Beside(&Snapshot{}) }

// flatBeside returns the size of a flat array, or 0 if the other is the same.
func flatBeside[T any](flat, other []T) int64 {
	if unsafe.SliceData(flat) == unsafe.SliceData(other) {
		return 0
	}
	var one T
	return int64(cap(flat)) * int64(unsafe.Sizeof(one))
}

// overlayBytes returns the size of an overlay, with the memory behind its values.
func overlayBytes[T any](o *overlay[T], hanging func(*T) int) (bytes int64) {
	var one T
	for _, c := range o.chunks {
		if c != nil {
			bytes += int64(unsafe.Sizeof(*c)) + int64(cap(c.values))*int64(unsafe.Sizeof(one))
		}
	}
	if hanging != nil {
		o.each(func(_ uint32, v *T) { bytes += int64(hanging(v)) })
	}
	return bytes
}
