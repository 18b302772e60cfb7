package impact

import (
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Strained lists the groups that have members DOWN in the answer and still enough up, in order: what one failure more may break.
func (a *Answer) Strained() []topology.GroupIndex {
	var groups []topology.GroupIndex
	for _, t := range a.tallies {
		if c := a.snapshot.Counter(t.group); t.down > 0 && c.Total-t.down >= c.Need {
			groups = append(groups, t.group)
		}
	}
	slices.Sort(groups)
	return groups
}

// BreakTogether lists the groups that hold in either answer and break when what is DOWN in one is DOWN beside what is
// DOWN in the other. Where there is none, nothing else goes DOWN either: the CIs DOWN in one answer or the other are closed under
// the rules then, since what a HARD dependency takes down is in the answer of its cause, and a group that breaks by
// members of one answer alone has broken there. Both answers are of one snapshot. O(members of the strained groups they share).
func BreakTogether(a, b *Answer) []topology.GroupIndex {
	var broken []topology.GroupIndex
	others := b.Strained()
	for _, g := range a.Strained() {
		if _, shared := slices.BinarySearch(others, g); !shared {
			continue
		}
		c, lost := a.snapshot.Counter(g), uint32(0)
		for _, m := range c.Members {
			if m.From != 0 && (a.stateAt(m.From) == Down || b.stateAt(m.From) == Down) {
				lost += m.Weight
			}
		}
		if c.Total-lost < c.Need {
			broken = append(broken, g)
		}
	}
	return broken
}

// Cone is a set of CIs of one snapshot: everything that could harm some CIs.
type Cone []uint64

// ConeOf is all that could ever harm some CIs, whatever strength and groups say, themselves included. Linear in the arcs
// that it walks. A context that ends is its error: half a cone says nothing.
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
func (c Cone) Has(v topology.Vertex) bool { return c[v>>6]>>(v&63)&1 != 0 }

// Hop is the step by which a member of a group harms the CI that depends on the group; false where it is no member.
func Hop(s *topology.Snapshot, member topology.Vertex, g topology.GroupIndex) (Step, bool) {
	var best topology.Edge
	for e := range s.Affects(member) {
		if e.Group == g && (best.From == 0 || precedes(e, best)) {
			best = e
		}
	}
	if best.From == 0 {
		return Step{}, false
	}
	return stepOf(s, best), true
}

// DownMember is the member of a group that is DOWN in the answer and in no other, the nearest to what failed, then the lowest; false
// where there is none.
func (a *Answer) DownMember(g topology.GroupIndex, other *Answer) (ident.ID, bool) {
	var best Hit
	for _, m := range a.snapshot.Counter(g).Members {
		if m.From == 0 || a.stateAt(m.From) != Down || other.stateAt(m.From) == Down {
			continue
		}
		h, _ := a.Hit(a.snapshot.ID(m.From))
		if best.CI == 0 || h.Distance < best.Distance || h.Distance == best.Distance && h.CI < best.CI {
			best = h
		}
	}
	return best.CI, best.CI != 0
}
