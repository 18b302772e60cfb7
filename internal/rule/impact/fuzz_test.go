package impact_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

// FuzzTheEngine lets the fuzzer steer the random estates and questions.
func FuzzTheEngine(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) {
		m := topologytest.Estate(t)
		s, q := load(t, m, 1), drawQuestion(t, m)
		n, a := judge(m, q), answer(t, s, q)
		for ci := range m.CIs {
			if a.State(ci) != n.states[ci] {
				t.Fatalf("%v is %v, want %v", ci, a.State(ci), n.states[ci])
			}
			if _, ok := a.Hit(ci); ok {
				checkProof(t, n, m, q, a, ci)
			}
		}
		_ = impact.Estate(s)
	}))
}
