package impact

import (
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// baseline is what has happened before the failures that are asked about. A nil baseline is an estate in which
// everything stands.
type baseline struct {
	gone map[topology.Vertex]bool       // DOWN already (true) or excluded (false): nothing more happens to them
	lost map[topology.GroupIndex]uint64 // what groups have lost already, in their measure
	calm map[topology.Vertex]bool       // in maintenance: what happens to them alarms nobody
	kept bool                           // with the snapshot
}

type baselineKey struct{ onFacts bool }

// keptBaseline returns what is broken by itself, and by the facts if asked, as a baseline that is kept with the
// snapshot; nil if nothing is.
func keptBaseline(s *topology.Snapshot, onFacts bool) *baseline {
	onFacts = onFacts && len(FactsOf(s).Records) > 0
	if !onFacts && !s.HasUnmet() {
		return nil
	}
	return s.Memo(baselineKey{onFacts}, func() any {
		b, err := newBaseline(noHurry, s, Question{OnFacts: onFacts})
		if err != nil {
			panic(err) // it names no CI, and nobody cancels
		}
		b.kept = true
		return b
	}).(*baseline)
}

// isKept reports whether what is worked out beside the baseline may be kept with the snapshot.
func (b *baseline) isKept() bool { return b == nil || b.kept }

// baselineOf works out what follows from a question before any further failure. Only what is DOWN can take
// anything DOWN: what is DEGRADED is no part of it.
func baselineOf(ctx context.Context, s *topology.Snapshot, q Question) (*baseline, error) {
	if len(q.Failed)+len(q.Excluded)+len(q.Maintenance) == 0 {
		return keptBaseline(s, q.OnFacts), nil
	}
	return newBaseline(ctx, s, q)
}

func newBaseline(ctx context.Context, s *topology.Snapshot, q Question) (*baseline, error) {
	m := borrow(s)
	defer m.release()
	p := propagation{Question: Question{Failed: q.Failed, Excluded: q.Excluded, Maintenance: q.Maintenance, OnFacts: q.OnFacts}, s: s, m: m, patience: patience{ctx: ctx}}
	if err := p.prepare(); err != nil {
		return nil, err
	}
	p.fallShort()
	if p.closeDown(); p.err != nil {
		return nil, p.err
	}
	b := &baseline{gone: make(map[topology.Vertex]bool, len(m.hits)), lost: make(map[topology.GroupIndex]uint64, len(m.tallies)), calm: p.maintained}
	for _, h := range m.hits {
		b.gone[h.vertex] = true
	}
	for _, v := range slices.Concat(p.barred, p.held) {
		b.gone[v] = false
	}
	for _, t := range m.tallies {
		b.lost[t.group] = uint64(t.down)
	}
	return b, nil
}

// resume lets a propagation begin where the baseline ended.
func (p *propagation) resume(b *baseline) {
	if b == nil {
		return
	}
	for v := range b.gone {
		p.m.mark(v, isExcluded) // it has passed on what it has
	}
	for g, lost := range b.lost {
		p.m.tally(g).down = uint32(lost)
	}
}

func (b *baseline) isGone(v topology.Vertex) bool {
	if b == nil {
		return false
	}
	_, ok := b.gone[v]
	return ok
}

// isDown reports whether a CI is DOWN already.
func (b *baseline) isDown(v topology.Vertex) bool { return b != nil && b.gone[v] }

// counts reports whether it matters that a CI goes DOWN.
func (b *baseline) counts(v topology.Vertex) bool { return b == nil || !b.isGone(v) && !b.calm[v] }

// breaksAt returns how much more a group must lose to break its dependent, which is up; 0 if it never does.
func (b *baseline) breaksAt(c *topology.Counter, g topology.GroupIndex) uint64 {
	breaks := breaksAt(c)
	if b == nil || breaks == 0 {
		return breaks
	}
	return breaks - min(b.lost[g], breaks)
}
