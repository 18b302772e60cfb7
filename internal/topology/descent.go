package topology

import (
	"maps"
	"slices"
	"sync/atomic"
)

// descent says from what a snapshot came: a result is carried along it from one snapshot to the next. It holds no
// snapshot, so that a long line keeps none of them in memory.
type descent struct {
	before  atomic.Pointer[descent] // nil: what came before is not known, is not needed, or places its CIs elsewhere
	touched []Vertex                // between the two
	length  atomic.Int32
	result  atomic.Pointer[any]
}

// maxDescent is how many edits may lie between two snapshots of which the result is asked for. Beyond, it is worked out
// anew.
const maxDescent = 64

// next returns the descent of the snapshot that an edit makes.
func (d *descent) next(touched []Vertex) *descent {
	next := &descent{touched: touched}
	if n := d.length.Load(); n < maxDescent {
		next.length.Store(n + 1)
		next.before.Store(d)
	}
	return next
}

// touched returns the CIs that the last edit touched: those whose needs may be others, those that went into service or
// out of it, and those of which records say something else.
func (w *writer) touched() []Vertex {
	return slices.AppendSeq(slices.Clone(w.named), maps.Keys(w.renewed))
}

func (w *writer) renew(v Vertex) {
	if w.renewed != nil {
		w.renewed[v] = true
	}
}

type carriedKey struct{}

// Carried returns the result of compute, which is always asked to work out the same. If a snapshot from which this one
// came has that result, and places CIs alike, compute is given it, and the CIs that were touched since: those whose
// needs may be others, that went into service or out of it, or of which incidents and changes say something else, in no
// order, some several times. Otherwise before is nil. The result must not be nil and must not hold a snapshot. compute
// is called once for each snapshot.
func (s *Snapshot) Carried(compute func(before any, touched []Vertex) any) any {
	return s.Memo(carriedKey{}, func() any {
		if known := s.descent.result.Load(); known != nil {
			return *known // by the same snapshot before it was compacted
		}
		var touched []Vertex
		var before any
		for d := s.descent; before == nil; {
			earlier := d.before.Load()
			if earlier == nil {
				break
			}
			touched = append(touched, d.touched...)
			if known := earlier.result.Load(); known != nil {
				before = *known
			}
			d = earlier
		}
		if before == nil {
			touched = nil
		}
		result := compute(before, touched)
		s.descent.result.Store(&result)
		s.descent.before.Store(nil) // nobody asks beyond
		s.descent.length.Store(0)
		return result
	})
}
