package topology

import "math/bits"

// overlay is a sparse copy-on-write array laid over a flat one. It is cut into chunks of 1,024 places; a chunk holds a
// bitmap of the places it covers and only their values, so that asking for a place that is not covered touches one word
// of a bitmap that stays in the cache. A write copies the directory of chunks and one chunk, whatever the size of the
// array; further writes of the same edit copy nothing. Chunks that belong to no open edit never change again, which
// makes snapshots immutable.
type overlay[T any] struct {
	chunks []*chunk[T]
	edit   uint64 // the edit that may still write to the directory
	length int    // one past the highest place covered
	count  int    // places covered
}

const (
	chunkBits  = 10
	chunkPlace = 1<<chunkBits - 1
	chunkWords = 1 << chunkBits / 64
)

type chunk[T any] struct {
	covered [chunkWords]uint64
	before  [chunkWords]uint16 // values that come before those of this word
	edit    uint64
	values  []T
}

// find returns the value over place i, or nil if the flat array below holds.
func (o *overlay[T]) find(i uint32) *T {
	if int(i>>chunkBits) >= len(o.chunks) {
		return nil
	}
	c := o.chunks[i>>chunkBits]
	if c == nil {
		return nil
	}
	word, bit := (i&chunkPlace)>>6, uint64(1)<<(i&63)
	if c.covered[word]&bit == 0 {
		return nil
	}
	return &c.values[int(c.before[word])+bits.OnesCount64(c.covered[word]&(bit-1))]
}

// set lays v over place i on behalf of an edit.
func (o *overlay[T]) set(i uint32, v T, edit uint64) {
	o.own(int(i>>chunkBits), edit)
	c := o.chunks[i>>chunkBits]
	word, bit := (i&chunkPlace)>>6, uint64(1)<<(i&63)
	at := int(c.before[word]) + bits.OnesCount64(c.covered[word]&(bit-1))
	if c.covered[word]&bit != 0 {
		c.values[at] = v
		return
	}
	var zero T
	c.values = append(c.values, zero)
	copy(c.values[at+1:], c.values[at:])
	c.values[at] = v
	c.covered[word] |= bit
	for w := word + 1; w < chunkWords; w++ {
		c.before[w]++
	}
	o.count++
	o.length = max(o.length, int(i)+1)
}

// own makes the directory and one chunk writable for an edit.
func (o *overlay[T]) own(at int, edit uint64) {
	if o.edit != edit || at >= len(o.chunks) {
		chunks := make([]*chunk[T], max(len(o.chunks), at+1))
		copy(chunks, o.chunks)
		o.chunks, o.edit = chunks, edit
	}
	switch c := o.chunks[at]; {
	case c == nil:
		o.chunks[at] = &chunk[T]{edit: edit}
	case c.edit != edit:
		own := &chunk[T]{covered: c.covered, before: c.before, edit: edit, values: make([]T, len(c.values), len(c.values)+1)}
		copy(own.values, c.values)
		o.chunks[at] = own
	}
}

// each visits the covered places in order.
func (o *overlay[T]) each(visit func(i uint32, v *T)) {
	for at, c := range o.chunks {
		if c == nil {
			continue
		}
		k := 0
		for word, covered := range c.covered {
			for ; covered != 0; covered &= covered - 1 {
				visit(uint32(at<<chunkBits|word<<6|bits.TrailingZeros64(covered)), &c.values[k])
				k++
			}
		}
	}
}

// table is a flat array under an overlay. A place that neither covers holds the zero value.
type table[T any] struct {
	flat  []T
	delta overlay[T]
}

func (t *table[T]) len() int { return max(len(t.flat), t.delta.length) }

// at returns a pointer to the value of a place. It must not be written to.
func (t *table[T]) at(i uint32) *T {
	if v := t.delta.find(i); v != nil {
		return v
	}
	if int(i) < len(t.flat) {
		return &t.flat[i]
	}
	return new(T)
}

// compacted returns the table as one flat array: the one below, if nothing lies over it. Not to be changed.
func (t *table[T]) compacted() []T {
	if t.delta.count == 0 {
		return t.flat
	}
	return t.flatten()
}

// flatten copies table and overlay into one flat array.
func (t *table[T]) flatten() []T {
	flat := make([]T, t.len())
	copy(flat, t.flat)
	t.delta.each(func(i uint32, v *T) { flat[i] = *v })
	return flat
}
