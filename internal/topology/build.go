package topology

// compileAll returns tables with both directions and all counters laid out from the facts, without an overlay: O(CIs +
// relationships + members). It only reads the tables it is given.
func (t tables) compileAll() tables {
	t.cis = table[ciFact]{flat: t.cis.compacted()}
	t.relationships = table[relationshipFact]{flat: t.relationships.compacted()}
	t.groups = table[Counter]{flat: t.groups.flatten()}
	n := len(t.cis.flat)
	several := map[uint32][]uint32{}
	ownMembers(t.groups.flat)
	for g := range t.groups.flat {
		c := &t.groups.flat[g]
		t.compileInto(c)
		n = max(n, int(c.Dependent)+1)
		for i := range c.Members {
			if r := c.Members[i].Relationship; t.relationships.at(r).tags&inSeveralGroups != 0 {
				several[r] = append(several[r], uint32(g))
			}
		}
	}
	groupsOf := func(r uint32, f *relationshipFact) []uint32 {
		if f.tags&inSeveralGroups != 0 {
			return several[r]
		}
		return nil
	}
	t.out = newAdjacency(n, func(arc func(Vertex, Arc, uint32)) {
		t.eachArc(groupsOf, func(h hop, a Arc, r uint32) { arc(h.from, a, r) })
	})
	t.in = newAdjacency(n, func(arc func(Vertex, Arc, uint32)) {
		t.eachArc(groupsOf, func(h hop, a Arc, r uint32) {
			if k := a.Kind(); k == HardArc || k == SoftArc {
				arc(h.to, arcTo(k, uint32(h.from)), r)
			}
		})
		for g := range t.groups.flat {
			if c := &t.groups.flat[g]; c.isKnown {
				arc(c.Dependent, c.arc(uint32(g)), 0)
			}
		}
	})
	return t
}

// ownMembers lays the members of all groups into one array that no earlier snapshot reads.
func ownMembers(groups []Counter) {
	members := 0
	for g := range groups {
		members += len(groups[g].Members)
	}
	arrivals := make([]Arrival, 0, members)
	for g := range groups {
		from := len(arrivals)
		arrivals = append(arrivals, groups[g].Members...)
		groups[g].Members = arrivals[from:len(arrivals):len(arrivals)]
	}
}

func (t *tables) eachArc(several func(uint32, *relationshipFact) []uint32, visit func(h hop, a Arc, r uint32)) {
	for r := range t.relationships.flat {
		f := &t.relationships.flat[r]
		t.arcs(f, several(uint32(r), f), func(h hop, a Arc) { visit(h, a, uint32(r)) })
	}
}

// arcs visits the out-arcs of one relationship: for each hop one arc per group that counts it, or a direct one if none
// does. several are its groups if it is in more than one.
func (t *tables) arcs(f *relationshipFact, several []uint32, visit func(h hop, a Arc)) {
	hops, n := t.hops(f)
	for _, h := range hops[:n] {
		counted := false
		count := func(g uint32) {
			if c := t.groups.at(g); c.isKnown && c.Dependent == h.to {
				counted = true
				visit(h, c.arc(g))
			}
		}
		if f.tags&inSeveralGroups != 0 {
			for _, g := range several {
				count(g)
			}
		} else if f.group != 0 {
			count(f.group)
		}
		switch {
		case counted:
		case t.isSoft(f):
			visit(h, arcTo(SoftArc, uint32(h.to)))
		default:
			visit(h, arcTo(HardArc, uint32(h.to)))
		}
	}
}
