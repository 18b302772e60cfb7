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

// leaving is the finder on the graph as a change is going to leave it: this one where it leaves it as it is, and where its
// operations cannot be laid over the graph.
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
	over.replanned = slices.Clone(f.replanned)
	for _, ci := range view.Touched {
		if v, known := f.graph.Index(ci); known {
			over.replanned = append(over.replanned, v)
		}
	}
	return over
}

// Weakened lists the CIs that have a group which can spare less once the operations of a change are applied than it can now, in order.
func (f *Finder) Weakened(c *Change) (cis []ident.ID) {
	after := f.leaving(c)
	for _, v := range after.replanned {
		if after.graph.IsPresent(v) && slices.ContainsFunc(f.graph.GroupsOf(v), func(g topology.GroupIndex) bool { return weakens(f.graph, after.graph, v, g) }) {
			cis = append(cis, f.graph.ID(v))
		}
	}
	slices.Sort(cis)
	return slices.Compact(cis)
}

// weakens reports whether a group of a CI can lose less in one graph than in the one before. Where the group is gone its members count alone: none
// can be spared as long as the CI needs one.
func weakens(before, after *topology.Snapshot, v topology.Vertex, g topology.GroupIndex) bool {
	was := before.Counter(g)
	if slices.Contains(after.GroupsOf(v), g) {
		is := after.Counter(g)
		return is.Total-is.Need < was.Total-was.Need
	}
	return was.Total > was.Need && slices.ContainsFunc(was.Members, func(m topology.Arrival) bool {
		_, isLeft := after.Relationship(after.RelationshipID(m.Relationship))
		return m.From != 0 && isLeft && after.IsPresent(m.From)
	})
}

// both is the finder on the graph as two changes are going to leave it: the one that starts first is applied first.
func (f *Finder) both(c, other *Change) *Finder {
	if cmp.Or(c.Planned.From.Compare(other.Planned.From), cmp.Compare(c.ID, other.ID)) > 0 {
		c, other = other, c
	}
	return f.leaving(c).laid(other)
}

// asPlanned finds the conflicts of a change with others at the same time on the graph as both are going to leave it: operations are
// applied when a change starts, so that while both are carried out those of both are. It looks at those others alone for
// which the operations of one of the two matter.
func (m *meeting) asPlanned(ctx context.Context, others []Change) (found []Conflict, err error) {
	own := m
	if view := m.leaving(m.of); view != m.Finder {
		if own, err = view.meeting(ctx, m.of); err != nil {
			return nil, err
		}
		defer own.brink.Release()
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
			with.brink.Release()
		}
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}

// concerns reports whether it can matter to the change that something else is done to the relationships or groups of CIs: they are part of what
// it rests on, or could suffer from what it touches or does to the graph.
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

// beyond is the conflicts with another on a planned graph. What either change takes DOWN by itself once its operations are applied is no
// joint failure, and neither is what befalls a service that there is not yet.
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
		fallen, err := m.brink.With(down.down)
		if err != nil {
			return c, err
		}
		if m != own {
			fallen = append(fallen, m.brink.Down()...)
		}
		fresh := slices.DeleteFunc(fallen, func(v topology.Vertex) bool { return mine.Has(v) || alone.Has(v) })
		for _, v := range fresh {
			if at, known := theirs.graph.Index(m.graph.ID(v)); known && m.graph.IsService(v) && theirs.graph.IsPresent(at) {
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

// trace says how two changes come to take DOWN on a planned graph what stands while either is carried out, at the place nearest to what they
// take down. A side that only replans is named by the CI whose relationships or groups it alters.
func (m *meeting) trace(ctx context.Context, c *Conflict, theirs places, fresh, mine, other []topology.Vertex) error {
	all, err := m.ask(ctx, slices.Concat(m.down, theirs.down))
	if err != nil {
		return err
	}
	alone, err := m.ask(ctx, theirs.down)
	if err != nil {
		return err
	}
	var place impact.Hit
	for _, v := range fresh {
		if h, is := all.Hit(m.graph.ID(v)); is && (place.CI == 0 || nearer(h, place)) {
			place = h
		}
	}
	var last impact.Step
	for _, a := range []*impact.Answer{all, alone, m.planned} { // one that takes it down by itself tells where
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

// nearest is the place itself where a change replans it, else the first CI that it replans.
func (m *meeting) nearest(replanned []topology.Vertex, place impact.Hit) ident.ID {
	if len(replanned) == 0 || slices.Contains(replanned, place.Vertex) {
		return place.CI
	}
	return m.graph.ID(slices.MinFunc(replanned, func(a, b topology.Vertex) int { return cmp.Compare(m.graph.ID(a), m.graph.ID(b)) }))
}
