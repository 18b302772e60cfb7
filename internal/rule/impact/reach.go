package impact

import (
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Reach returns the plain closure along the flow of impact, whatever strength and groups say: everything that the given
// CIs could ever harm, themselves included, nearest first. It keeps what it saw as a bit for each CI, which stays in
// the cache where a word would not.
func Reach(ctx context.Context, s *topology.Snapshot, cis []ident.ID) ([]topology.Vertex, error) {
	start, err := locateAll(s, cis)
	if err != nil {
		return nil, err
	}
	m := borrow(s)
	defer m.release()
	if words := s.Vertices()/64 + 1; len(m.seen) < words {
		m.seen = make(flags, words+words/8)
	}
	seen, found := m.seen, m.queue
	defer func() {
		for _, v := range found {
			seen[v>>6] = 0
		}
		m.queue = found
	}()
	for _, v := range start {
		if !seen.has(uint32(v)) {
			seen.set(uint32(v))
			found = append(found, v)
		}
	}
	p := patience{ctx: ctx}
	for head := 0; head < len(found); head++ {
		arcs := s.Out(found[head])
		for _, a := range arcs {
			v := a.Vertex()
			if a.Kind() >= topology.GroupArc {
				v = s.Dependent(a.Group())
			}
			if bit := uint64(1) << (v & 63); seen[v>>6]&bit == 0 {
				seen[v>>6] |= bit
				found = append(found, v)
			}
		}
		if p.isSpent(len(arcs) + 1) {
			return nil, p.err
		}
	}
	return slices.Clone(found), nil
}
