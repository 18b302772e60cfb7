package impact

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Cone is a set of CIs of one snapshot that holds, with each CI, everything that could harm it. Failures outside do not
// matter inside.
type Cone []uint64

// ConeOf returns all that could ever harm some CIs, whatever strength and groups say, themselves included. It is linear
// in the arcs that it walks. If the context ends, it returns the context's error: half a cone says nothing.
func ConeOf(ctx context.Context, s *topology.Snapshot, of []topology.Vertex) (Cone, error) {
	m := borrow(s)
	defer m.release()
	w := walk{s: s, m: m, patience: patience{ctx: ctx}, against: true}
	w.from(of)
	if w.err != nil {
		return nil, w.err
	}
	c := make(Cone, s.Vertices()/64+1)
	for _, v := range w.found {
		c[v>>6] |= 1 << (v & 63)
	}
	return c, nil
}

// Has reports whether the CI at v is in the cone.
func (c Cone) Has(v topology.Vertex) bool {
	return int(v>>6) < len(c) && c[v>>6]>>(v&63)&1 != 0
}

// Within answers a question for the CIs of a cone alone, by the arcs of these: states, distances and paths are those of
// the whole answer, except that it does not look for what is AT_RISK. If none of the CIs at some places is DEGRADED or
// DOWN, it returns nil. If the context ends, it returns the context's error.
func (c Cone) Within(ctx context.Context, s *topology.Snapshot, failed []topology.Vertex, at []topology.Vertex) (*Answer, error) {
	_, without, err := withoutFailures(ctx, s, allDown(s, failed))
	if err != nil {
		return nil, err
	}
	m := borrow(s)
	defer m.release()
	p := propagation{s: s, m: m, patience: patience{ctx: ctx}, within: c, down: failed, without: without}
	p.fallShort()
	p.closeDown()
	p.closeDegraded()
	if p.err != nil {
		return nil, p.err
	}
	for _, v := range at {
		if i, ok := m.marked(v); ok && (without == nil || m.hits[i].has(isNamed) || m.hits[i].state > without.stateAt(v)) {
			return p.answer(), nil
		}
	}
	return nil, nil
}

// allDown asks what follows when some CIs are DOWN.
func allDown(s *topology.Snapshot, failed []topology.Vertex) (q Question) {
	for _, v := range failed {
		q.Failed = append(q.Failed, Failure{CI: s.ID(v), State: Down})
	}
	return q
}
