package topology

import (
	"cmp"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Counter is a dependency group compiled for counting: how much its members in service add up to, and how much of that
// must hold by docs/impact.md. Members count 1 each, or by weight in a Weighted group. If Need exceeds Total, the group
// is broken without any failure: Retired is what its RETIRED members add up to, which count in the need and are never
// up. A group whose dependent is not in service has and needs nothing.
type Counter struct {
	Dependent   Vertex
	Need, Total uint32
	Retired     uint32
	Mode        Mode
	isKnown     bool
	threshold   uint32
	Members     []Arrival // by relationship; not to be changed
}

// IsShort reports whether a group is broken though nothing failed.
func (c *Counter) IsShort() bool { return c.Need > c.Total }

// Spares returns how much of its members in service a group can do without; less than 0 where it is short.
func (c *Counter) Spares() int { return int(c.Total) - int(c.Need) }

// Arrival is one member of a group: a relationship and the CI whose state it brings, 0 while it brings none: an end is
// not in service, or impact does not arrive at the dependent.
type Arrival struct {
	Relationship uint32
	From         Vertex
	Weight       uint32 // its weight in a Weighted group, else 1
	weight       uint32 // as the fact says
}

func (n *numbering) packGroup(f Group) Counter {
	c := Counter{
		Dependent: n.vertexOf(f.Dependent), Mode: f.Mode, isKnown: true, threshold: uint32(f.Threshold),
		Members: make([]Arrival, len(f.Members)),
	}
	for i, m := range f.Members {
		c.Members[i] = Arrival{Relationship: uint32(m.Relationship.Number()), Weight: 1, weight: uint32(m.Weight)}
		if f.Mode == Weighted {
			c.Members[i].Weight = uint32(m.Weight)
		}
	}
	return c
}

func (n *numbering) unpackGroup(number uint32, c *Counter) Group {
	f := Group{
		ID: ident.New(ident.DependencyGroup, int64(number)), Dependent: n.idOf(c.Dependent), Mode: c.Mode, Threshold: int(c.threshold),
		Members: make([]Member, len(c.Members)),
	}
	for i, m := range c.Members {
		f.Members[i] = Member{ident.New(ident.Relationship, int64(m.Relationship)), int(m.weight)}
	}
	return f
}

// arc returns the arc by which members and the dependent point at the group.
func (c *Counter) arc(number uint32) Arc {
	if c.Mode == Weighted {
		return arcTo(WeightedArc, number)
	}
	return arcTo(GroupArc, number)
}

// WeightOf returns the weight of a member's relationship, in O(log members), or 0 if it is not a member.
func (c *Counter) WeightOf(relationship uint32) uint32 {
	i, ok := slices.BinarySearchFunc(c.Members, relationship, func(m Arrival, r uint32) int { return cmp.Compare(m.Relationship, r) })
	if !ok {
		return 0
	}
	return c.Members[i].Weight
}

// compile returns c with its members in service and its need worked out, in O(members).
func (t *tables) compile(c Counter) Counter {
	c.Members = slices.Clone(c.Members)
	t.compileInto(&c)
	return c
}

func (t *tables) compileInto(c *Counter) {
	isInService := t.isInService(c.Dependent)
	planned := uint32(0)
	c.Need, c.Total, c.Retired = 0, 0, 0
	for i := range c.Members {
		m := &c.Members[i]
		m.From = 0
		from, ok := t.arrival(m.Relationship, c.Dependent)
		if !ok || !isInService {
			continue
		}
		switch f := t.cis.at(uint32(from)); {
		case f.isInService():
			m.From = from
			c.Total += m.Weight
		case f.isRetired():
			c.Retired += m.Weight
		case f.isPlanned():
			planned += m.Weight
		}
	}
	if c.Total+c.Retired+planned > 0 {
		c.Need = need(c.Mode, c.threshold, c.Total+c.Retired, planned)
	}
}

// need returns what a group with members needs, the one place where a threshold is read: counted is what its members in
// service and its RETIRED ones add up to, planned what PLANNED and BUILD ones would.
func need(mode Mode, threshold, counted, planned uint32) uint32 {
	switch mode {
	case All:
		return counted
	case Percent:
		return uint32((uint64(threshold)*uint64(counted) + 99) / 100)
	case Any:
		threshold = 1
	case AtLeast, Weighted:
	}
	return min(threshold, max(counted, threshold-min(threshold, planned)))
}

// arrival returns the CI whose impact a relationship brings to another one if both are in service.
func (t *tables) arrival(relationship uint32, at Vertex) (from Vertex, arrives bool) {
	ways, n := t.ways(t.relationships.at(relationship))
	for _, h := range ways[:n] {
		if h.to == at {
			return h.from, true
		}
	}
	return 0, false
}
