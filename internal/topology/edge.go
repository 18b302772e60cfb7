package topology

import (
	"cmp"
	"iter"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Edge is one way on which impact can pass: From harms To. A relationship that flows both ways is two
// edges; one that lets nothing flow, or has an end that is not in service, is none.
type Edge struct {
	From, To     Vertex
	Relationship ident.ID
	Type         ident.ID
	Strength     Strength   // Hard or Soft, also where a group counts the edge whatever its strength
	Group        GroupIndex // the group that counts it; 0: it counts by itself
}

// Affects returns the edges from the CI at v. An edge that several groups count comes once for each.
func (s *Snapshot) Affects(v Vertex) iter.Seq[Edge] {
	return func(yield func(Edge) bool) {
		r := s.out.row(v)
		for i, a := range r.arcs {
			e := s.edge(v, a.Vertex(), r.relationships[i])
			if k := a.Kind(); k == GroupArc || k == WeightedArc {
				e.Group = a.Group()
				e.To = s.Counter(e.Group).Dependent
			}
			if !yield(e) {
				return
			}
		}
	}
}

// Needs returns the edges to the CI at v. An edge that several groups count comes once for each.
func (s *Snapshot) Needs(v Vertex) iter.Seq[Edge] {
	return func(yield func(Edge) bool) {
		r := s.in.row(v)
		for i, a := range r.arcs {
			if k := a.Kind(); k == HardArc || k == SoftArc {
				if !yield(s.edge(a.Vertex(), v, r.relationships[i])) {
					return
				}
				continue
			}
			for _, m := range s.Counter(a.Group()).Members {
				if m.From == 0 {
					continue
				}
				e := s.edge(m.From, v, m.Relationship)
				e.Group = a.Group()
				if !yield(e) {
					return
				}
			}
		}
	}
}

func (s *Snapshot) edge(from, to Vertex, relationship uint32) Edge {
	f := s.relationships.at(relationship)
	e := Edge{
		From: from, To: to, Relationship: ident.New(ident.Relationship, int64(relationship)),
		Type: ident.New(ident.RelationshipType, int64(f.typ)), Strength: Hard,
	}
	if s.isSoft(f) {
		e.Strength = Soft
	}
	return e
}

// Between returns every edge that starts and ends in a set of CIs, by relationship, then by the CI it comes from. If
// two CIs have several relationships that carry impact, it returns all of them, each way once even if several groups
// count it. It walks the rows of the direction that holds fewer arcs.
func (s *Snapshot) Between(vertices []Vertex) []Edge {
	within := make(map[Vertex]bool, len(vertices))
	outward, inward := 0, 0
	for _, v := range vertices {
		within[v] = true
		outward += len(s.Out(v))
		inward += len(s.In(v))
	}
	var edges []Edge
	for v := range within {
		walk := s.Affects(v)
		if inward < outward {
			walk = s.Needs(v)
		}
		for e := range walk {
			if within[e.From] && within[e.To] {
				edges = append(edges, e)
			}
		}
	}
	slices.SortFunc(edges, func(a, b Edge) int {
		return cmp.Or(cmp.Compare(a.Relationship, b.Relationship), cmp.Compare(s.number(a.From), s.number(b.From)), cmp.Compare(a.Group, b.Group))
	})
	return slices.CompactFunc(edges, func(a, b Edge) bool { return a.Relationship == b.Relationship && a.From == b.From })
}
