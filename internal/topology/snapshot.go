package topology

import (
	"sync"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Snapshot is the graph at one revision. It never changes and needs no lock.
type Snapshot struct {
	tables
	revision   int64
	superseded chan struct{}
	memos      sync.Map // key → *memo
	descent    *descent
}

type memo struct {
	once  sync.Once
	value any
}

// Revision returns the last revision that the snapshot contains.
func (s *Snapshot) Revision() int64 { return s.revision }

// Digest returns the digest of the facts; it equals DigestOf the same facts read from elsewhere.
func (s *Snapshot) Digest() Digest { return s.digest }

// Superseded returns a channel that is closed when the graph has a newer snapshot.
func (s *Snapshot) Superseded() <-chan struct{} { return s.superseded }

// Memo returns the result of the first call of compute for key, for results that depend on the snapshot alone.
// Concurrent callers wait for the one that computes.
func (s *Snapshot) Memo(key any, compute func() any) any {
	m, ok := s.memos.Load(key)
	if !ok {
		m, _ = s.memos.LoadOrStore(key, new(memo))
	}
	one := m.(*memo)
	one.once.Do(func() { one.value = compute() })
	return one.value
}

// Index returns the place of a CI, or false if the CI is not known. A CI that is not in service is known and has no
// arcs. The id of a service finds its CI.
func (s *Snapshot) Index(ci ident.ID) (Vertex, bool) {
	if k := ci.Kind(); k != ident.CI && k != ident.Service || ci.Number() > maxVertex {
		return 0, false
	}
	v := s.vertexOf(ci)
	return v, s.cis.at(uint32(v)).isKnown()
}

// ID returns the id of the CI at v.
func (s *Snapshot) ID(v Vertex) ident.ID { return s.idOf(v) }

// PlacesAlike reports whether each CI that two snapshots know lies at the same place in both.
func (s *Snapshot) PlacesAlike(other *Snapshot) bool {
	return len(s.places) == len(other.places) && (len(s.places) == 0 || &s.places[0] == &other.places[0])
}

// Vertices returns one more than the highest Vertex: the length of an array by Vertex.
func (s *Snapshot) Vertices() int { return s.vertices() }

// Counters returns one more than the highest GroupIndex.
func (s *Snapshot) Counters() int { return s.groups.len() }

// CI returns the fact of the CI at v, or the zero CI if none is known.
func (s *Snapshot) CI(v Vertex) CI {
	if f := s.cis.at(uint32(v)); f.isKnown() {
		return f.unpack(s.idOf(v))
	}
	return CI{}
}

// InService reports whether the CI at v is known and neither planned nor retired.
func (s *Snapshot) InService(v Vertex) bool { return s.isInService(v) }

// Idle returns the relationships of the CI at v that take no effect because it is not in service. They are in no walk.
func (s *Snapshot) Idle(v Vertex) (all []Relationship) {
	number := s.number(v)
	for _, r := range listAt(&s.awaiting, uint32(number)) {
		if f := s.relationships.at(r); f.isKnown() && (f.source == number || f.target == number) {
			all = append(all, f.unpack(r))
		}
	}
	return all
}

// IsService reports whether the CI at v is a service.
func (s *Snapshot) IsService(v Vertex) bool {
	return s.cis.at(uint32(v)).class24tags8&ciService != 0
}

// Out returns the hot half of the arcs by which the CI at v harms others. Not to be changed.
func (s *Snapshot) Out(v Vertex) []Arc { return s.out.arcsOf(v) }

// In returns the hot half of the arcs by which others harm the CI at v, each of its groups once. Not to be changed.
func (s *Snapshot) In(v Vertex) []Arc { return s.in.arcsOf(v) }

// OutRelationships returns the relationship numbers beside Out. Not to be changed.
func (s *Snapshot) OutRelationships(v Vertex) []uint32 { return s.out.row(v).relationships }

// InRelationships returns the relationship numbers beside In, 0 beside a group. Not to be changed.
func (s *Snapshot) InRelationships(v Vertex) []uint32 { return s.in.row(v).relationships }

// Counter returns the group at g, compiled. Not to be changed.
func (s *Snapshot) Counter(g GroupIndex) *Counter { return s.groups.at(uint32(g)) }

// Dependent returns the CI whose dependencies the group at g combines.
func (s *Snapshot) Dependent(g GroupIndex) Vertex { return s.groups.at(uint32(g)).Dependent }

// GroupID returns the id of the dependency group at g.
func (s *Snapshot) GroupID(g GroupIndex) ident.ID { return ident.New(ident.DependencyGroup, int64(g)) }

// RelationshipID returns the id of the relationship with a number.
func (s *Snapshot) RelationshipID(number uint32) ident.ID {
	return ident.New(ident.Relationship, int64(number))
}

// Relationship returns the fact of that id, or false if it is not known.
func (s *Snapshot) Relationship(r ident.ID) (Relationship, bool) {
	if r.Kind() != ident.Relationship || r.Number() > maxRelationship {
		return Relationship{}, false
	}
	number := uint32(r.Number())
	f := s.relationships.at(number)
	if !f.isKnown() {
		return Relationship{}, false
	}
	return f.unpack(number), true
}

// Group returns the fact of that id, or false if it is not known.
func (s *Snapshot) Group(g ident.ID) (Group, bool) {
	if g.Kind() != ident.DependencyGroup || g.Number() > maxGroup {
		return Group{}, false
	}
	number := uint32(g.Number())
	c := s.groups.at(number)
	if !c.isKnown {
		return Group{}, false
	}
	return s.unpackGroup(number, c), true
}

// Knows reports whether the snapshot has a CI, a relationship or a group of that id. For ids of other kinds it returns
// false.
func (s *Snapshot) Knows(id ident.ID) (known bool) {
	switch id.Kind() {
	case ident.CI:
		_, known = s.Index(id)
	case ident.Relationship:
		_, known = s.Relationship(id)
	case ident.DependencyGroup:
		_, known = s.Group(id)
	default:
		return true
	}
	return known
}

// GroupsOf returns the dependency groups of the CI at v.
func (s *Snapshot) GroupsOf(v Vertex) []GroupIndex {
	var groups []GroupIndex
	for _, a := range s.In(v) {
		if k := a.Kind(); k == GroupArc || k == WeightedArc {
			groups = append(groups, a.Group())
		}
	}
	return groups
}

// Incidents returns the marks of the open incidents, by id. Not to be changed.
func (s *Snapshot) Incidents() []Incident { return s.incidents }

// Changes returns the marks of the changes that are being carried out, by id. Not to be changed.
func (s *Snapshot) Changes() []Change { return s.changes }
