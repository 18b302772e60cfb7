package impact

import (
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Consequences are the CIs in service that a write takes DOWN though nothing fails by it: docs/impact.md, "Consent".
// The lists are by id.
type Consequences struct {
	// ByItself are those that are DOWN after it though nothing failed, and were not before, and those that were DOWN
	// already of which one more need is broken.
	ByItself []ident.ID
	// Now are those beside them that are DOWN after it by what has failed, and were not before.
	Now []ident.ID
	// Broken are those of both at which it begins: what they need themselves is broken by the write.
	Broken []ident.ID
}

// ConsequencesOf compares the graph before a write with the one after it, which is a view of it. Renewed are the CIs
// whose needs may be others: see topology.Snapshot.After. It costs their needs, and what follows from them; if anything
// falls where something is DOWN already, also what is DOWN.
func ConsequencesOf(before, after *topology.Snapshot, renewed []topology.Vertex) (c Consequences) {
	alone := toppling{before: before, after: after, was: world(before, false, false)}
	alone.topple(renewed)
	byItself, broken := alone.fallen, alone.begins
	if len(byItself) > 0 && alone.was != nil {
		alone.confirm(world(after, false, true))
	}
	for _, v := range alone.brokenMore(renewed) {
		byItself[v], broken[v] = true, true
	}
	c.ByItself = idsOf(after, byItself)
	if facts := FactsOf(after); len(facts.Records) > 0 {
		now := toppling{before: before, after: after, was: world(before, true, false), given: facts.down, excluded: facts.excluded}
		if now.topple(renewed); len(now.fallen) > 0 {
			now.confirm(world(after, true, true))
		}
		for v := range byItself {
			delete(now.fallen, v)
			delete(now.begins, v)
		}
		c.Now = idsOf(after, now.fallen)
		maps.Copy(broken, now.begins)
	}
	c.Broken = idsOf(after, broken)
	return c
}

// IsEmpty reports whether nothing falls.
func (c Consequences) IsEmpty() bool { return len(c.ByItself)+len(c.Now) == 0 }

func idsOf(s *topology.Snapshot, vertices map[topology.Vertex]bool) (ids []ident.ID) {
	for v := range vertices {
		ids = append(ids, s.ID(v))
	}
	slices.Sort(ids)
	return ids
}

// toppling finds what goes DOWN by a write, beside what is DOWN already.
type toppling struct {
	before, after   *topology.Snapshot
	was             *Answer                     // the states before; nil: everything stood
	given, excluded map[topology.Vertex][]int32 // what has failed, and what stays up whatever does
	fallen, begins  map[topology.Vertex]bool    // the latter by their own needs, not by what else fell
}

// topple closes what falls, on the supposition that what was DOWN still is: it finds too much, never too little.
func (t *toppling) topple(renewed []topology.Vertex) {
	t.fallen, t.begins = map[topology.Vertex]bool{}, map[topology.Vertex]bool{}
	for _, v := range renewed {
		if t.canFall(v) && len(broken(t.after, v, t.wasDown)) > 0 {
			t.begins[v] = true
		}
	}
	queue := slices.Collect(maps.Keys(t.begins))
	for _, v := range queue {
		t.fallen[v] = true
	}
	for len(queue) > 0 {
		u := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		eachDependent(t.after, u, func(v topology.Vertex, _ topology.ArcKind) {
			if t.canFall(v) && len(broken(t.after, v, t.isDown)) > 0 {
				t.fallen[v] = true
				queue = append(queue, v)
			}
		})
	}
}

func (t *toppling) canFall(v topology.Vertex) bool {
	return t.after.InService(v) && !t.fallen[v] && len(t.excluded[v]) == 0 && !t.wasDown(v)
}

// wasDown reports whether a CI in service was DOWN before the write, or has failed.
func (t *toppling) wasDown(v topology.Vertex) bool {
	return t.after.InService(v) && (len(t.given[v]) > 0 || t.was != nil && int(v) < t.before.Vertices() && t.was.stateAt(v) == Down)
}

func (t *toppling) isDown(v topology.Vertex) bool { return t.fallen[v] || t.wasDown(v) }

// confirm keeps what is DOWN in the answer of after: the write may also have mended something.
func (t *toppling) confirm(is *Answer) {
	for _, some := range []map[topology.Vertex]bool{t.fallen, t.begins} {
		maps.DeleteFunc(some, func(v topology.Vertex, _ bool) bool { return is == nil || is.stateAt(v) != Down })
	}
}

// brokenMore returns the CIs that are DOWN before the write and after it, and of which it broke a need that held: not
// by what else falls, which is told itself.
func (t *toppling) brokenMore(renewed []topology.Vertex) (more []topology.Vertex) {
	if t.was == nil {
		return nil
	}
	is := world(t.after, false, true)
	if is == nil {
		return nil
	}
	wasDown := func(v topology.Vertex) bool { return t.was.stateAt(v) == Down }
	staysDown := func(v topology.Vertex) bool { return is.stateAt(v) == Down && t.wasDown(v) }
	for _, v := range renewed {
		if !staysDown(v) {
			continue
		}
		had := broken(t.before, v, wasDown)
		for need := range broken(t.after, v, staysDown) {
			if !had[need] {
				more = append(more, v)
				break
			}
		}
	}
	return more
}

// need is a relationship, or a group, by which a CI needs others.
type need struct {
	isGroup bool
	number  uint32
}

// broken returns the needs of a CI that nothing meets: HARD ones outside of groups of a CI that is RETIRED or DOWN, and
// groups of which too little is up.
func broken(s *topology.Snapshot, v topology.Vertex, isDown func(topology.Vertex) bool) map[need]bool {
	needs := map[need]bool{}
	for _, e := range s.Retired(v) {
		if e.Group == 0 {
			needs[need{number: uint32(e.Relationship.Number())}] = true
		}
	}
	relationships := s.InRelationships(v)
	for i, a := range s.In(v) {
		switch a.Kind() {
		case topology.HardArc:
			if isDown(a.Vertex()) {
				needs[need{number: relationships[i]}] = true
			}
		case topology.SoftArc:
		case topology.GroupArc, topology.WeightedArc:
			c, lost := s.Counter(a.Group()), uint32(0)
			for _, m := range c.Members {
				if m.From != 0 && isDown(m.From) {
					lost += m.Weight
				}
			}
			if c.Total-lost < c.Need {
				needs[need{true, uint32(a.Group())}] = true
			}
		}
	}
	return needs
}
