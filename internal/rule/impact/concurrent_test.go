package impact_test

import (
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

func TestReadersAnswerFromOneRevisionWhileItGoesOn(t *testing.T) {
	var batches []topology.Batch
	truths := map[int64]string{}
	rapid.Custom(func(t *rapid.T) int {
		m := topologytest.Estate(t)
		batches, truths = []topology.Batch{m.Facts(0)}, map[int64]string{}
		truths[m.Revision] = said(impact.Estate(load(t, m, 1)), m)
		for range 120 {
			b := topologytest.Next(t, m)
			m.Apply(b)
			batches = append(batches, b)
			truths[m.Revision] = said(impact.Estate(load(t, m, 1)), m)
		}
		return 0
	}).Example(3)
	g := topology.New()
	if err := g.Load(batches[0]); err != nil {
		t.Fatal(err)
	}
	last := batches[len(batches)-1].Revision
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for at := batches[0].Revision; at <= last; at++ {
				s, err := g.Wait(t.Context(), at)
				if err != nil {
					t.Error(err)
					return
				}
				m := topologytest.NewModel()
				for v := range topology.Vertex(s.Vertices()) {
					if ci := s.CI(v); ci.ID != 0 {
						m.CIs[ci.ID] = ci
					}
				}
				if got, want := said(impact.Estate(s), m), truths[s.Revision()]; got != want {
					t.Errorf("at revision %d\n got %s\nwant %s", s.Revision(), got, want)
				}
			}
		})
	}
	for i, b := range batches[1:] {
		if err := g.Apply(b); err != nil {
			t.Fatal(err)
		}
		if i%10 == 0 {
			g.Compact()
		}
	}
	readers.Wait()
}
