package conflict

import (
	"cmp"
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// leaving returns the finder on the graph as a change is going to leave it. If the change leaves the graph as it is, or
// its operations cannot be laid over it, leaving returns f itself.
func (f *Finder) leaving(c *Change) *Finder {
	if found := f.plans[c.ID]; found != nil {
		return found
	}
	f.plans[c.ID] = f.laid(c)
	return f.plans[c.ID]
}

func (f *Finder) laid(c *Change) *Finder {
	if len(c.Operations) == 0 {
		return f
	}
	view, err := operation.On(f.graph, c.Operations, f.words)
	if err != nil {
		return f
	}
	over := NewFinder(view.Snapshot, f.words)
	over.onFacts = f.onFacts
	over.replanned = slices.Clone(f.replanned)
	for _, ci := range view.Touched {
		if v, ok := f.graph.Index(ci); ok {
			over.replanned = append(over.replanned, v)
		}
	}
	return over
}

// Weakened lists, in order, the CIs with a group that can lose fewer members once the operations of a change are
// applied than now.
func (f *Finder) Weakened(c *Change) (cis []ident.ID) {
	after := f.leaving(c)
	for _, v := range after.replanned {
		if after.graph.InService(v) && slices.ContainsFunc(f.graph.GroupsOf(v), func(g topology.GroupIndex) bool { return weakens(f.graph, after.graph, v, g) }) {
			cis = append(cis, f.graph.ID(v))
		}
	}
	slices.Sort(cis)
	return slices.Compact(cis)
}

// WeakenedGroups lists the groups, in order, that can lose fewer members once the operations of a change are applied
// than now.
func (f *Finder) WeakenedGroups(c *Change) (groups []ident.ID) {
	after := f.leaving(c)
	for _, v := range after.replanned {
		for _, g := range f.graph.GroupsOf(v) {
			if after.graph.InService(v) && weakens(f.graph, after.graph, v, g) {
				groups = append(groups, f.graph.GroupID(g))
			}
		}
	}
	slices.Sort(groups)
	return slices.Compact(groups)
}

// weakens reports whether a group of a CI can lose fewer members in one graph than in the one before. If the group is
// gone, each of its members counts alone: none can be lost as long as the CI needs one.
func weakens(before, after *topology.Snapshot, v topology.Vertex, g topology.GroupIndex) bool {
	was := before.Counter(g)
	if slices.Contains(after.GroupsOf(v), g) {
		is := after.Counter(g)
		return is.Spares() < was.Spares()
	}
	return was.Spares() > 0 && slices.ContainsFunc(was.Members, func(m topology.Arrival) bool {
		_, ok := after.Relationship(after.RelationshipID(m.Relationship))
		return m.From != 0 && ok && after.InService(m.From)
	})
}

// both returns the finder on the graph as two changes are going to leave it: the one that starts first is applied
// first.
func (f *Finder) both(c, other *Change) *Finder {
	if cmp.Or(c.Planned.From.Compare(other.Planned.From), cmp.Compare(c.ID, other.ID)) > 0 {
		c, other = other, c
	}
	return f.leaving(c).laid(other)
}

// asPlanned finds the conflicts of a change with others at the same time on the graph as both are going to leave it.
// Operations are applied when a change starts, so those of both hold while both are carried out. It looks only at
// changes for which the operations of one of the two matter.
func (m *meeting) asPlanned(ctx context.Context, others []Change) (found []Conflict, err error) {
	own := m
	if view := m.leaving(m.of); view != m.Finder {
		if own, err = view.meeting(ctx, m.of); err != nil {
			return nil, err
		}
		defer own.outage.Release()
	}
	for i := range others {
		other := &others[i]
		if other.ID == m.of.ID || !m.of.Planned.Overlaps(other.Planned) {
			continue
		}
		with, theirs := own, m.Finder
		alone := m.leaving(other)
		isConcerned, err := own.concerns(ctx, alone.replanned)
		if err != nil {
			return nil, err
		}
		if isConcerned {
			if with, err = m.both(m.of, other).meeting(ctx, m.of); err != nil {
				return nil, err
			}
			theirs = alone
		} else if own == m {
			continue
		}
		more, err := with.beyond(ctx, other, own, theirs)
		if with != own {
			with.outage.Release()
		}
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}

// concerns reports whether operations on the relationships or groups of some CIs can matter to the change: it depends
// on these CIs, or they could suffer from the CIs it touches or from its own operations.
func (m *meeting) concerns(ctx context.Context, replanned []topology.Vertex) (bool, error) {
	if slices.ContainsFunc(replanned, m.harm.Has) || slices.ContainsFunc(replanned, m.join.Has) {
		return true, nil
	}
	if len(replanned) > 0 && m.beneath == nil {
		var from []ident.ID
		for _, v := range slices.Concat(m.touched, m.replanned) {
			from = append(from, m.graph.ID(v))
		}
		reached, err := impact.Reach(ctx, m.graph, from)
		if err != nil {
			return false, err
		}
		m.beneath = make(map[topology.Vertex]bool, len(reached))
		for _, v := range reached {
			m.beneath[v] = true
		}
	}
	return slices.ContainsFunc(replanned, func(v topology.Vertex) bool { return m.beneath[v] }), nil
}

// beyond returns the conflicts with another change on a planned graph. A CI that either change alone takes DOWN once
// its operations are applied is no joint failure, and neither is a service that does not exist yet.
func (m *meeting) beyond(ctx context.Context, other *Change, own *meeting, theirs *Finder) ([]Conflict, error) {
	mine, err := own.fall(ctx, own.of.ID, own.down)
	if err != nil {
		return nil, err
	}
	alone, err := theirs.fall(ctx, other.ID, theirs.locate(other).down)
	if err != nil {
		return nil, err
	}
	return m.with(ctx, other, func(ctx context.Context, other *Change, down places) (c Conflict, err error) {
		if m == own && !slices.ContainsFunc(down.down, m.join.Has) {
			return c, nil
		}
		fallen, err := m.outage.With(down.down)
		if err != nil {
			return c, err
		}
		if m != own {
			fallen = append(fallen, m.outage.Down()...)
		}
		fresh := slices.DeleteFunc(fallen, func(v topology.Vertex) bool { return mine.Has(v) || alone.Has(v) })
		for _, v := range fresh {
			if at, ok := theirs.graph.Index(m.graph.ID(v)); ok && m.graph.IsService(v) && theirs.graph.InService(at) {
				c.Services = append(c.Services, m.graph.ID(v))
			}
		}
		if len(c.Services) == 0 {
			return c, nil
		}
		slices.Sort(c.Services)
		c.Count, c.State = len(c.Services), impact.Down
		return c, m.trace(ctx, &c, down, fresh, own.replanned, theirs.replanned)
	})
}

// trace sets the ways in which two changes together take DOWN, on a planned graph, what stands while either alone is
// carried out. It shows the place nearest to the CIs that they take down. A change that only replans is named by the CI
// whose relationships or groups it alters.
func (m *meeting) trace(ctx context.Context, c *Conflict, theirs places, fresh, mine, other []topology.Vertex) error {
	all, err := m.ask(ctx, m.graph, slices.Concat(m.down, theirs.down))
	if err != nil {
		return err
	}
	alone, err := m.ask(ctx, m.graph, theirs.down)
	if err != nil {
		return err
	}
	var place impact.Hit
	for _, v := range fresh {
		if h, ok := all.Hit(m.graph.ID(v)); ok && (place.CI == 0 || nearer(h, place)) {
			place = h
		}
	}
	if place.CI == 0 { // it is broken by what both do to the graph, whatever is down
		v := slices.MinFunc(fresh, func(a, b topology.Vertex) int { return cmp.Compare(m.graph.ID(a), m.graph.ID(b)) })
		place = impact.Hit{Vertex: v, CI: m.graph.ID(v)}
	}
	var last impact.Step
	for _, a := range []*impact.Answer{all, alone, m.planned} { // an answer that takes it down alone tells where
		if path := a.Path(place.CI); len(path) > 0 && a.State(place.CI) == impact.Down {
			last = path[len(path)-1]
		}
	}
	c.Group = last.Group
	way := func(a, beside *impact.Answer, replanned []topology.Vertex) (ident.ID, []impact.Step) {
		if path := a.Path(place.CI); len(path) > 0 && a.State(place.CI) == impact.Down {
			return path[0].From, path
		}
		if last.Group != 0 {
			g := topology.GroupIndex(last.Group.Number())
			spared := func(v topology.Vertex) bool { return beside.State(m.graph.ID(v)) != impact.Down }
			if from, path := m.wayTo(g, a, spared); from != 0 {
				return from, path
			}
		}
		return m.nearest(replanned, place), nil
	}
	c.CI, c.Path = way(m.planned, alone, mine)
	c.OtherCI, c.OtherPath = way(alone, m.planned, other)
	return nil
}

// nearest returns the CI at the place if a change replans it, or else the first CI that it replans.
func (m *meeting) nearest(replanned []topology.Vertex, place impact.Hit) ident.ID {
	if len(replanned) == 0 || slices.Contains(replanned, place.Vertex) {
		return place.CI
	}
	return m.graph.ID(slices.MinFunc(replanned, func(a, b topology.Vertex) int { return cmp.Compare(m.graph.ID(a), m.graph.ID(b)) }))
}
