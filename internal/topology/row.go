package topology

import (
	"slices"
	"sync/atomic"
)

// row is the list of arcs of one vertex and, beside it, the number of the relationship of each (0 for the entry of a
// group in the row of its dependent). Writers append beyond the length that earlier snapshots see. On every other
// change a short row is copied, and a long one is patched: a change at a hub costs what it touches. The first reader of
// the row pays for the copy, which is little beside walking it.
type row struct {
	arcs          []Arc
	relationships []uint32
	patch         *patch // nil: the row is as it stands
}

// patch holds the changes of a long row that are not made in place. It never changes.
type patch struct {
	gone  []key
	added row
	read  atomic.Pointer[row] // the row with all that, once somebody has read it
}

// patching sets which rows are patched and not copied.
type patching struct {
	longRow int // arcs from which on a row is
	most    int // changes at which it is copied nevertheless
}

var usualPatching = patching{longRow: 1024, most: 256}

// key names the entries of a row that come and go together: those of a relationship, or the one of a group.
type key uint64

func relationshipKey(relationship uint32) key { return key(relationship) }
func groupKey(a Arc) key                      { return key(a) << 32 }

func (k key) isGroup() bool { return k>>32 != 0 }

func keyOf(a Arc, relationship uint32) key {
	if relationship == 0 {
		return groupKey(a)
	}
	return relationshipKey(relationship)
}

// with returns the row with one more entry.
func (r row) with(a Arc, relationship uint32, by patching) row {
	hasRoom := cap(r.arcs) > len(r.arcs) && cap(r.relationships) > len(r.relationships)
	if r.patch == nil && (len(r.arcs) < by.longRow || hasRoom) || r.changes() >= by.most {
		r = r.whole()
		return row{arcs: append(r.arcs, a), relationships: append(r.relationships, relationship)}
	}
	var p patch
	if r.patch != nil {
		p.gone, p.added = r.patch.gone, r.patch.added.clipped()
	}
	p.added = row{arcs: append(p.added.arcs, a), relationships: append(p.added.relationships, relationship)}
	r.patch = &p
	return r
}

// without returns the row without the entries of some keys, each of which it has.
func (r row) without(gone []key, by patching) row {
	if len(r.arcs) < by.longRow || r.changes()+len(gone) > by.most {
		return r.whole().cut(gone)
	}
	p := patch{gone: gone}
	if r.patch != nil {
		p.gone, p.added = slices.Concat(r.patch.gone, gone), r.patch.added.cut(gone)
	}
	r.patch = &p
	return r
}

func (r row) changes() int {
	if r.patch == nil {
		return 0
	}
	return len(r.patch.gone) + len(r.patch.added.arcs)
}

// whole returns the row without a patch. An append to it copies it.
func (r row) whole() row {
	if r.patch == nil {
		return r
	}
	if read := r.patch.read.Load(); read != nil {
		return *read
	}
	whole := row{arcs: r.arcs, relationships: r.relationships}.cut(r.patch.gone)
	whole.arcs = slices.Clip(append(whole.arcs, r.patch.added.arcs...))
	whole.relationships = slices.Clip(append(whole.relationships, r.patch.added.relationships...))
	r.patch.read.Store(&whole)
	return whole
}

func (r row) clipped() row {
	return row{slices.Clip(r.arcs), slices.Clip(r.relationships), r.patch}
}

// cut returns a fresh row that lacks the entries of some keys. It copies the rest piece by piece.
func (r row) cut(gone []key) row {
	gone = slices.Sorted(slices.Values(gone))
	var some sieve
	for _, k := range gone {
		some.add(k)
	}
	out := row{arcs: make([]Arc, 0, len(r.arcs)), relationships: make([]uint32, 0, len(r.arcs))}
	from := 0
	for i, a := range r.arcs {
		k := keyOf(a, r.relationships[i])
		if !some.mayHave(k) {
			continue
		}
		if _, ok := slices.BinarySearch(gone, k); ok {
			out.arcs, out.relationships = append(out.arcs, r.arcs[from:i]...), append(out.relationships, r.relationships[from:i]...)
			from = i + 1
		}
	}
	out.arcs, out.relationships = append(out.arcs, r.arcs[from:]...), append(out.relationships, r.relationships[from:]...)
	return out
}

// sieve recognises by one bit most keys that are not in a set: a hub has many arcs, of which few go.
type sieve [64]uint64

func (s *sieve) add(k key)          { s[(k^k>>32)>>6&63] |= 1 << ((k ^ k>>32) & 63) }
func (s *sieve) mayHave(k key) bool { return s[(k^k>>32)>>6&63]>>((k^k>>32)&63)&1 != 0 }
