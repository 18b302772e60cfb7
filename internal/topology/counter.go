package topology

import (
	"cmp"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Counter is a dependency group compiled for counting: how much its present members add up to, and how
// much of that must hold by docs/impact.md. Members count 1 each, or by weight in a Weighted group. Need never exceeds
// Total, so that a group is broken by failures and not by members that were never modelled; an empty one never is.
type Counter struct {
	Dependent   Vertex
	Need, Total uint32
	Mode        Mode
	isKnown     bool
	threshold   uint32
	Members     []Arrival // by relationship; not to be changed
}

// Arrival is one member of a group: a relationship and the CI whose state it brings, 0 while it brings none.
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
	i, found := slices.BinarySearchFunc(c.Members, relationship, func(m Arrival, r uint32) int { return cmp.Compare(m.Relationship, r) })
	if !found {
		return 0
	}
	return c.Members[i].Weight
}

// compile returns c with its present members and the need of its mode worked out, in O(members).
func (t *tables) compile(c Counter) Counter {
	c.Members = slices.Clone(c.Members)
	t.compileInto(&c)
	return c
}

func (t *tables) compileInto(c *Counter) {
	c.Total = 0
	for i := range c.Members {
		m := &c.Members[i]
		m.From = 0
		hops, n := t.hops(t.relationships.at(m.Relationship))
		for _, h := range hops[:n] {
			if h.to == c.Dependent {
				m.From = h.from
				c.Total += m.Weight
			}
		}
	}
	var need uint64
	switch c.Mode {
	case All:
		need = uint64(c.Total)
	case Any:
		need = 1
	case AtLeast, Weighted:
		need = uint64(c.threshold)
	case Percent:
		need = (uint64(c.threshold)*uint64(c.Total) + 99) / 100
	}
	c.Need = uint32(min(need, uint64(c.Total)))
}
