package impact

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

type wholePlanKey struct{}

// InServiceWith returns the graph on which a question about some CIs is answered (docs/impact.md, "In service"): if one
// of them is PLANNED or in BUILD, a view in which they and all that they need are LIVE, and true; otherwise s itself.
// It costs a walk over what they need, and for the first such question on a snapshot a pass over all CIs. CIs that the
// snapshot does not know are passed over.
func InServiceWith(ctx context.Context, s *topology.Snapshot, cis []ident.ID) (view *topology.Snapshot, isSupposed bool, err error) {
	var known []ident.ID
	for _, ci := range cis {
		if v, ok := s.Index(ci); ok {
			known = append(known, ci)
			isSupposed = isSupposed || s.CI(v).IsPlanned
		}
	}
	if !isSupposed {
		return s, false, nil
	}
	// Their needs are looked up where all plans are carried out: on the way there may be planned CIs behind live ones.
	whole := s.Memo(wholePlanKey{}, func() any {
		var b topology.Batch
		for v := range topology.Vertex(s.Vertices()) {
			if c := s.CI(v); c.IsPlanned {
				b.CIs = append(b.CIs, live(c))
			}
		}
		view, err := s.With(b)
		if err != nil {
			panic(err) // all is in the snapshot
		}
		return view
	}).(*topology.Snapshot)
	needs, err := Dependencies(ctx, whole, known, Limits{})
	if err != nil {
		return nil, false, err
	}
	for _, n := range needs.CIs {
		known = append(known, n.CI)
	}
	var b topology.Batch
	for _, ci := range known {
		if v, _ := s.Index(ci); s.CI(v).IsPlanned {
			b.CIs = append(b.CIs, live(s.CI(v)))
		}
	}
	view, err = s.With(b)
	return view, true, err
}

func live(c topology.CI) topology.CI {
	c.IsPlanned = false
	return c
}
