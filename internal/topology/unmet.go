package topology

import (
	"iter"
	"slices"
)

// Unmet visits the CIs in service that something is missing to though nothing failed: a RETIRED CI which they HARD need
// outside any group, or enough members of a group. There are few, and they are kept with the graph.
func (s *Snapshot) Unmet() iter.Seq[Vertex] {
	return func(yield func(Vertex) bool) {
		if s.short == 0 {
			return
		}
		isDone := false
		s.unmet.each(func(number uint32, needs *[]key) {
			if !isDone && len(*needs) > 0 {
				isDone = !yield(s.place(ciNumber(number)))
			}
		})
	}
}

// HasUnmet reports whether Unmet visits any.
func (s *Snapshot) HasUnmet() bool { return s.short > 0 }

// IsUnmet reports whether Unmet visits the CI at v.
func (s *Snapshot) IsUnmet(v Vertex) bool { return len(listAt(&s.unmet, uint32(s.number(v)))) > 0 }

// Retired returns the edges from RETIRED CIs to the CI at v: what it HARD needs outside any group, and what its groups
// count and never have. They are in no other walk.
func (s *Snapshot) Retired(v Vertex) []Edge {
	var edges []Edge
	for _, k := range listAt(&s.unmet, uint32(s.number(v))) {
		if !k.isGroup() {
			from, _ := s.arrival(uint32(k), v)
			edges = append(edges, s.edge(from, v, uint32(k)))
		}
	}
	for _, g := range s.GroupsOf(v) {
		c := s.Counter(g)
		if c.Retired == 0 {
			continue
		}
		for _, m := range c.Members {
			if from, ok := s.arrival(m.Relationship, v); ok && s.cis.at(uint32(from)).isRetired() {
				e := s.edge(from, v, m.Relationship)
				e.Group = g
				edges = append(edges, e)
			}
		}
	}
	return edges
}

// lack notes that a need of a CI is not met, or no longer.
func (w *writer) lack(v Vertex, need key, is bool) {
	number := uint32(w.number(v))
	before := listAt(&w.unmet, number)
	if slices.Contains(before, need) == is {
		return
	}
	after := slices.DeleteFunc(slices.Clone(before), func(k key) bool { return k == need })
	if is {
		after = append(after, need)
		slices.Sort(after)
	}
	w.short += int(flag(len(after) > 0)) - int(flag(len(before) > 0))
	w.unmet.set(number, after, w.edit)
	w.renew(v)
}

// lacks notes for a relationship whether it is a need that is not met: HARD, outside any group, and its cause RETIRED.
// With withdrawn it takes back what it noted.
func (w *writer) lacks(r uint32, withdrawn bool) {
	f := w.relationships.at(r)
	if w.isSoft(f) {
		return
	}
	ways, n := w.ways(f)
	for _, h := range ways[:n] {
		if w.cis.at(uint32(h.from)).isRetired() && w.isInService(h.to) && !w.isCounted(r, f, h.to) {
			w.lack(h.to, relationshipKey(r), !withdrawn)
		}
	}
}

// isCounted reports whether a group of a CI counts a relationship.
func (w *writer) isCounted(r uint32, f *relationshipFact, at Vertex) bool {
	counts := func(g uint32) bool { c := w.groups.at(g); return c.isKnown && c.Dependent == at }
	if f.tags&inSeveralGroups != 0 {
		return slices.ContainsFunc(w.membershipsOf(r), counts)
	}
	return f.group != 0 && counts(f.group)
}

// lackAll notes every need that is not met. O(relationships + groups).
func (w *writer) lackAll() {
	w.unmet, w.short = overlay[[]key]{}, 0
	for r := range w.relationships.flat {
		w.lacks(uint32(r), false)
	}
	for g := range w.groups.flat {
		if c := &w.groups.flat[g]; c.IsShort() {
			w.lack(c.Dependent, shortKey(uint32(g)), true)
		}
	}
}

// shortKey returns the name of a group among unmet needs.
func shortKey(g uint32) key { return groupKey(arcTo(GroupArc, g)) }
